"""What a written number of parameters covers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.cards.numbers import interval


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("124M", 123_500_000, 124_500_000),
        ("124 million", 123_500_000, 124_500_000),
        ("22.7M", 22_650_000, 22_750_000),
        ("124,439,808", 124_439_808, 124_439_808),
        ("124,000,000", 123_500_000, 124_500_000),
        ("110M", 105_000_000, 119_999_999),
        ("100M", 95_000_000, 109_999_999),
        ("1.5B", 1_450_000_000, 1_599_999_999),
        ("1.50B", 1_495_000_000, 1_505_000_000),
        ("7B", 6_500_000_000, 7_999_999_999),
        ("0.5B", 450_000_000, 599_999_999),
        ("2 trillion", 1_500_000_000_000, 2_999_999_999_999),
        ("66k", 65_500, 66_999),
    ],
)
def test_precision(written: str, low: int, high: int) -> None:
    """Digits say how exact a number is meant; one or two digits may be cut off instead of rounded."""
    assert interval(written) == (low, high)


@pytest.mark.parametrize("written", ["", "many", "M", "1e9", "12 parsecs", ",,", "1" * 60, "-5M", "1.2.3M"])
def test_no_number(written: str) -> None:
    """What is not a number with a multiplier covers nothing."""
    assert interval(written) is None


@given(st.integers(1, 10**15), st.sampled_from(["", "K", "M", "B"]))
def test_a_number_covers_itself(number: int, unit: str) -> None:
    """A written number lies inside of what it covers."""
    factor = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9}[unit]
    covered = interval(f"{number}{unit}")
    assert covered is not None
    assert covered[0] <= number * factor <= covered[1]


@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    """Any text gives an interval or nothing."""
    covered = interval(text)
    assert covered is None or covered[0] <= covered[1]
