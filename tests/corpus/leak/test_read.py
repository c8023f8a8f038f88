"""Benchmarks in files."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.core.errors import FormatError
from hallmarked.corpus.leak.item import BenchmarkItem
from hallmarked.corpus.leak.read import read_benchmark
from hallmarked.corpus.leak.recipe import PATH, Recipe, choose_recipe, known_recipes, parse_recipe, values
from tests.support import DATA, MemoryArtifact, needs_data


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def first(*rows: dict[str, Any]) -> tuple[str, BenchmarkItem]:
    benchmark, unused = read_benchmark("b", MemoryArtifact({"test.jsonl": lines(*rows)}))
    assert not unused
    return benchmark.recipe, benchmark.items[0]


@pytest.mark.parametrize(
    ("row", "recipe", "item"),
    [
        ({"question": "Q?", "answer": "A"}, "question-and-answer", BenchmarkItem("1", "Q?", "A")),
        (
            {"question": "Q?", "choices": ["w", "x", "y", "z"], "answer": 2, "subject": "s"},
            "mmlu",
            BenchmarkItem("1", "Q?", "y"),
        ),
        (
            {"id": "m1", "question": "Q?", "choices": {"text": ["x", "y"], "label": ["A", "B"]}, "answerKey": "B"},
            "arc",
            BenchmarkItem("m1", "Q?", "y"),
        ),
        (
            {"id": "m2", "question": {"stem": "Q?", "choices": [{"text": "x", "label": "1"}]}, "answerKey": "1"},
            "arc-original",
            BenchmarkItem("m2", "Q?", "x"),
        ),
        ({"ind": 4, "ctx": "c", "endings": ["p", "q"], "label": "1"}, "hellaswag", BenchmarkItem("4", "c", "q")),
        (
            {"sentence": "s _", "option1": "u", "option2": "v", "answer": "2"},
            "winogrande",
            BenchmarkItem("1", "s _", "v"),
        ),
        ({"goal": "g", "sol1": "u", "sol2": "v", "label": 0}, "piqa", BenchmarkItem("1", "g", "u")),
        ({"question": "q", "passage": "p", "answer": True}, "boolq", BenchmarkItem("1", "p\nq", "yes")),
        (
            {"question": "Q?", "best_answer": "b", "correct_answers": ["b", "c"]},
            "truthfulqa",
            BenchmarkItem("1", "Q?", "b"),
        ),
        (
            {"id": "5", "context": "c", "question": "q", "answers": {"text": ["a", "a"], "answer_start": [1, 2]}},
            "squad",
            BenchmarkItem("5", "c\nq", "a"),
        ),
        ({"Question": "Q?", "A": "u", "B": "v", "C": "w", "D": "x", "Answer": "d"}, "multiple-choice-letters", None),
        ({"something": "a text of some words", "n": 1}, "texts", BenchmarkItem("1", "a text of some words")),
    ],
)
def test_known_recipes(row: dict[str, Any], recipe: str, item: BenchmarkItem | None) -> None:
    """Rows of common benchmarks become items by their columns; other rows by their texts."""
    assert first(row) == (recipe, item or BenchmarkItem("1", "Q?", "x"))


def test_recipes_are_reachable() -> None:
    """No recipe stands behind another one that always fits first, and each fits its own columns."""
    for recipe in known_recipes():
        columns = [*recipe.question, *recipe.answer, *recipe.choices, *([recipe.labels] if recipe.labels else [])]
        assert choose_recipe(columns) == recipe


def test_own_recipe() -> None:
    """A benchmark says itself how to read it, and which of its files."""
    recipe = 'question = ["a", "b.c"]\nanswer = "d"\nid = "n"\nfiles = ["data/one.jsonl"]\nname = "mine"\n'
    contents = {
        PATH: recipe,
        "data/one.jsonl": lines({"a": "x", "b": [{"c": "y"}, {"c": "z"}], "d": 7, "n": "i1"}),
        "data/two.jsonl": lines({"a": "other"}),
    }
    benchmark, unused = read_benchmark("b", MemoryArtifact(contents))
    assert (benchmark.items, benchmark.recipe, unused) == ([BenchmarkItem("i1", "x\ny\nz", "7")], "mine", [])


@pytest.mark.parametrize(
    "recipe",
    [
        "",
        "question = 1",
        'question = "a"\nfirst = 12',
        'question = "a"\nother = 1',
        "question = [",
        b"\xff",
        "a" * 70_000,
    ],
)
def test_recipes_that_are_none(recipe: str | bytes) -> None:
    """A recipe that cannot be understood is refused, with all that is wrong."""
    with pytest.raises(FormatError, match=PATH):
        parse_recipe(recipe if isinstance(recipe, bytes) else recipe.encode())


def test_files_that_are_missing() -> None:
    """A recipe that names a file that is not there is refused, and so is a benchmark without items."""
    with pytest.raises(FormatError, match="nine"):
        read_benchmark(
            "b", MemoryArtifact({PATH: 'question = "a"\nfiles = "nine.jsonl"', "x.jsonl": lines({"a": "b"})})
        )
    for contents in ({"x.bin": "1"}, {"x.jsonl": ""}, {"x.jsonl": "not json\n"}, {"x.parquet": "PAR1"}):
        with pytest.raises(FormatError, match="no items"):
            read_benchmark("b", MemoryArtifact(contents))


def test_training_split() -> None:
    """Files of a training split are left out when there are others; items of several files say where they stand."""
    files = {
        name: lines({"question": f"from {name}", "answer": "a"})
        for name in ("train.jsonl", "test/a.jsonl", "dev.jsonl")
    }
    benchmark, _ = read_benchmark("b", MemoryArtifact(files))
    assert [item.id for item in benchmark.items] == ["dev.jsonl:1", "test/a.jsonl:1"]
    alone, _ = read_benchmark("b", MemoryArtifact({"train.jsonl": files["train.jsonl"]}))
    assert len(alone.items) == 1


def test_rows_that_cannot_be_read() -> None:
    """Broken rows are told of, keep their number, and equal names are told apart."""
    text = lines({"task_id": "t", "prompt": "p", "canonical_solution": "s"})
    benchmark, unused = read_benchmark("b", MemoryArtifact({"x.jsonl": f"{text}{{\n{text}"}))
    assert [item.id for item in benchmark.items] == ["t", "t (2)"]
    assert len(unused) == 1


def test_parquet() -> None:
    """Lists and objects of Parquet files are read as those of JSON."""
    rows = [{"question": "Q?", "choices": {"text": ["x", "y"], "label": ["A", "B"]}, "answerKey": "A", "id": "1"}]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    benchmark, _ = read_benchmark("b", MemoryArtifact({"x.parquet": sink.getvalue()}))
    assert benchmark.items == [BenchmarkItem("1", "Q?", "x")]


def test_values() -> None:
    """Values are found whatever the case of their names; nulls are none."""
    assert values({"A": [{"b": 1}, {"B": None}, {"b": [2, 3]}]}, "a.b") == [1, 2, 3]
    assert values("text", "a") == []
    assert Recipe("r", ("q",), ("a",), ("c",)).item({"q": "Q", "a": "Z", "c": ["x"]}, "9") == BenchmarkItem(
        "9", "Q", "Z"
    )


@needs_data
@pytest.mark.parametrize(
    ("path", "recipe", "items", "answered"),
    [
        ("gsm8k", "question-and-answer", 1319, 1319),
        ("humaneval", "humaneval", 164, 164),
        ("bbq", "bbq", 1200, 1200),
        ("crows-pairs", "crows-pairs", 100, 100),
    ],
)
def test_real_benchmarks(path: str, recipe: str, items: int, answered: int) -> None:
    """Real benchmarks are read as they are, item by item, each with a name of its own."""
    benchmark, unused = read_benchmark(path, LocalArtifact(DATA / "benchmarks" / path))
    assert (benchmark.recipe, len(benchmark.items), unused) == (recipe, items, [])
    assert sum(bool(item.answer) for item in benchmark.items) == answered
    assert len({item.id for item in benchmark.items}) == items
