"""The check of tables: what it counts, what it warns of, and what it never shows."""

from __future__ import annotations

import json
import sys

import pytest

from hallmarked.checks.runner import run
from hallmarked.checks.table import TableCheck
from hallmarked.core.evidence import Outcome
from tests.support import DATA, MemoryArtifact, needs_data

pytest.importorskip("pyarrow", reason="tables are read with the extra data")


def rows(*found: dict[str, object]) -> str:
    """Write rows as JSON Lines."""
    return "".join(json.dumps(row) + "\n" for row in found)


def measured(files: dict[str, bytes | str]) -> dict[tuple[str, str], str]:
    """Return values by metric and slice."""
    result = run(TableCheck(), MemoryArtifact(files))
    assert not result.broke
    return {(item.metric, ",".join(item.slice.values())): item.value for item in result.measurements}


def test_a_data_set_is_counted() -> None:
    """Rows, copies, missing values, words and shares of labels are told for a data set of two files."""
    one = [{"text": f"some words {n}", "label": n % 2} for n in range(10)]
    found = measured({"data/a.jsonl": rows(*one), "data/b.jsonl": rows(*one[:3], {"text": None, "label": 1})})
    assert found["rows.total", ""] == "14"
    assert found["rows.total", "data/b.jsonl"] == "4"
    assert found["rows.repeated", ""] == "3"
    assert found["column.missing", "text,data"] == "1"
    assert found["column.words", "text,data"] == "39"
    assert found["column.share", "label,data,1"] == f"{7 / 14:.6f}"


def test_values_that_occur_rarely_are_not_shown() -> None:
    """No value that may point to a person stands in the evidence."""
    people = rows(*({"name": f"Person {n}", "n": 1} for n in range(8)), *({"name": "Common", "n": 1} for _ in range(9)))
    result = run(TableCheck(), MemoryArtifact({"a.jsonl": people}))
    assert "Person" not in str(result.measurements) + str(result.findings)


def test_what_cannot_be_read_makes_the_outcome_unknown() -> None:
    """A broken row is named with its place; the outcome is unknown, and the rest is counted."""
    result = run(
        TableCheck(), MemoryArtifact({"a.jsonl": '{"a": 1}\nsecret@example.org\n{"a": 2}\n', "b.parquet": "PAR1"})
    )
    assert result.outcome is Outcome.UNKNOWN
    messages = [finding.message for finding in result.findings]
    assert messages[0] == "a.jsonl: row 2: the row is not JSON: Expecting value"
    assert messages[1].startswith("b.parquet cannot be read: ")
    assert {"2"} == {item.value for item in result.measurements if item.metric == "rows.total" and not item.slice}
    assert "secret@example.org" not in str(result)


def test_mixed_and_empty_columns_are_told_of() -> None:
    """Loaders stumble over a column whose values differ in kind."""
    result = run(TableCheck(), MemoryArtifact({"a.jsonl": rows({"a": 1, "b": None}, {"a": "x", "b": None})}))
    assert {finding.rule for finding in result.findings} == {"MIN001", "TAB003", "TAB004"}


def test_without_the_library_nothing_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where tables cannot be read the outcome is unknown, and the sentence says what to install."""
    for name in [*sys.modules]:
        if name.startswith("hallmarked.corpus.") and "ending" not in name:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = run(TableCheck(), MemoryArtifact({"a.csv": "a\n1\n"}))
    assert result.outcome is Outcome.UNKNOWN
    assert "hallmarked[data]" in result.reason


@needs_data
def test_public_benchmarks_are_counted() -> None:
    """The rows are those that the benchmarks' own descriptions name."""
    files = {path.relative_to(DATA).as_posix(): path.read_bytes() for path in (DATA / "benchmarks/gsm8k").iterdir()}
    assert measured(files)["rows.total", ""] == "1319"
