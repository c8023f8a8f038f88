"""Splits of benchmarks, and results without the items that leaked."""

from __future__ import annotations

from typing import Any

import pytest

from hallmarked.audit.leakage import TYPE, Group, read_split, rescore, to_split
from hallmarked.checks.leak import LeakCheck
from hallmarked.checks.runner import run
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Statement, Subject
from tests.checks.test_leak import BENCHMARK, QUESTIONS, lines
from tests.support import MemoryArtifact

SPLIT: dict[str, Any] = {
    "type": TYPE,
    "benchmarks": [{"name": "b", "strong": ["1", "2"], "possible": ["3"]}],
}


def test_split() -> None:
    """A split names the items of each level, and follows from the statement alone."""
    benchmark = MemoryArtifact({"test.jsonl": BENCHMARK})
    data = MemoryArtifact(
        {"a.jsonl": lines([QUESTIONS[1], " ".join(QUESTIONS[5].split()[:12])])}, beside={"b": benchmark}
    )
    one = run(LeakCheck(), data).to_statement(data.subject, "00")
    statement = Statement((*one.subjects, Subject("b", benchmark.subject.digest)), one.predicate_type, one.predicate)
    split = to_split(statement)
    (found,) = split["benchmarks"]
    assert split["dataset"]["digest"] == data.subject.digest
    assert (found["strong"], found["possible"], found["items"], found["not_found"]) == (["2"], ["6"], 40, 38)
    assert split == to_split(Statement.from_dict(statement.to_dict()))


def test_rescore() -> None:
    """Results are averaged over all items and each group, whatever their metric."""
    results = [
        {"doc_id": 1, "correct": True, "loss": 0.5},
        {"doc_id": 2, "correct": True, "loss": 0.5},
        {"doc_id": 3, "correct": False, "loss": 2.5},
        {"doc_id": 4, "correct": True, "loss": float("nan"), "note": "x"},
        {"doc_id": 5, "correct": False, "loss": 1.0},
    ]
    groups = rescore(SPLIT, "b", results)
    assert list(groups) == ["correct", "loss"]
    everything, unflagged, possible, strong = groups["correct"]
    assert (everything.name, everything.n, everything.mean) == ("all", 5, 0.6)
    assert (unflagged.n, unflagged.mean) == (2, 0.5)
    assert possible == Group("possible", 1, 0.0, None)
    assert (strong.mean, strong.error) == (1.0, 0.0)
    assert groups["loss"][1] == Group("not found", 1, 1.0, None)


@pytest.mark.parametrize(
    ("split", "name", "results", "why"),
    [
        ({}, "b", [], "not a split"),
        ({"type": TYPE, "benchmarks": [1]}, "b", [], "not a split"),
        ({"type": TYPE, "benchmarks": [{"name": "b", "strong": 1, "possible": []}]}, "b", [], "lacks"),
        (SPLIT, "c", [], "knows no benchmark c"),
        (SPLIT, "b", [{"correct": 1}], "names no item"),
        (SPLIT, "b", [{"id": "1"}, {"id": "1"}], "two results"),
        (SPLIT, "b", [{"id": "test-1", "x": 1}], "look like '1'"),
    ],
)
def test_what_cannot_be_averaged(split: dict[str, Any], name: str, results: list[dict[str, Any]], why: str) -> None:
    """What is no split, or no result of its items, is refused in one sentence rather than averaged."""
    with pytest.raises(FormatError, match=why):
        rescore(split, name, results)


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"[" * 100_000])
def test_files_that_are_no_split(data: bytes) -> None:
    """Other files are refused."""
    with pytest.raises(FormatError):
        read_split(data)
