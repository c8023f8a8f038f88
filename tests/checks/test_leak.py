"""The check for items of benchmarks in data sets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from hallmarked.artifacts.source import describe, open_artifact
from hallmarked.audit.examine import examine
from hallmarked.checks.leak import LEAKED, MOST_SHOWN, POSSIBLY, LeakCheck
from hallmarked.checks.parted import run_in_parts
from hallmarked.checks.runner import Result, run
from hallmarked.core.evidence import Measurement, Outcome
from hallmarked.core.sandbox import Limits
from hallmarked.corpus.engine.model import Engine
from tests.corpus.leak.support import Writer
from tests.support import MemoryArtifact

WRITER = Writer(31)
QUESTIONS = [WRITER.text(30) for _ in range(40)]
BENCHMARK = "".join(json.dumps({"question": q, "answer": WRITER.text(10)}) + "\n" for q in QUESTIONS)


def lines(texts: Sequence[str]) -> str:
    return "".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts))


def look(files: Mapping[str, str | bytes], **benchmarks: str) -> Result:
    beside = {name: MemoryArtifact({"test.jsonl": text}) for name, text in benchmarks.items()}
    return run(LeakCheck(), MemoryArtifact(files, beside=beside))


def values(result: Result, metric: str, **place: str) -> list[str]:
    return [m.value for m in result.measurements if m.metric == metric and place.items() <= m.slice.items()]


def test_needs_a_benchmark() -> None:
    """Without a benchmark, or without tables, there is nothing to do, and nothing is said."""
    assert not look({"a.jsonl": lines(["text"])}).applied
    assert not look({"a.bin": "x"}, gsm=BENCHMARK).applied


def test_items_with_their_places() -> None:
    """Items are counted, named and shown with their place; copies in several files are found in the best one first."""
    rows = [WRITER.text(60) for _ in range(10)]
    rows[3] = f"{WRITER.text(10)} {QUESTIONS[7]} {WRITER.text(10)}"
    rows[8] = f"{WRITER.text(10)} {WRITER.edit(QUESTIONS[9], 0.2)} {WRITER.text(10)}"
    result = look({"a.jsonl": lines(rows), "b.jsonl": lines(rows[:4])}, test=BENCHMARK, other=lines([WRITER.text(40)]))
    assert result.outcome is Outcome.PASS
    assert values(result, "leak.strong", benchmark="test") == ["2"]
    assert values(result, "leak.not_found", benchmark="test") == ["38"]
    assert values(result, "leak.strong", benchmark="other") == ["0"]
    assert values(result, "leak.rows") == ["14"]
    items = {m.slice["item"]: m.n for m in result.measurements if m.metric == "leak.item" and m.value == "strong"}
    assert items == {"8": 2, "10": 1}
    summary, first, second = [finding for finding in result.findings if finding.rule == LEAKED.id]
    assert summary.message == "2 of 40 items of test stand in the data"
    assert first.location is not None
    assert first.location.path == "a.jsonl"
    assert (first.data["item"], first.data["row"], first.data["words"]) == ("8", "4", "11-40")
    assert (second.data["item"], second.data["row"]) == ("10", "9")
    assert values(result, "leak.method", setting="share for strong") == ["0.63"]


def test_possible_items() -> None:
    """A quotation is told apart from a copy."""
    quotation = " ".join(QUESTIONS[2].split()[8:20])
    result = look({"a.jsonl": lines([f"{WRITER.text(30)} {quotation} {WRITER.text(30)}"])}, test=BENCHMARK)
    assert values(result, "leak.possible") == ["1"]
    assert {finding.rule for finding in result.findings} == {POSSIBLY.id}


def test_many_items() -> None:
    """All items are among the measurements, the first of them among the findings."""
    result = look({"a.txt": "\n".join(QUESTIONS)}, test=BENCHMARK)
    assert len(values(result, "leak.item")) == len(QUESTIONS)
    assert len(result.findings) == MOST_SHOWN + 1


@pytest.mark.parametrize("part", ["answer", "question"])
def test_columns(part: str) -> None:
    """Question and answer may stand in columns of their own."""
    row = json.loads(BENCHMARK.splitlines()[0])
    result = look({"a.jsonl": json.dumps(row | {part: row[part]}) + "\n"}, test=BENCHMARK)
    assert values(result, "leak.item.answer") == ["near"]


def test_what_could_not_be_read() -> None:
    """Rows that cannot be read leave the outcome open, for the data set and for the benchmark."""
    broken = look({"a.jsonl": lines([QUESTIONS[0]]) + "{\n"}, test=BENCHMARK)
    assert broken.outcome is Outcome.UNKNOWN
    assert values(broken, "leak.strong") == ["1"]
    assert look({"a.parquet": "PAR1"}, test=BENCHMARK).outcome is Outcome.UNKNOWN
    short = look({"a.txt": "text"}, test=BENCHMARK + '{"question": "Why", "answer": "So"}\n{"question": 1\n')
    assert short.outcome is Outcome.UNKNOWN
    assert (values(short, "leak.too_short"), values(short, "leak.unread")) == (["1"], ["1"])
    none = look({"a.txt": "text"}, test="")
    assert (none.outcome, "no items" in none.reason) == (Outcome.UNKNOWN, True)


def test_result_does_not_depend_on_cuts() -> None:
    """The same rows in several files give the same items."""
    rows = [WRITER.edit(question, 0.1) for question in QUESTIONS[:12]]
    one = look({"a.jsonl": lines(rows)}, test=BENCHMARK)
    many = look({f"{n:02}.jsonl": lines([row]) for n, row in enumerate(rows)}, test=BENCHMARK)

    def found(result: Result) -> set[tuple[str, str]]:
        return {(m.slice["item"], m.value) for m in result.measurements if m.metric == "leak.item"}

    assert found(one) == found(many)
    assert len(found(one)) >= 12


def test_statement_is_about_both(tmp_path: Path) -> None:
    """In a confined process likewise; the statement names data set and benchmark by digest, as others do not."""
    folder = tmp_path
    (folder / "data").mkdir()
    (folder / "data" / "a.jsonl").write_text(lines([QUESTIONS[4]]))
    (folder / "bench.jsonl").write_text(BENCHMARK)
    beside = open_artifact(folder / "bench.jsonl")
    artifact = open_artifact(folder / "data")
    artifact.beside = {"mine": beside}
    examination = examine(artifact, checks=["benchmark-leakage", "tables"])
    leakage, tables = examination.statements
    assert [subject.name for subject in leakage.subjects] == ["data", "mine"]
    assert leakage.subjects[1].digest == beside.subject.digest
    assert leakage.predicate["configuration"][1] == {"name": "beside/mine", "digest": dict(beside.subject.digest)}
    assert len(tables.subjects) == 1
    (result, _) = examination.results
    assert values(result, "leak.item", item="5") == ["strong"]
    assert isinstance(result.measurements[0], Measurement)


@pytest.mark.slow
def test_processes_do_not_matter(tmp_path: Path) -> None:
    """Several processes, each of which indexes the benchmark anew, come to the same statement as one."""
    for number in range(5):
        rows = [WRITER.text(30), WRITER.edit(QUESTIONS[number], 0.1), WRITER.text(30), QUESTIONS[number % 2]]
        (tmp_path / f"{number}.jsonl").write_text(lines(rows))
    (tmp_path.parent / "bench.jsonl").write_text(BENCHMARK)
    artifact = open_artifact(tmp_path)
    artifact.beside = {"mine": open_artifact(tmp_path.parent / "bench.jsonl")}
    alone = run(LeakCheck(), artifact)
    many = run_in_parts("benchmark-leakage", LeakCheck.version, describe(artifact), Limits(), Engine(3))
    assert many.to_statement(artifact.subject, "00") == alone.to_statement(artifact.subject, "00")
    assert len(values(many, "leak.item")) == 5
