"""Whatever happens to a check, its result says so and keeps what it saw."""

from __future__ import annotations

import io
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hallmarked.artifacts.source import describe, open_artifact
from hallmarked.checks import registry, runner
from hallmarked.checks.earlier import Assembly, Earlier
from hallmarked.checks.inventory import InventoryCheck
from hallmarked.checks.runner import items, run, run_isolated
from hallmarked.core import sandbox
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Extent
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Outcome, Rule, Statement
from hallmarked.core.sandbox import Limits
from tests.support import MemoryArtifact

RULE = Rule("TST001", Level.ERROR, "Test", "Nothing.")


class Probe:
    """A check that yields what it is given, then raises if told to."""

    id, version, title, rules, needs_socket, extent = "probe", "1", "?", (RULE,), False, Extent.ARTIFACT

    def __init__(self, *seen: Item, then: Exception | None = None, applies: bool = True) -> None:
        self.seen, self.then, self._applies = seen, then, applies

    def applies(self, artifact: Artifact) -> bool:
        return self._applies

    def run(self, artifact: Artifact) -> Iterator[Item]:
        yield from self.seen
        if self.then:
            raise self.then


NOTE = Finding("TST002", Level.NOTE, "note", Location("a", 3), {"k": "v"})
ERROR = Finding.of(RULE, "bad", Location("b", line=2))
MEASURED = Measurement("m", "1", "s", 5, ("0", "2"), {"path": "a"})


@pytest.mark.parametrize(
    ("check", "outcome", "result"),
    [
        (Probe(), Outcome.PASS, "PASSED"),
        (Probe(NOTE, MEASURED), Outcome.PASS, "PASSED"),
        (Probe(Gap("could not look")), Outcome.UNKNOWN, "WARNED"),
        (Probe(ERROR, Gap("could not look")), Outcome.FAIL, "FAILED"),
        (Probe(NOTE, then=KeyError("x")), Outcome.UNKNOWN, "WARNED"),
        (Probe(ERROR, then=KeyError("x")), Outcome.FAIL, "FAILED"),
        (Probe(then=MemoryError()), Outcome.UNKNOWN, "WARNED"),
    ],
)
def test_outcome(check: Probe, outcome: Outcome, result: str) -> None:
    """Unknown is never a pass, and what was seen before a crash still counts."""
    got = run(check, MemoryArtifact({"a": b""}))
    assert got.outcome is outcome
    statement = got.to_statement(MemoryArtifact({}).subject, "00")
    assert statement.predicate["result"] == result
    assert bool(got.reason) == (outcome is Outcome.UNKNOWN or bool(got.gaps or got.broke))


def test_what_is_wrong_with_files_is_told_as_a_sentence() -> None:
    """Only what nobody expected is called a broken check, by the name of what was raised."""
    artifact = MemoryArtifact({"a": b""})
    expected = run(Probe(then=InputError("dataset.toml is not TOML")), artifact)
    assert (expected.outcome, expected.broke) == (Outcome.UNKNOWN, "could not be done: dataset.toml is not TOML")
    assert run(Probe(then=KeyError("x")), artifact).broke == "the check broke: KeyError: 'x'"


def test_a_gap_is_kept_once() -> None:
    """What two readers of one file could not establish is one gap; the same about another place is another."""
    here, there = Gap("could not look", Location("a")), Gap("could not look", Location("b"))
    assert run(Probe(here, there, here, Gap("could not look", Location("a"))), MemoryArtifact({"a": ""})).gaps == [
        here,
        there,
    ]


def test_inapplicable() -> None:
    """A check with nothing to look at says so instead of passing."""
    assert not run(Probe(applies=False), MemoryArtifact({})).applied


def test_statement_keeps_everything() -> None:
    """Findings, measurements and gaps survive the way through a statement's JSON."""
    seen = [ERROR, NOTE, MEASURED, Gap("why", Location("c"))]
    statement = run(Probe(*seen), MemoryArtifact({})).to_statement(MemoryArtifact({}).subject, "00")
    assert list(items(Statement.from_dict(statement.to_dict()))) == seen


def test_isolated_equals_in_process(tmp_path: Path) -> None:
    """A check sees the same in its own process as in ours."""
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "A.txt").write_text("y")
    artifact = open_artifact(tmp_path)
    apart = run_isolated("inventory", "1", describe(artifact), Limits())
    here = run(InventoryCheck(), artifact)
    subject = artifact.subject
    assert apart.to_statement(subject, "0") == here.to_statement(subject, "0")
    assert [finding.rule for finding in apart.findings] == ["INV003"]
    if sys.platform == "linux":
        assert set(apart.isolation) == {"limits", "no-writes", "no-programs", "no-network"}


TGKILL = sandbox.TGKILL[platform.machine() == "aarch64"]

HOSTILE = """
import ctypes, os, signal, sys
sys.path.insert(0, {root!r})
from hallmarked.checks import registry, worker
from hallmarked.core.evidence import Finding, Level
class Hostile:
    id = version = title = "hostile"; rules = (); needs_socket = False; extent = "artifact"
    def applies(self, artifact): return True
    def run(self, artifact):
        yield Finding("TST001", Level.WARNING, "seen before")
        {act}
registry.load = lambda name: (Hostile(), None)
worker.main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="isolation of this kind exists on Linux")
@pytest.mark.parametrize(
    ("act", "says"),
    [
        ("os._exit(3)", "ended early with status 3"),
        ("os.abort()", "ended by signal 6"),
        ("bytearray(8 << 30)", "ran out of memory"),
        ("while True: pass", "ended"),
        ("sys.stdout.write('nonsense\\n')", "not a result"),
        ('sys.stdout.write(\'{"kind": "Finding", "body": [1]}\\n\')', "not a result"),
        ("__import__('socket').socket()", "PermissionError"),
        ("open(os.devnull, 'w')", "PermissionError"),
        ("os.fork()", "PermissionError"),
        ("os.execv('/bin/true', ['true'])", "PermissionError"),
        ("os.unlink('x')", "PermissionError"),
        ("os.utime('/proc/self/exe')", "PermissionError"),
        ("os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)", "PermissionError"),
        ("__import__('resource').prlimit(os.getppid(), 7)", "PermissionError"),
        ("signal.pidfd_send_signal(os.pidfd_open(os.getppid()), signal.SIGKILL)", "PermissionError"),
        (f"raise OSError(ctypes.CDLL(None).syscall({TGKILL}, os.getppid(), os.getppid(), 0), 'refused')", "[Errno -1]"),
        ("__import__('fcntl').ioctl(0, 0x5412, b'x')", "Inappropriate ioctl"),
        ("__import__('fcntl').ioctl(os.open('.', os.O_RDONLY), 0x40086602, bytes(8))", "Inappropriate ioctl"),
        (
            'sys.stdout.write(\'{"kind": "Gap", "body": {"reason": "\\\\ud800"}}\\n\')',
            "not a result",
        ),
        ('sys.stdout.write(\'{"kind": "Measurement", "body": {"metric": "", "n": Infinity}}\\n\')', "not a result"),
        ('sys.stdout.write(\'{"kind": "isolation", "body": ["more"]}\\n\')', "not a result"),
        (
            'sys.stdout.write(\'{"kind": "Finding", "body": {"rule": "", "level": "fatal", "message": ""}}\\n\')',
            "not a result",
        ),
    ],
)
def test_hostile_check(act: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that is killed, hangs, babbles or breaks out loses only itself, and what it saw before is kept."""
    script = tmp_path / "worker.py"
    script.write_text(HOSTILE.format(act=act, root=str(Path(registry.__file__).parents[2])))
    start = subprocess.Popen

    def popen(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        return start([command[0], "-B", str(script)], **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(subprocess, "Popen", popen)
    result = run_isolated("hostile", "1", {"path": str(tmp_path), "base": None}, Limits(cpu_seconds=1, wall_seconds=20))
    assert [finding.message for finding in result.findings] == ["seen before"]
    assert result.outcome is Outcome.UNKNOWN
    assert says in result.reason


def test_a_check_cannot_fill_our_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading stops when a check has said more than any check has to say."""
    monkeypatch.setattr(runner, "MAX_BYTES", 1000)
    lines = [b'{"kind": "Gap", "body": {"reason": "%03d%s"}}\n' % (at, b"x" * 297) for at in range(100)]
    result = runner.Result("hostile", "1")
    assert runner._receive(io.BytesIO(b"".join(lines)), result, Assembly(Earlier(), result.add))
    assert (len(result.gaps), result.broke) == (2, runner.TOO_MUCH)


def test_positions_that_no_file_has_are_left_out() -> None:
    """An offset read from a hostile file may be any number; one that cannot be written down is dropped."""
    line = b'{"kind": "Gap", "body": {"reason": "r", "location": {"path": "p", "offset": %d, "line": -1}}}\n' % (
        1 << 60
    )
    result = runner.Result("hostile", "1")
    runner._receive(io.BytesIO(line), result, Assembly(Earlier(), result.add))
    assert result.gaps == [Gap("r", Location("p"))]


LAUNCHER = """
import json, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-B", sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdin.write(sys.argv[2].encode() + b"\\n")
child.stdin.flush()
child.stdout.readline()
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="isolation of this kind exists on Linux")
def test_a_check_ends_with_who_asked_for_it(tmp_path: Path) -> None:
    """When the audit itself is killed, its checks do not go on alone."""
    script = tmp_path / "worker.py"
    script.write_text(HOSTILE.format(act="while True: pass", root=str(Path(registry.__file__).parents[2])))
    request = json.dumps(
        {"check": "hostile", "artifact": describe(open_artifact(tmp_path)), "limits": asdict(Limits())}
    )
    command = [sys.executable, "-c", LAUNCHER, str(script), request]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as launcher:
        assert launcher.stdout
        state = Path(f"/proc/{int(launcher.stdout.readline())}/stat")
        assert state.exists()
        launcher.kill()
    for _ in range(200):
        try:
            if state.read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return  # it is gone
        time.sleep(0.05)
    pytest.fail("the check's process is still running")


def test_wall_clock(tmp_path: Path) -> None:
    """A child that does not answer in time is ended and said to be."""
    result = run_isolated("inventory", "1", describe(open_artifact(tmp_path)), Limits(wall_seconds=0))
    assert result.outcome is Outcome.UNKNOWN
    assert "ended" in result.reason


def test_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks load by id with their origin; an unknown or doubly claimed id is refused."""
    check, origin = registry.load("inventory")
    assert (check.id, origin.package) == ("inventory", "hallmarked")
    with pytest.raises(InputError, match="there are:"):
        registry.load("no-such-check")
    twice = [EntryPoint("x", "a:b", registry.GROUP)] * 2
    monkeypatch.setattr(registry, "entry_points", lambda **_: twice)
    with pytest.raises(InputError, match="several packages"):
        registry.load("x")


def test_environment_is_not_handed_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check's process sees nothing of our environment that it does not need."""
    monkeypatch.setenv("HF_TOKEN", "secret")
    seen: dict[str, str] = {}
    start = subprocess.Popen

    def popen(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        seen.update(options["env"])  # type: ignore[call-overload]
        return start(command, **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(subprocess, "Popen", popen)
    run_isolated("inventory", "1", describe(open_artifact(tmp_path)), Limits())
    assert "HF_TOKEN" in os.environ
    assert "HF_TOKEN" not in seen
