"""Filters: which rows each removes."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from hallmarked.transforms.dataset.filter import READERS, read_filter
from hallmarked.transforms.dataset.member import parse_toml

ROWS = pa.RecordBatch.from_pylist(
    [
        {"text": "one two three", "score": 1.5, "kind": "a", "meta": {"ok": True}},
        {"text": "Buy now!!!", "score": None, "kind": "b", "meta": {"ok": False}},
        {"text": "x\nx\nx\ny", "score": -2.0, "kind": None, "meta": None},
        {"text": "", "score": float("nan"), "kind": "c", "meta": {"ok": True}},
    ]
)
TEXTS = ROWS.column("text").to_pylist()


def removed(setting: str) -> list[int]:
    """Say which rows a filter removes."""
    table = parse_toml(f"name = 'rule'\n{setting}".encode(), "filter")
    rule = read_filter(table)
    table.problems.refuse("filter")
    assert rule is not None
    return [int(row) for row in rule.removed(ROWS, TEXTS).nonzero()[0]]


@pytest.mark.parametrize(
    ("setting", "rows"),
    [
        ("characters = {least = 8}", [2, 3]),
        ("characters = {most = 8}", [0, 1]),
        ("words = {least = 3, most = 3}", [1, 2, 3]),
        ("repeated-lines = {most = 0.4}", [2]),
        ("repeated-words = {most = 0.4}", [2]),
        ("symbols = {most = 0.2}", [1]),
        ("matches = '(?i)BUY now'", [1]),
        ("lacks = '[a-z]'", [3]),
        ("column = 'score'\nleast = 0", [1, 2, 3]),
        ("column = 'score'\nmost = 0", [0, 1, 3]),
        ("column = 'kind'\none-of = ['a', 'b']", [2, 3]),
        ("column = 'kind'\nnone-of = ['a']", [0]),
        ("column = 'kind'\npresent = true", [2]),
        ("column = 'kind'\npresent = false", [0, 1, 3]),
        ("column = 'meta.ok'\none-of = [true]", [1, 2]),
        ("column = 'meta.ok'\none-of = [1]", [0, 1, 2, 3]),
        ("column = 'missing'\npresent = true", [0, 1, 2, 3]),
    ],
)
def test_rows_that_a_filter_removes(setting: str, rows: list[int]) -> None:
    """Each kind of rule removes what it says, and a row without a value meets no condition."""
    assert removed(setting) == rows


def test_every_kind_is_tried() -> None:
    """No kind of rule is without a test above."""
    tried: Any = test_rows_that_a_filter_removes.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {setting.split(" =")[0] for setting, _ in tried} == set(READERS)
