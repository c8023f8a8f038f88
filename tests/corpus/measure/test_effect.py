"""Whom something affected more than others is told, and nobody by chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.corpus.measure.effect import effects, newcombe
from hallmarked.corpus.measure.interval import Z


def test_a_dialect_that_is_dropped_three_times_as_often_is_told() -> None:
    """A filter that drops a dialect three times as often as the others stands out, and only the dialect does."""
    counts = {"dialect": (400, 48), "standard": (4_000, 160), "other": (1_000, 40)}
    found = {each.slice: each for each in effects(counts)}
    assert [name for name, each in found.items() if each.is_greater] == ["dialect"]
    assert found["dialect"].times == pytest.approx(3.0)
    low, high = found["dialect"].interval
    assert low < 0.12 < high


def test_few_rows_and_small_differences_are_not_told() -> None:
    """Chance and trifles are no effect: small slices, and shares that hardly differ although the rows are many."""
    assert not any(each.is_greater for each in effects({"a": (10, 9), "b": (1_000, 100)}))
    assert not any(each.is_greater for each in effects({"a": (1_000_000, 52_000), "b": (1_000_000, 50_000)}))
    assert not any(each.is_greater for each in effects({"only": (100, 50)}))


def test_newcombe_gives_the_published_interval() -> None:
    """56 of 70 less 48 of 80 is 0.0524 to 0.3339 by method 10 (Newcombe 1998, table II a)."""
    assert newcombe((56, 70), (48, 80), Z) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(st.dictionaries(st.text(max_size=3), st.tuples(st.integers(0, 500), st.floats(0, 1)), max_size=6))
def test_every_difference_lies_within_its_interval(drawn: dict[str, tuple[int, float]]) -> None:
    """Intervals hold what was seen, and all slices together are all rows."""
    counts = {name: (rows, int(rows * share)) for name, (rows, share) in drawn.items()}
    for each in effects(counts):
        assert each.rows + each.others == sum(rows for rows, _ in counts.values())
        if each.rows and each.others:
            low, high = each.difference
            assert low - 1e-9 <= each.share - each.others_share <= high + 1e-9


def test_impossible_counts_are_refused() -> None:
    """More affected rows than rows is a mistake of the caller."""
    with pytest.raises(ValueError, match="more rows"):
        effects({"a": (1, 2)})
