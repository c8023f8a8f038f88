"""Pairs of texts that may be near duplicates: those whose sketches agree in a whole band.

Locality-sensitive hashing with bands (Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", section 3.4). A
band is read range by range of its numbers, so that memory does not grow with the rows. Of texts that share a number in
a band (a bucket) all pairs are taken while they are few. Where they are many, as with texts made from one template, the
bucket is split by the next band; each text is then compared with all of a small piece, with the first texts of a large
one, and with the first texts of the bucket. The first are those of the smallest digests, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hallmarked.corpus.duplicate.whole import I64, U32, U64, Whole

RANGE_SKETCHES = 1 << 21
"""Sketches of a band that are sorted at once, about 60 bytes each."""
BUCKET = 16
"""Texts of a bucket of which all pairs are taken."""
FIRST = 4
"""Texts of a larger bucket with which the others are compared."""
_ROW = np.uint64(32)


class Candidates:
    """Finds pairs of sketches."""

    def __init__(self, whole: Whole, rows: U32, leading: I64, keys: U64) -> None:
        """Take what to look through.

        Args:
            whole: All rows.
            rows: The row of every sketch.
            leading: Sketches to compare, ascending: one of each group of rows with the same words.
            keys: Puts rows in order.
        """
        self._whole = whole
        self._rows = rows
        self._keys = keys
        self._leads = np.zeros(len(rows), bool)
        self._leads[leading] = True
        self._ranges = max(1, -(-len(leading) // RANGE_SKETCHES))

    def pairs(self, band: int) -> Iterator[U64]:
        """Yield the pairs that agree in a band, see :func:`unpack`; a pair may come twice."""
        width = -(-(1 << 32) // self._ranges)
        for number in range(self._ranges):
            values, sketches = _shared(*self._in_range(band, number * width, (number + 1) * width - 1))
            if len(values):
                yield from self._of_buckets(band, values.astype(np.uint64), sketches)

    def _in_range(self, band: int, low: int, high: int) -> tuple[U32, I64]:
        values, sketches = [np.zeros(0, np.uint32)], [np.zeros(0, np.int64)]
        for start, numbers in self._whole.band(band):
            chosen = self._leads[start : start + len(numbers)].copy()
            if self._ranges > 1:
                chosen &= (numbers >= low) & (numbers <= min(high, 0xFFFFFFFF))
            places = np.flatnonzero(chosen)
            values.append(numbers[places])
            sketches.append(places + start)
        return np.concatenate(values), np.concatenate(sketches)

    def _of_buckets(self, band: int, values: U64, sketches: I64) -> Iterator[U64]:
        values, sketches, starts, sizes = self._sorted(values, sketches)
        small = sizes <= BUCKET
        yield from _all_pairs(sketches[small], starts[small])
        yield from _with_first(sketches, starts, ~small)
        if small.all():
            return
        ascending = np.sort(sketches[~small])
        following = self._whole.band_of((band + 1) % self._whole.states[0].settings.bands, ascending)
        finer = (values[~small] << _ROW) | following[np.searchsorted(ascending, sketches[~small])]
        _, sketches, starts, sizes = self._sorted(finer, sketches[~small])
        small = sizes <= BUCKET
        yield from _all_pairs(sketches[small], starts[small])
        yield from _with_first(sketches, starts, ~small)

    def _sorted(self, values: U64, sketches: I64) -> tuple[U64, I64, I64, I64]:
        """Put buckets together, each in the order of its texts' keys.

        Returns:
            Values and sketches in that order, and of each the place where its bucket starts and how many are in it.
        """
        rows = self._rows[sketches]
        order = np.lexsort((rows, self._keys[rows], values))
        values, sketches = values[order], sketches[order]
        begins = np.flatnonzero(np.concatenate((np.ones(1, bool), values[1:] != values[:-1])))
        sizes = np.diff(begins, append=len(values))
        return values, sketches, np.repeat(begins, sizes), np.repeat(sizes, sizes)


def _shared(values: U32, sketches: I64) -> tuple[U32, I64]:
    """Leave out values that stand alone."""
    order = np.argsort(values, kind="stable")
    values, sketches = values[order], sketches[order]
    same = np.zeros(len(values) + 1, bool)
    same[1:-1] = values[1:] == values[:-1]
    kept = same[1:] | same[:-1]
    return values[kept], sketches[kept]


def _all_pairs(sketches: I64, starts: I64) -> Iterator[U64]:
    for distance in range(1, BUCKET):
        together = (
            np.flatnonzero(starts[distance:] == starts[:-distance]) if len(starts) > distance else np.zeros(0, int)
        )
        if not len(together):
            return
        yield pack(sketches[together], sketches[together + distance])


def _with_first(sketches: I64, starts: I64, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Iterator[U64]:
    places = np.flatnonzero(chosen)
    for number in range(FIRST):
        first = starts[places] + number
        later = first < places
        if later.any():
            yield pack(sketches[first[later]], sketches[places[later]])


def pack(ones: I64, others: I64) -> U64:
    """Write pairs as one number each, the smaller member first."""
    low, high = np.minimum(ones, others).astype(np.uint64), np.maximum(ones, others).astype(np.uint64)
    return (low << _ROW) | high


def unpack(pairs: U64) -> tuple[I64, I64]:
    """Return the two members of each pair."""
    return (pairs >> _ROW).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
