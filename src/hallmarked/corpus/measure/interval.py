"""Intervals of shares."""

from __future__ import annotations

from math import sqrt

Z = 1.959963984540054
"""Of the normal distribution, for 95 %."""


def wilson(count: int, n: int, z: float = Z) -> tuple[float, float]:
    """Return the interval of a share of which ``count`` of ``n`` were seen, of 95 % unless another ``z`` is given.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). It says how
    far a count would vary if the rows were drawn from something larger; the share of the rows themselves is exact.
    """
    if n <= 0:
        return 0.0, 1.0
    share, square = count / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * sqrt(share * (1 - share) / n + square / (4 * n * n))
    return (0.0 if count == 0 else max(0.0, middle - half)), (1.0 if count == n else min(1.0, middle + half))


def share_interval(count: int, n: int) -> tuple[str, str]:
    """Write :func:`wilson` as decimal text."""
    low, high = wilson(count, n)
    return f"{low:.6f}", f"{high:.6f}"
