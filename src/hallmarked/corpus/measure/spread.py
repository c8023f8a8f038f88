"""How numbers spread: how many, their sum, ends and quantiles, the same however the numbers were put together.

The sum is exact: a double is a whole number of units of 2^-1126, and whole numbers add up the same in any order. For
quantiles numbers are counted by their first eight significant bits, so that whole numbers below 256 are told exactly
and others at most 1/128 too near to zero.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

MOST_BUCKETS = 4_096
"""Different counts that are kept; when there would be more, bits of precision are given up."""
_UNIT = 1126
"""Sums are in units of two to the minus this: the last bit of the smallest double, with 53 bits in front."""
_KEPT = 45
"""Low bits of a double that do not count: what is left are sign, exponent and seven bits behind the first."""
_MAGNITUDE = np.int64(0x7FFF_FFFF_FFFF_FFFF)


@dataclass(slots=True)
class Spread:
    """What is known of some numbers."""

    count: int = 0
    total: int = 0
    """Their exact sum, in units of 2^-1126."""
    least: float | None = None
    greatest: float | None = None
    buckets: Counter[int] = field(default_factory=Counter)
    """How many numbers begin with which bits; negative for negative numbers."""
    coarse: int = 0
    """Bits of precision that were given up."""

    def add(self, values: pa.Array) -> None:
        """Take numbers without nulls; infinite ones and those that are none are left out."""
        self.add_array(np.asarray(values.cast(pa.float64(), safe=False)))

    def add_array(self, values: npt.NDArray[np.float64]) -> None:
        """Take numbers, as :meth:`add` does."""
        values = values[np.isfinite(values)]
        if not len(values):
            return
        bits = values.view(np.int64) & _MAGNITUDE
        keys = np.where(values < 0, -(bits >> (_KEPT + self.coarse)), bits >> (_KEPT + self.coarse))
        found, counts = np.unique(keys, return_counts=True)
        buckets = Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))
        least, greatest = float(values.min()), float(values.max())
        self.merge(Spread(len(values), exact_sum(values), least, greatest, buckets, self.coarse))

    def merge(self, other: Spread) -> None:
        """Take what is known of other numbers."""
        self.count += other.count
        self.total += other.total
        ends = [end for end in (self.least, self.greatest, other.least, other.greatest) if end is not None]
        if ends:
            self.least, self.greatest = min(ends), max(ends)
        coarse = max(self.coarse, other.coarse)
        self.buckets = _coarser(self.buckets, coarse - self.coarse) + _coarser(other.buckets, coarse - other.coarse)
        while len(self.buckets) > MOST_BUCKETS:
            self.buckets = _coarser(self.buckets, 1)
            coarse += 1
        self.coarse = coarse

    @property
    def mean(self) -> float | None:
        """The mean, correct to the last digit; None of no numbers."""
        return float(Fraction(self.total, self.count << _UNIT)) if self.count else None

    @property
    def whole(self) -> int:
        """The sum, when all of them are whole numbers."""
        return self.total >> _UNIT

    def quantile(self, share: float) -> float | None:
        """Return the least number that at least this share of all numbers does not exceed; None of no numbers."""
        if not self.count or self.least is None or self.greatest is None:
            return None
        rank = max(1, ceil(Fraction(share).limit_denominator(1_000_000) * self.count))
        for key in sorted(self.buckets):
            rank -= self.buckets[key]
            if rank <= 0:
                return min(max(self._value(key), self.least), self.greatest)
        return self.greatest

    def ranges(self) -> list[tuple[float, float, int]]:
        """Count the numbers that are 0 or more between powers of two: from, up to below, how many; empty ends left out.

        Counts are exact, since no bucket reaches over a power of two.
        """
        found: Counter[int] = Counter()
        for key, count in self.buckets.items():
            value = self._value(key)
            if value >= 0:
                found[max(0, int(np.frexp(value)[1]))] += count
        if not found:
            return []
        powers = range(min(found), max(found) + 1)
        return [(0.0 if power == 0 else 2.0 ** (power - 1), 2.0**power, found[power]) for power in powers]

    def _value(self, key: int) -> float:
        magnitude = float(np.int64(abs(key) << (_KEPT + self.coarse)).view(np.float64))
        return -magnitude if key < 0 else magnitude

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {
            "count": self.count,
            "total": hex(self.total),
            "ends": [self.least, self.greatest],
            "coarse": self.coarse,
            "buckets": sorted(self.buckets.items()),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Spread:
        """Read what :meth:`to_json` wrote."""
        least, greatest = data["ends"]
        buckets = Counter({int(key): int(count) for key, count in data["buckets"]})
        return cls(data["count"], int(data["total"], 16), least, greatest, buckets, data["coarse"])


def exact_sum(values: npt.NDArray[np.float64]) -> int:
    """Add finite numbers exactly; the sum is in units of 2^-1126."""
    mantissas, exponents = np.frexp(values)
    whole = np.ldexp(mantissas, 53).astype(np.int64)
    order = np.argsort(exponents, kind="stable")
    whole, exponents = whole[order], exponents[order]
    starts = np.flatnonzero(np.diff(exponents, prepend=exponents[0] - 1))
    high, low = np.add.reduceat(whole >> 26, starts), np.add.reduceat(whole & ((1 << 26) - 1), starts)
    shifts = (exponents[starts] - 53 + _UNIT).tolist()
    return sum(((h << 26) + lo) << s for h, lo, s in zip(high.tolist(), low.tolist(), shifts, strict=True))


def _coarser(buckets: Counter[int], bits: int) -> Counter[int]:
    if not bits:
        return buckets
    found: Counter[int] = Counter()
    for key, count in buckets.items():
        found[-(-key >> bits) if key < 0 else key >> bits] += count
    return found
