"""Measures of tables: a recount comes to the same, and so do parts put together."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

pa = pytest.importorskip("pyarrow", reason="tables are read with the extra data")

from hallmarked.corpus.measure.table import Measure  # noqa: E402
from hallmarked.corpus.table.column import to_batch  # noqa: E402
from hallmarked.corpus.table.model import Skipped  # noqa: E402

CELLS = st.one_of(st.none(), st.text("ab ", max_size=6), st.integers(-5, 5))
TABLES = st.lists(st.fixed_dictionaries({}, optional={"a": CELLS, "b": CELLS}), min_size=1, max_size=12)


@given(st.lists(TABLES, min_size=1, max_size=5))
def test_a_recount_comes_to_the_same(parts: list[list[dict[str, object]]]) -> None:
    """Rows, missing values, words and copies are those of a plain count over all rows."""
    measure = Measure()
    measure.take(to_batch(rows) for rows in parts)
    rows = [row for part in parts for row in part]
    assert measure.rows == len(rows)
    there = [{name: value for name, value in row.items() if value is not None} for row in rows]
    texts = Counter(json.dumps(row, sort_keys=True) for row in there)
    if not any(column.kinds["mixed"] for column in measure.columns.values()):
        assert measure.repeats.repeated == len(rows) - len(texts)
    for name, column in measure.columns.items():
        assert column.values == sum(name in row for row in there)
        assert column.values + column.missing == len(rows)
        if not column.kinds["mixed"]:
            words = sum(len(str(row[name]).split()) for row in there if isinstance(row.get(name), str))
            assert column.words == words


@given(st.lists(TABLES, min_size=1, max_size=6), st.integers(0, 6))
def test_parts_together_are_the_whole(parts: list[list[dict[str, object]]], cut: int) -> None:
    """Measuring parts apart and merging them in order is the same as measuring all at once."""
    pieces = [to_batch(rows) for rows in parts]
    whole, first, second = Measure(), Measure(), Measure()
    whole.take(pieces)
    first.take(pieces[:cut])
    second.take(pieces[cut:])
    first.merge(second)
    assert first.dump() == whole.dump()


def test_rows_that_cannot_be_read_keep_their_number() -> None:
    """A row is told of by its number in the file, not in the part."""
    first, second = Measure(), Measure()
    first.take([to_batch([{"a": 1}] * 10), Skipped("broken", 4)])
    second.take([to_batch([{"a": 1}] * 10), Skipped("broken too", 2)])
    first.merge(second)
    assert [place.row for place in first.unread] == [5, 14]
    assert (first.rows, first.skipped) == (20, 2)
