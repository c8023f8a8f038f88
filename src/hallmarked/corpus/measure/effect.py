"""Whom something affected: a filter that drops rows, a search that redacts them.

Each slice is compared with all others together. The shares have Wilson's intervals, their difference Newcombe's (R. G.
Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine 17 (1998),
method 10), widened by Bonferroni's correction, so that among many slices none stands out by chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from hallmarked.corpus.measure.interval import wilson

LEAST_ROWS = 20
"""Rows from which a slice is judged; fewer say too little, and may point to a person."""
OFTENER = 1.25
"""Times as often as the others from which a slice is affected more: the four-fifths rule (29 CFR 1607.4 D), upside
down."""
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Effect:
    """What happened to the rows of one slice."""

    slice: str
    rows: int
    affected: int
    others: int
    """Rows of all other slices."""
    others_affected: int
    difference: tuple[float, float]
    """Interval of the difference of the shares, this slice's less the others'."""

    @property
    def share(self) -> float:
        """The share of its rows that was affected."""
        return self.affected / self.rows if self.rows else 0.0

    @property
    def others_share(self) -> float:
        """The share of the others' rows."""
        return self.others_affected / self.others if self.others else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share."""
        return wilson(self.affected, self.rows)

    @property
    def times(self) -> float:
        """How many times as often as the others it was affected; infinite when they were not at all."""
        if self.others_share:
            return self.share / self.others_share
        return float("inf") if self.affected else 1.0

    @property
    def is_greater(self) -> bool:
        """Whether it was affected more than the others, beyond chance and by more than a little."""
        enough = self.rows >= LEAST_ROWS and self.others >= LEAST_ROWS
        return enough and self.difference[0] > 0 and self.times >= OFTENER


def effects(counts: Mapping[str, tuple[int, int]]) -> list[Effect]:
    """Compare slices.

    Args:
        counts: For each slice its rows and how many of them were affected.

    Returns:
        One effect per slice, by name.

    Raises:
        ValueError: When more rows of a slice were affected than there are.
    """
    if any(not 0 <= affected <= rows for rows, affected in counts.values()):
        raise ValueError("more rows of a slice were affected than there are")
    rows, affected = sum(n for n, _ in counts.values()), sum(k for _, k in counts.values())
    z = NormalDist().inv_cdf(1 - (1 - _CONFIDENCE) / (2 * max(1, len(counts))))
    found = []
    for name, (n, k) in sorted(counts.items()):
        others = (affected - k, rows - n)
        found.append(Effect(name, n, k, others[1], others[0], newcombe((k, n), others, z)))
    return found


def newcombe(first: tuple[int, int], second: tuple[int, int], z: float) -> tuple[float, float]:
    """Return the interval of the difference of two shares, each given as a count and of how many.

    It is from -1 to 1 when one of them is of nothing.
    """
    if not first[1] or not second[1]:
        return -1.0, 1.0
    one, other = first[0] / first[1], second[0] / second[1]
    (low, high), (below, above) = wilson(*first, z), wilson(*second, z)
    difference = one - other
    return (
        difference - sqrt((one - low) ** 2 + (above - other) ** 2),
        difference + sqrt((high - one) ** 2 + (other - below) ** 2),
    )
