"""How numbers spread: sums are exact, quantiles are as near as is said, and no partition makes a difference."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

np = pytest.importorskip("numpy")
pytest.importorskip("pyarrow", reason="tables are read with the extra data")

from hallmarked.corpus.measure import spread as module  # noqa: E402
from hallmarked.corpus.measure.spread import Spread  # noqa: E402

NUMBERS = st.lists(st.one_of(st.floats(allow_nan=True), st.integers(-(2**40), 2**40).map(float)), max_size=40)


def measured(values: list[float]) -> Spread:
    found = Spread()
    found.add_array(np.array(values, np.float64))
    return found


@given(NUMBERS, st.integers(0, 40), st.integers(0, 40))
def test_no_partition_makes_a_difference(values: list[float], one: int, two: int) -> None:
    """Parts put together in order are the whole, to the last bit, also after they were written and read."""
    cuts = sorted((one, two))
    parts = [values[: cuts[0]], values[cuts[0] : cuts[1]], values[cuts[1] :]]
    together = Spread()
    for part in parts:
        together.merge(Spread.from_json(measured(part).to_json()))
    assert together == measured(values)


@given(NUMBERS)
def test_a_recount_comes_to_the_same(values: list[float]) -> None:
    """The mean is that of exact fractions; a quantile is below the true one by less than 1/128 of it."""
    found = measured(values)
    finite = sorted(value for value in values if np.isfinite(value))
    assert found.count == len(finite)
    if not finite:
        assert found.mean is found.quantile(0.5) is None
        return
    assert found.mean == float(sum(map(Fraction, finite)) / len(finite))
    for share in (0.0, 0.25, 0.5, 0.95, 1.0):
        true = finite[max(1, ceil(Fraction(share).limit_denominator(100) * len(finite))) - 1]
        told = found.quantile(share)
        assert told is not None
        assert abs(told) <= abs(true) or told == finite[0]
        assert abs(true - told) <= abs(true) / 128 + 1e-300


@given(st.lists(st.integers(0, 255), min_size=1, max_size=60))
def test_small_whole_numbers_are_exact(values: list[int]) -> None:
    """Quantiles and ranges of whole numbers below 256 are those of a plain count."""
    found = measured(list(map(float, values)))
    ranked = sorted(values)
    for share in (0.05, 0.5, 0.95):
        assert found.quantile(share) == ranked[max(1, ceil(Fraction(share).limit_denominator(100) * len(ranked))) - 1]
    for start, stop, count in found.ranges():
        assert count == sum(start <= value < stop for value in values)
    assert sum(count for *_, count in found.ranges()) == len(values)


@given(st.lists(st.integers(0, 10**6).map(float), max_size=60), st.integers(0, 60))
def test_precision_is_given_up_the_same_way(values: list[float], cut: int) -> None:
    """When there are too many buckets, what is left is the same for every partition, and within the bound."""
    patch = pytest.MonkeyPatch()
    with patch.context() as patched:
        patched.setattr(module, "MOST_BUCKETS", 8)
        whole, first = measured(values), measured(values[:cut])
        first.merge(measured(values[cut:]))
    assert first == whole
    assert len(whole.buckets) <= 8
    assert whole.buckets.total() == len(values)
