"""Slices and labels: counted together, merged, and how much more often they meet than chance has it."""

from __future__ import annotations

from collections import Counter
from math import isclose, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pyarrow", reason="tables are read with the extra data")

from hallmarked.corpus.measure.cross import MOST_SLICES, Cross, npmi
from hallmarked.corpus.measure.interval import wilson
from hallmarked.corpus.table.column import to_batch

ROWS = st.lists(
    st.fixed_dictionaries(
        {}, optional={"g": st.sampled_from(["a", "b", "", None]), "l": st.sampled_from([1, 2, None])}
    ),
    min_size=1,
    max_size=30,
)


def measured(rows: list[dict[str, object]]) -> Cross:
    found = Cross()
    if rows:
        found.add(to_batch(rows), "g", "l")
    return found


@given(ROWS, st.integers(0, 30))
def test_a_recount_comes_to_the_same(rows: list[dict[str, object]], cut: int) -> None:
    """Rows of slices, and of slices and labels, are those of a plain count, however the rows were divided."""
    found = measured(rows[:cut])
    found.merge(Cross.from_json(measured(rows[cut:]).to_json()))
    assert found == measured(rows)
    assert found.rows == Counter(row["g"] for row in rows if row.get("g"))
    assert found.missing == sum(not row.get("g") for row in rows)
    assert found.pairs == Counter((row["g"], str(row["l"])) for row in rows if row.get("g") and row.get("l"))


def test_too_many_slices_are_none() -> None:
    """A column of names is no column of groups; nothing is kept of it."""
    found = measured([{"g": f"name {n}", "l": 1} for n in range(MOST_SLICES + 1)])
    assert found.rows is None
    assert measured([{"g": "x" * 100, "l": 1}]).rows is None


def test_npmi() -> None:
    """Never together is -1, as chance has it 0, always together 1, and between it is the formula."""
    assert npmi(0, 10, 10, 100) == -1
    assert npmi(25, 50, 50, 100) == 0
    assert npmi(10, 10, 10, 100) == 1
    assert npmi(1, 0, 10, 100) is None
    value = npmi(20, 40, 30, 100)
    assert value is not None
    assert isclose(value, log(0.2 / (0.4 * 0.3)) / -log(0.2))


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_holds_the_share(count: int, n: int) -> None:
    """An interval lies between 0 and 1 and around the share; its ends solve the equation they are made from."""
    count = min(count, n)
    low, high = wilson(count, n)
    assert 0 <= low <= count / n <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert isclose(
                (count / n - end) ** 2, 1.959963984540054**2 * end * (1 - end) / n, rel_tol=1e-6, abs_tol=1e-12
            )
