"""Rows with equal digests, however many rows there are: taken range by range of the digests."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hallmarked.corpus.duplicate.whole import U32, U64, Whole, halves

RANGE_ROWS = 1 << 22
"""Rows that are sorted at once, about 60 bytes each."""
_BITS = 64


def keys_of(whole: Whole) -> U64:
    """Return the first eight bytes of each text's digest: what rows are put in order by, wherever they stand."""
    keys = np.zeros(whole.rows, np.uint64)
    for start, digests in whole.digests("raw"):
        keys[start : start + len(digests)] = halves(digests)[0]
    return keys


def equal_rows(whole: Whole, column: str, keys: U64, counts: U32) -> Iterator[tuple[U32, U32]]:
    """Yield, range by range, the rows that have words, those of equal digests together, and where groups begin.

    Within a group rows stand in the order of their keys, rows of the same key in that of their places. The two arrays
    are the rows and the first of the group of each.
    """
    ranges = max(1, -(-whole.rows // RANGE_ROWS))
    width = -(-(1 << _BITS) // ranges)
    for number in range(ranges):
        low = np.uint64(number * width)
        high = np.uint64(min((number + 1) * width, 1 << _BITS) - 1)
        rows, first, second = _in_range(whole, column, low, high)
        there = counts[rows] > 0
        rows, first, second = rows[there], first[there], second[there]
        order = np.lexsort((rows, keys[rows], second, first))
        rows, first, second = rows[order], first[order], second[order]
        begins = np.ones(len(rows), bool)
        begins[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
        yield rows, rows[begins][np.cumsum(begins) - 1] if len(rows) else rows


def _in_range(whole: Whole, column: str, low: np.uint64, high: np.uint64) -> tuple[U32, U64, U64]:
    rows, firsts, seconds = [np.zeros(0, np.uint32)], [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    for start, digests in whole.digests(column):
        first, second = halves(digests)
        chosen = np.flatnonzero((first >= low) & (first <= high))
        rows.append((chosen + start).astype(np.uint32))
        firsts.append(first[chosen])
        seconds.append(second[chosen])
    return np.concatenate(rows), np.concatenate(firsts), np.concatenate(seconds)
