"""Candidates are compared: first by their sketches, then by the texts themselves.

Sketches reject a pair when they agree so little that a similarity at the threshold would do so about once in ten
thousand times, and one at 0.8 never. What is left is read again from the data set, and the Jaccard similarity of the
two sets of shingles decides. As many texts are held at a time as fit into a given number of bytes; the data set is read
again for each lot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from hallmarked.corpus.duplicate.candidate import unpack
from hallmarked.corpus.duplicate.cluster import Forest
from hallmarked.corpus.duplicate.sketch import Settings
from hallmarked.corpus.duplicate.whole import I64, U32, U64, Whole
from hallmarked.corpus.text.shingle import Shingler

ReadTexts: TypeAlias = Callable[[int, I64], Iterator[tuple[I64, Sequence[str]]]]
"""Reads texts again: given the index of a part and rows in it, from 0 and ascending, yields rows and their texts. Rows
that cannot be read any more are left out."""

METHOD = "Jaccard similarity of the sets of shingles, as numbers of 64 bits"
MARGIN = 0.15
"""How much less than the threshold sketches may agree: 3.7 standard errors of 125 numbers at 0.7."""
_ACCIDENT = 1 / 256
"""Share of numbers whose lowest bytes agree although they differ."""
_NUMBER_BYTES = 8


def likely(whole: Whole, pairs: U64, settings: Settings) -> U64:
    """Return the pairs whose sketches do not speak against them."""
    ones, others = unpack(pairs)
    wanted = np.unique(np.concatenate((ones, others)))
    prints = whole.prints(wanted)
    ones, others = np.searchsorted(wanted, ones), np.searchsorted(wanted, others)
    least = settings.threshold - MARGIN
    agreeing = np.concatenate(
        [
            (prints[ones[start : start + _LOT]] == prints[others[start : start + _LOT]]).sum(axis=1)
            for start in range(0, len(pairs), _LOT)
        ]
    )
    return pairs[agreeing >= settings.size * (least + (1 - least) * _ACCIDENT)]


_LOT = 1 << 15


def similarity(one: U64, other: U64) -> float:
    """Return the Jaccard similarity of two sets of shingles, each ascending and without repetitions."""
    if not len(one) or not len(other):
        return 0.0
    both = np.sort(np.concatenate((one, other)), kind="stable")
    shared = int((both[1:] == both[:-1]).sum())
    return shared / (len(both) - shared)


@dataclass(slots=True)
class Verifier:
    """Reads candidates again, and unites rows that are near duplicates."""

    whole: Whole
    read: ReadTexts
    forest: Forest
    settings: Settings
    set_bytes: int
    """Bytes of shingles that are held at a time; two texts at least are."""
    compared: int = 0
    """Pairs whose texts were compared."""
    near: int = 0
    """Those of them that are near duplicates."""
    unread: set[int] = field(default_factory=set)
    """Rows that could not be read again."""

    def verify(self, pairs: U64, rows: U32, counts: U32) -> None:
        """Compare pairs of sketches.

        Args:
            pairs: What to compare.
            rows: The row of each sketch.
            counts: The words of each row, which bound its shingles.
        """
        ones, others = unpack(pairs)
        ones, others = rows[ones].astype(np.int64), rows[others].astype(np.int64)
        order = np.lexsort((others, ones, _components(ones, others)))
        ones, others = ones[order], others[order]
        for start, stop in _lots(ones, others, counts, self.set_bytes):
            self._compare(ones[start:stop], others[start:stop])

    def _compare(self, ones: I64, others: I64) -> None:
        sets = self._sets(np.unique(np.concatenate((ones, others))))
        find, threshold = self.forest.find, self.settings.threshold
        for one, other in zip(ones.tolist(), others.tolist(), strict=True):
            if one not in sets or other not in sets:
                self.unread.update({one, other} - sets.keys())
            elif find(one) != find(other):  # what is together already needs no comparison
                self.compared += 1
                if similarity(sets[one], sets[other]) >= threshold:
                    self.near += 1
                    self.forest.unite(one, other)

    def _sets(self, rows: I64) -> dict[int, U64]:
        shingler = Shingler(self.settings.words, self.settings.seed)
        sets: dict[int, U64] = {}
        for index, wanted in self.whole.by_part(rows):
            start = int(self.whole.starts[index])
            for found, texts in self.read(index, wanted):
                sets.update(zip((found + start).tolist(), shingler.sets(texts), strict=True))
        return sets


def _components(ones: I64, others: I64) -> I64:
    """Number pairs such that those that hang together have the same number, so that a text is seldom read twice."""
    members = np.unique(np.concatenate((ones, others)))
    ones, others = np.searchsorted(members, ones), np.searchsorted(members, others)
    labels = np.arange(len(members))
    while True:  # the smallest number spreads along pairs, and by jumps
        least = np.minimum(labels[ones], labels[others])
        before = labels.copy()
        np.minimum.at(labels, ones, least)
        np.minimum.at(labels, others, least)
        np.minimum.at(labels, before, labels)
        labels = labels[labels]
        if (labels == before).all():
            return labels[ones]


def _lots(ones: I64, others: I64, counts: U32, most_bytes: int) -> Iterator[tuple[int, int]]:
    """Cut pairs into runs whose texts' shingles fit into memory."""
    held: set[int] = set()
    start = size = 0
    for place, pair in enumerate(zip(ones.tolist(), others.tolist(), strict=True)):
        more = sum(int(counts[row]) for row in set(pair) - held) * _NUMBER_BYTES
        if size + more > most_bytes and place > start:
            yield start, place
            held, start = set(), place
            size, more = 0, sum(int(counts[row]) for row in set(pair)) * _NUMBER_BYTES
        held.update(pair)
        size += more
    if start < len(ones):
        yield start, len(ones)
