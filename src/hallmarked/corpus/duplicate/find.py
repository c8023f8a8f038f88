"""Duplicates among the rows of a data set, from what was kept of its parts.

Memory, in bytes, besides the interpreter and one batch of rows (about 250 MiB)::

    20 x rows + 4 x sketches                                         what stays
    + max(60 x min(rows, RANGE_ROWS), 60 x min(sketches, RANGE_SKETCHES) + 40 x pairs + 250 x pairs, sets)

where ``pairs`` and ``sets`` are those of :class:`Limits`: texts themselves are held only while two are compared. After
that, passages take 50 bytes each for at most ``passage.MOST_PASSAGES`` (400 MiB).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hallmarked.core.errors import LimitExceeded
from hallmarked.corpus.duplicate.candidate import Candidates, unpack
from hallmarked.corpus.duplicate.cluster import Forest
from hallmarked.corpus.duplicate.group import equal_rows, keys_of
from hallmarked.corpus.duplicate.sketch import Settings
from hallmarked.corpus.duplicate.state import NEAR, SAME, WORDS, State
from hallmarked.corpus.duplicate.verify import ReadTexts, Verifier, likely
from hallmarked.corpus.duplicate.whole import U32, U64, Whole


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is held at a time."""

    rows: int = 60_000_000
    """Rows that can be compared with each other."""
    pairs: int = 1 << 19
    """Candidates."""
    sets: int = 256 << 20
    """Bytes of shingles of texts that are compared."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Which rows are duplicates. Rows are numbered from 0 over all parts."""

    kept: U32
    """Per row the one that is kept of its cluster; a row that is no duplicate, or has no words, is its own."""
    reasons: npt.NDArray[np.uint8]
    """Per row why it is a duplicate; 0 when it is kept."""
    texts: int
    """Rows that have words."""
    same: int
    """Rows whose text stands in a row before them."""
    alike: int
    """Those and the rows whose words, but not their text, do."""
    compared: int
    """Pairs of texts that were compared."""
    near: int
    """Pairs of them that are near duplicates; pairs that other pairs had brought together are not among them."""
    unread: int
    """Rows that could not be read again."""

    @property
    def removed(self) -> int:
        """How many rows are not kept."""
        return int(np.count_nonzero(self.reasons))

    def clusters(self) -> tuple[int, int]:
        """Return how many clusters of two rows or more there are, and the rows of the largest."""
        _, counts = np.unique(self.kept[self.reasons > 0], return_counts=True)
        return len(counts), int(counts.max()) + 1 if len(counts) else min(1, self.texts)

    def bytes_of(self, whole: Whole) -> tuple[int, int]:
        """Return the bytes of the texts that are not kept, and of all texts that have words."""
        sizes, counts = whole.sizes(), whole.counts()
        return int(sizes[self.reasons > 0].sum(dtype=np.int64)), int(sizes[counts > 0].sum(dtype=np.int64))

    def examples(self, reasons: Sequence[int], most: int) -> list[tuple[int, int]]:
        """Return rows that are not kept for some reasons, the first of each cluster, and the row kept instead."""
        rows = np.flatnonzero(np.isin(self.reasons, reasons))
        _, first = np.unique(self.kept[rows], return_index=True)
        return [(row, int(self.kept[row])) for row in rows[np.sort(first)[:most]].tolist()]

    def twin(self, row: int, among: npt.NDArray[np.bool_]) -> int:
        """Return the first row of the same cluster among some."""
        return int(np.flatnonzero((self.kept == self.kept[row]) & among)[0])


def find_duplicates(
    states: Sequence[State],
    read: ReadTexts,
    settings: Settings | None = None,
    limits: Limits | None = None,
) -> Duplicates:
    """Find the rows that are duplicates, and which of each cluster is kept.

    The clusters are the same however rows are spread over parts and in whatever order; ``cluster`` says what is kept.

    Args:
        states: What was kept of each part, in the order of the parts. How deep they go says what is looked for.
        read: Reads texts of a part again.
        settings: Those with which the states were made.
        limits: What may be held in memory.

    Raises:
        LimitExceeded: When there are more rows than can be compared.
        FormatError: When a state is damaged.
    """
    settings, limits = settings or Settings(), limits or Limits()
    whole = Whole.of(states)
    if whole.rows > limits.rows:
        raise LimitExceeded(f"{whole.rows:,} rows are more than the {limits.rows:,} that can be compared")
    counts = whole.counts()
    keys = keys_of(whole)
    forest = Forest.of(keys)
    distinct = sum(int((rows == first).sum()) for rows, first in equal_rows(whole, "raw", keys, counts))
    for rows, first in equal_rows(whole, "folded", keys, counts):
        forest.hang(rows, first)
    texts = int(np.count_nonzero(counts))
    alike = int((forest.parents != np.arange(whole.rows, dtype=np.uint32)).sum())
    words = forest.parents.copy()
    verifier = Verifier(whole, read, forest, settings, limits.sets)
    if whole.sketches:
        _join_near(whole, verifier, counts, limits)
    kept = forest.flatten()
    return Duplicates(
        kept,
        _reasons(kept, words, keys),
        texts,
        texts - distinct,
        alike,
        verifier.compared,
        verifier.near,
        len(verifier.unread),
    )


def _join_near(whole: Whole, verifier: Verifier, counts: U32, limits: Limits) -> None:
    """Compare what may be near duplicates, band by band."""
    forest, settings = verifier.forest, verifier.settings
    rows = whole.sketched()
    leading = np.flatnonzero((forest.parents[rows] == rows) & (counts[rows] > 0))
    candidates = Candidates(whole, rows, leading, forest.keys)
    left = np.zeros(0, np.uint64)
    for band in range(settings.bands):
        for pairs in _lots(candidates.pairs(band), limits.pairs):
            ones, others = unpack(pairs)
            roots = forest.flatten()
            apart = pairs[roots[rows[ones]] != roots[rows[others]]]
            if len(apart):
                left = np.union1d(left, likely(whole, apart, settings))
            if len(left) >= limits.pairs:
                verifier.verify(left, rows, counts)
                left = left[:0]
    if len(left):
        verifier.verify(left, rows, counts)


def _lots(arrays: Iterator[U64], most: int) -> Iterator[U64]:
    """Put pairs together to lots of about ``most``, without repetitions."""
    waiting: list[U64] = []
    size = 0
    for array in arrays:
        for start in range(0, len(array), most):
            waiting.append(array[start : start + most])
            size += len(waiting[-1])
            if size >= most:
                yield np.unique(np.concatenate(waiting))
                waiting, size = [], 0
    if waiting:
        yield np.unique(np.concatenate(waiting))


def _reasons(kept: U32, words: U32, keys: U64) -> npt.NDArray[np.uint8]:
    rows = np.arange(len(kept), dtype=np.uint32)
    reasons = np.full(len(kept), NEAR, np.uint8)
    reasons[words == kept] = WORDS
    reasons[keys == keys[kept]] = SAME
    reasons[rows == kept] = 0
    return reasons
