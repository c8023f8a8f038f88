"""A check that learns part by part says the same whoever looks at the parts, and however many do."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="tables are read with the extra data")
import pyarrow as pa
import pyarrow.parquet as pq

from hallmarked.artifacts.source import describe, open_artifact
from hallmarked.checks import parted, registry, runner
from hallmarked.checks.parted import run_in_parts
from hallmarked.checks.runner import Result, run, run_isolated
from hallmarked.checks.table import TableCheck
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Extent, Part
from hallmarked.core.errors import BackendError
from hallmarked.core.evidence import Outcome
from hallmarked.core.sandbox import Limits
from hallmarked.corpus.engine.model import Engine, Progress


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of many formats and many parts, some of them broken."""
    folder = tmp_path_factory.mktemp("mixed")
    rows = [{"text": f"row {n} says something", "label": n % 3, "n": n / 7} for n in range(1_000)]
    table = pa.Table.from_pylist(rows)
    pq.write_table(table, folder / "a.parquet", row_group_size=150)
    broken = bytearray((folder / "a.parquet").read_bytes())
    start = pq.ParquetFile(folder / "a.parquet").metadata.row_group(3).column(0).data_page_offset
    broken[start : start + 60] = b"\xff" * 60
    (folder / "b.parquet").write_bytes(broken)
    (folder / "c.parquet").write_bytes(b"PAR1 no footer")
    lines = [json.dumps(row) for row in rows]
    lines[17] = "{broken"
    (folder / "d.jsonl").write_text("\n".join(lines))
    (folder / "e.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    (folder / "f.csv").write_text("text,label\n" + "".join(f"row {n},{n % 3}\n" for n in range(500)))
    return folder


def statement(result: Result, folder: Path) -> bytes:
    """What is signed."""
    written = result.to_statement(open_artifact(folder).subject, "00").to_dict()
    return json.dumps(written, sort_keys=True).encode()


def in_parts(folder: Path, width: int, **more: object) -> Result:
    """Run the check of tables in so many processes."""
    described = describe(open_artifact(folder))
    return run_in_parts("tables", TableCheck.version, described, Limits(), Engine(width), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [1, 2, pytest.param(5, marks=pytest.mark.slow)])
def test_the_statement_does_not_tell_who_computed_it(width: int, mixed: Path) -> None:
    """One process that does all, one for each stage, and many for the parts come to the same bytes."""
    alone = run(TableCheck(), open_artifact(mixed))
    assert alone.outcome is Outcome.UNKNOWN
    assert len(alone.measurements) > 20
    got = in_parts(mixed, width)
    assert statement(got, mixed) == statement(alone, mixed)
    if sys.platform == "linux":
        assert set(got.isolation) == {"limits", "no-writes", "no-programs", "no-network"}


OTHERS = [name for name in registry.available() if registry.load(name)[0].extent is Extent.PARTS and name != "tables"]


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_so_does_every_check_in_parts(name: str, mixed: Path) -> None:
    """Whatever else learns part by part comes to the same bytes too."""
    check, _ = registry.load(name)
    got = run_in_parts(name, check.version, describe(open_artifact(mixed)), Limits(), Engine(2))
    assert statement(got, mixed) == statement(run(check, open_artifact(mixed)), mixed)


def test_it_is_what_one_process_says(mixed: Path) -> None:
    """The check in a child of its own says the same too."""
    described = describe(open_artifact(mixed))
    assert statement(run_isolated("tables", TableCheck.version, described, Limits()), mixed) == statement(
        in_parts(mixed, 1), mixed
    )


def test_progress_counts_rows_and_bytes(mixed: Path) -> None:
    """Who waits is told how many rows were read, and how far it has come."""
    seen: list[Progress] = []
    in_parts(mixed, 2, report=seen.append)
    assert seen[-1].parts == seen[-1].parts_total == len(seen)
    assert seen[-1].size == seen[-1].size_total
    assert 4_000 < seen[-1].rows <= 4_500


def test_a_check_that_does_not_apply_starts_nothing(tmp_path: Path) -> None:
    """Nothing to look at is no result."""
    (tmp_path / "README.md").write_text("# Nothing")
    assert not in_parts(tmp_path, 2).applied


def test_work_that_is_stopped_is_unknown(mixed: Path) -> None:
    """An engine that fails makes the check unknown, with its reason."""

    def report(_progress: Progress) -> None:
        raise BackendError("the audit was stopped")

    result = in_parts(mixed, 2, report=report)
    assert result.outcome is Outcome.UNKNOWN
    assert result.reason == "the check broke: the audit was stopped"


def test_limits_that_allow_nothing_are_unknown(mixed: Path) -> None:
    """Processes that cannot even begin are no pass."""
    described = describe(open_artifact(mixed))
    result = run_in_parts("tables", TableCheck.version, described, Limits(wall_seconds=0), Engine(1))
    assert result.outcome is Outcome.UNKNOWN
    assert "ended" in result.reason


class Faulty(TableCheck):
    """The check of tables, which breaks on the parts of one file."""

    def learn(self, artifact: Artifact, part: Part) -> bytes:
        if part["path"] == "f.csv":
            raise ValueError("someone@example.org is not a number")
        return super().learn(artifact, part)


def test_a_part_that_breaks_is_named_and_the_rest_counts(mixed: Path) -> None:
    """A fault of the check in one part is told with the file and its size, without what the data said."""
    result = run(Faulty(), open_artifact(mixed))
    whole = run(TableCheck(), open_artifact(mixed))
    size = (mixed / "f.csv").stat().st_size
    gaps = [gap for gap in result.gaps if gap.location and gap.location.path == "f.csv"]
    assert gaps[0].reason.startswith(
        f"f.csv, part 1 of 1, about {size:,} bytes: not looked at: it broke: ValueError in tests.checks.test_parted"
    )
    assert "someone" not in json.dumps(result.to_statement(open_artifact(mixed).subject, "0").to_dict())
    rows = {m.slice.get("path"): m.value for m in whole.measurements if m.metric == "rows.total"}
    assert {**rows, "f.csv": "0", None: str(int(rows[None]) - 500)} == {
        m.slice.get("path"): m.value for m in result.measurements if m.metric == "rows.total"
    }


def test_a_hijacked_process_that_cuts_says_no_nonsense(monkeypatch: pytest.MonkeyPatch, mixed: Path) -> None:
    """Parts that are no objects end the check."""

    def converse(_said: object, _limits: object, result: Result, *rest: object) -> None:
        hear = rest[2]
        with pytest.raises(TypeError):
            hear["Cut"]("part")  # type: ignore[index]
        result.broke = runner.TOO_MUCH

    monkeypatch.setattr(parted, "converse", converse)
    assert in_parts(mixed, 2).reason == runner.TOO_MUCH


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux")
def test_a_data_set_is_larger_than_memory(tmp_path: Path) -> None:
    """Each process may have less memory than one file takes; nothing is left out."""
    limits = Limits(memory_bytes=640 << 20)
    line = json.dumps({"text": "some words that take room " * 400, "n": 1}).encode() + b"\n"
    count = (700 << 20) // len(line)
    with (tmp_path / "a.jsonl").open("wb") as out:
        for _ in range(count):
            out.write(line)
    assert (tmp_path / "a.jsonl").stat().st_size > limits.memory_bytes
    described = describe(open_artifact(tmp_path))
    result = run_in_parts("tables", TableCheck.version, described, limits, Engine(2))
    assert [m.value for m in result.measurements if m.metric == "rows.total" and not m.slice] == [str(count)]
    assert not result.gaps
    assert not result.broke
