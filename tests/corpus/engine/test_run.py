"""Parts are looked at in confined processes, by one or many; each costs only itself."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hallmarked.artifacts.remote.served import ServedArtifact
from hallmarked.artifacts.source import describe, open_artifact
from hallmarked.core.check import Learned
from hallmarked.core.errors import BackendError, InputError
from hallmarked.core.sandbox import Limits
from hallmarked.corpus.engine import process
from hallmarked.corpus.engine.model import Engine, Job, Progress, parse_engine
from hallmarked.corpus.engine.process import extra_seconds
from hallmarked.corpus.engine.run import map_parts
from tests.corpus.engine.tasks import SCRIPT

TEXT = b"".join(b"%d\n" % n for n in range(1_000))
linux = pytest.mark.skipif(sys.platform != "linux", reason="isolation of this kind exists on Linux")


@pytest.fixture(autouse=True)
def children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let children import the tasks of these tests."""
    script = tmp_path / "child.py"
    script.write_text(SCRIPT)
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-B", str(script)))


def job(folder: Path, task: str = "learn", **options: Any) -> Job:
    """A job for a folder with one file."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    (data / "a.txt").write_bytes(TEXT)
    limits = Limits(**options.pop("limits", {}))
    return Job(f"tests.corpus.engine.tasks:{task}", describe(open_artifact(data)), options, limits)


def run(
    job: Job, parts: Sequence[dict[str, Any]], folder: Path, width: int = 1, **more: Any
) -> list[tuple[bytes, str]]:
    """Return what was learned of each part, and why nothing was."""
    states = folder / "states"
    states.mkdir()
    return [(read(each), each.broke) for each in map_parts(job, parts, Engine(width), states, **more)]


def read(learned: Learned) -> bytes:
    """Return a state."""
    with learned.open() as stream:
        data = stream.read()
    assert len(data) == learned.size
    return data


def cut(size: int) -> list[dict[str, Any]]:
    """Cut the file into parts of so many bytes."""
    starts = range(0, len(TEXT), size)
    return [
        {"path": "a.txt", "start": at, "stop": min(at + size, len(TEXT)), "bytes": min(size, len(TEXT) - at)}
        for at in starts
    ]


@pytest.mark.parametrize(("width", "size"), [(1, 10_000), (1, 500), (2, 500), (3, 100)])
def test_states_come_in_the_order_of_the_parts(width: int, size: int, tmp_path: Path) -> None:
    """However many look at the parts, and however large these are, the states are those of the parts in their order."""
    got = run(job(tmp_path), cut(size), tmp_path, width)
    assert b"".join(state for state, _ in got) == TEXT
    assert not any(broke for _, broke in got)


def test_no_parts_are_no_states(tmp_path: Path) -> None:
    """Nothing to look at is no error."""
    assert run(job(tmp_path), [], tmp_path, 2) == []


def test_progress_ends_with_all(tmp_path: Path) -> None:
    """Parts, bytes and rows are counted up to the last."""
    seen: list[Progress] = []
    run(job(tmp_path), cut(500), tmp_path, 2, report=seen.append)
    assert [progress.parts for progress in seen] == list(range(1, len(cut(500)) + 1))
    assert seen[-1] == Progress(8, 8, len(TEXT), len(TEXT), 1_000)


BAD = {
    "fail": "the part is broken",
    "crash": "it broke: KeyError in tests.corpus.engine.tasks, line",
    "die": "ended by signal 11",
    "kill": "ended by signal 6",
    "grow": "ran out of memory",
    "babble": "",
}


@linux
@pytest.mark.parametrize("width", [1, 2])
def test_what_breaks_costs_only_itself(width: int, tmp_path: Path) -> None:
    """A part that fails, crashes, kills its process or fills its memory says so; all others are looked at."""
    good = cut(1_000)
    parts = [good[0], *({"do": act} for act in BAD), *good[1:]]
    got = run(job(tmp_path), parts, tmp_path, width)
    bad = got[1 : len(BAD) + 1]
    assert b"".join(state for state, _ in [got[0], *got[len(BAD) + 1 :]]) == TEXT
    for (state, broke), reason in zip(bad, BAD.values(), strict=True):
        assert state == b""
        assert broke
        assert reason in broke
        assert "someone" not in broke


@linux
def test_a_part_has_its_time(tmp_path: Path) -> None:
    """What takes longer than the limits allow is ended, and the next part is looked at."""
    got = run(job(tmp_path, limits={"wall_seconds": 2}), [{"do": "wait"}, *cut(10_000)], tmp_path)
    assert got == [(b"", "it was not done after 2 s"), (TEXT, "")]


def test_a_large_part_has_more_time() -> None:
    """Time grows with the size of what cannot be cut."""
    assert extra_seconds({"bytes": 64 << 20}) == 0
    assert extra_seconds({"bytes": (64 << 20) + (300 << 20)}) == 300
    assert extra_seconds({"bytes": "many"}) == 0


@linux
def test_children_have_no_rights(tmp_path: Path) -> None:
    """A part cannot make its process write or connect; what libraries print does not get into the way."""
    parts = [{"do": "write"}, {"do": "connect"}, {"do": "print"}]
    assert [state for state, _ in run(job(tmp_path), parts, tmp_path)] == [b"refused", b"refused", b"printed"]


def test_a_child_looks_at_many_parts(tmp_path: Path) -> None:
    """A process is not started for every part."""
    got = run(job(tmp_path, "seen"), [{"n": n} for n in range(6)], tmp_path)
    assert [json.loads(state)[0] for state, _ in got] == [1, 2, 3, 4, 5, 6]


def test_what_a_used_process_cannot_do_a_fresh_one_tries(tmp_path: Path) -> None:
    """Whether a part is learned depends on it alone, not on what its process saw before."""
    got = run(job(tmp_path, "second_dies"), [{"n": n} for n in range(4)], tmp_path)
    assert got == [(b"0", ""), (b"1", ""), (b"2", ""), (b"3", "")]


@linux
@pytest.mark.parametrize("width", [1, 2])
def test_the_keyboard_stops_the_work(width: int, tmp_path: Path) -> None:
    """Who interrupts does not wait for the other parts, of which each would take a minute."""
    seen: list[Progress] = []
    with pytest.raises(BackendError, match="stopped"):
        run(job(tmp_path), [{"do": "interrupt"}, *[{"do": "wait"}] * 50], tmp_path, width, report=seen.append)
    assert len(seen) < 3


@pytest.mark.parametrize("width", [1, 2])
def test_whoever_watches_may_stop_the_work(width: int, tmp_path: Path) -> None:
    """An error of the one who is told of progress ends it."""
    count = 0

    def report(_progress: Progress) -> None:
        nonlocal count
        count += 1
        raise BackendError("enough")

    with pytest.raises(BackendError, match="enough"):
        run(job(tmp_path), cut(10), tmp_path, width, report=report)
    assert count <= 3


def test_a_job_that_cannot_begin_fails(tmp_path: Path) -> None:
    """When no process comes up, no part is blamed for it."""
    with pytest.raises(BackendError, match="no task is called"):
        run(job(tmp_path, "missing"), cut(1_000), tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    changed = job(other)
    (other / "data" / "a.txt").write_bytes(b"other")
    with pytest.raises(BackendError, match="changed while it was read"):
        run(changed, cut(1_000), other, 2)


def served(folder: Path, size: int) -> Job:
    """A job for a file that only this process can open."""
    digest = {"dirHash": "0" * 64}
    description = {"name": "acme/data", "files": [["a.txt", size]], "omitted": [], "digest": digest}
    assert ServedArtifact(description, lambda *_: b"").files[0].size == size
    return Job("tests.corpus.engine.tasks:learn", {"served": description})


@pytest.mark.parametrize("width", [1, 2])
def test_what_lies_elsewhere_is_served(width: int, tmp_path: Path) -> None:
    """Children ask this process for bytes that they cannot open."""

    def serve(number: int, start: int, size: int) -> bytes:
        assert number == 0
        return TEXT[start : start + size]

    got = run(served(tmp_path, len(TEXT)), cut(700), tmp_path, width, serve=serve)
    assert b"".join(state for state, _ in got) == TEXT


def test_what_cannot_be_served_is_a_reason(tmp_path: Path) -> None:
    """The part says why; nothing is served to children that have no right to it."""

    def serve(number: int, start: int, size: int) -> bytes:
        raise BackendError("the hub went away")

    assert run(served(tmp_path, len(TEXT)), cut(10_000), tmp_path, serve=serve) == [(b"", "the hub went away")]
    second = tmp_path / "second"
    second.mkdir()
    got = run(served(second, len(TEXT)), cut(10_000), second)
    assert got == [(b"", "a process asked for something that it cannot have")]


def test_a_cluster_cannot_be_served(tmp_path: Path) -> None:
    """What only this process can read is not sent elsewhere."""
    with pytest.raises(InputError, match="download it"):
        map_parts(served(tmp_path, 1), [], Engine(address="ray"), tmp_path, serve=lambda *_: b"")


@pytest.mark.parametrize(
    ("name", "processes", "engine"),
    [
        ("native", 0, Engine()),
        ("native", 3, Engine(3)),
        ("ray", 0, Engine(address="ray")),
        ("ray://head:10001", 0, Engine(address="ray://head:10001")),
        ("10.0.0.1:6379", 0, Engine(address="10.0.0.1:6379")),
    ],
)
def test_engines_have_names(name: str, processes: int, engine: Engine) -> None:
    """This machine, or a cluster by its address."""
    assert parse_engine(name, processes) == engine


@pytest.mark.parametrize(
    ("name", "processes"), [("spark", 0), ("http://a:1", 0), ("native", -1), ("ray", 2), ("a b:1", 0), ("", 0)]
)
def test_other_names_are_refused(name: str, processes: int) -> None:
    """What is no engine is said to be none."""
    with pytest.raises(InputError):
        parse_engine(name, processes)
