"""Passages: runs of words that return, word for word, in several texts that are no duplicates of each other.

Names that stand in several texts (see ``name``) lead to the texts that are read again, and there to the passages
themselves, which are compared by numbers of 64 bits made of all their words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hallmarked.core.errors import LimitExceeded
from hallmarked.corpus.duplicate.name import LENGTH, Passages, passages_of
from hallmarked.corpus.duplicate.sketch import Settings
from hallmarked.corpus.duplicate.verify import ReadTexts
from hallmarked.corpus.duplicate.whole import I64, U32, U64, Whole
from hallmarked.corpus.text.normal import BLOCK_BYTES
from hallmarked.corpus.text.shingle import Shingler, mix

RANGE_NAMES = 1 << 22
"""Names that are sorted at once, about 40 bytes each."""
MOST_NAMES = 1 << 22
"""Names that stand in several texts and are followed; of more, a part is, chosen by their numbers."""
MOST_PASSAGES = 1 << 23
"""Passages that are held and compared, about 50 bytes each; of more, a part is, chosen by their numbers."""
_BITS = 64
_FAR = 4
"""Half of too many numbers is about half; when less than this part is left, a few numbers come too often."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Repeated:
    """What is known of passages that return in several texts."""

    passages: int
    """All passages of the texts that were compared."""
    returning: int
    """Those of them that stand in another text too; estimated when a part was compared."""
    words: int
    """Words of the texts that were compared."""
    covered: int | None
    """Words that are in returning passages; None when only a part of the passages was compared."""
    part: float
    """Which part of the passages was compared, chosen by their numbers."""
    longest: tuple[int, int, int] | None
    """The longest run of words of which every passage returns: words, row, first word from 0."""
    frequent: tuple[int, int, int] | None
    """The passage in most texts: texts, the first row, first word from 0."""
    unread: int
    """Rows that could not be read again."""


@dataclass(frozen=True, slots=True)
class _Names:
    """Names that stand in several rows."""

    values: U64
    """Ascending."""
    rows: I64
    """The rows in which they stand, ascending."""
    part: float
    """Which part of the names these are."""


@dataclass(slots=True)
class _Sample:
    """Numbers of which only so many are kept: those below a limit that sinks when there are too many.

    Which are kept at the end depends on the numbers alone, not on the order in which they came.
    """

    most: int
    halvings: int = 0

    @property
    def part(self) -> float:
        """Which part of all numbers is kept."""
        return 0.5**self.halvings

    def chosen(self, numbers: U64) -> Mask:
        """Say which numbers are kept."""
        return (numbers >> np.uint64(_BITS - self.halvings)) == 0 if self.halvings else np.ones(len(numbers), bool)

    def shrink(self, numbers: U64) -> Mask:
        """Lower the limit until few enough are left, and say which.

        Raises:
            LimitExceeded: When a few numbers come so often that no part of them is small enough.
        """
        while (kept := self.chosen(numbers)).sum() > self.most:
            self.halvings += 1
            if self.chosen(numbers).sum() < self.most / _FAR:
                raise LimitExceeded("single passages return in too many texts")
        return kept


def find_repeated(whole: Whole, read: ReadTexts, kept: Mask, settings: Settings) -> Repeated:
    """Find passages that stand in several of the rows that are kept.

    Args:
        whole: All rows, of states that have names of passages.
        read: Reads texts again.
        kept: Per row whether it is looked at, so that duplicates do not count as passages.
        settings: Those with which the states were made.
    """
    words = np.where(kept, whole.counts(), 0).astype(np.int64)
    passages = int(np.maximum(words - LENGTH + 1, 0).sum())
    names = _returning_names(whole, kept)
    hits = _Hits(names)
    shingler = Shingler(settings.words, settings.seed)
    unread = len(names.rows)
    for index, wanted in whole.by_part(names.rows):
        start = int(whole.starts[index])
        for found, texts in read(index, wanted):
            unread -= len(found)
            for first, last in _lots(texts):
                hits.add(passages_of(shingler.words(texts[first:last])), found[first:last] + start)
    return hits.conclude(passages, int(words.sum()), unread)


def _lots(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Cut texts into runs of about ``BLOCK_BYTES`` characters."""
    first = size = 0
    for place, text in enumerate(texts):
        size += len(text)
        if size >= BLOCK_BYTES:
            yield first, place + 1
            first, size = place + 1, 0
    if first < len(texts):
        yield first, len(texts)


def _returning_names(whole: Whole, kept: Mask) -> _Names:
    """Find the names that stand in two rows or more that are kept."""
    ranges = max(1, -(-sum(state.names for state in whole.states) // RANGE_NAMES))
    sample = _Sample(MOST_NAMES)
    values = np.zeros(0, np.uint64)
    touched = np.zeros(whole.rows, bool)
    for number in range(ranges):
        names, rows = _names_in_range(whole, kept, number, ranges)
        first, several = _several(names, rows)
        values = np.concatenate((values, names[first][several[first]]))
        values = values[sample.shrink(mix(values.copy()))]
        touched[rows[several & sample.chosen(mix(names.copy()))]] = True
    return _Names(np.sort(values), np.flatnonzero(touched), sample.part)


def _names_in_range(whole: Whole, kept: Mask, number: int, ranges: int) -> tuple[U64, I64]:
    """Return the names that fall into one of several ranges, and their rows, in the order of both."""
    names, rows = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for start, state in zip(whole.starts.tolist(), whole.states, strict=False):
        own, of = state.named()
        places = of + start
        chosen = kept[places]
        if ranges > 1:  # names are the least of many numbers, so they are spread anew
            chosen &= (mix(own.copy()) >> np.uint64(_BITS // 2)).astype(np.int64) * ranges >> (_BITS // 2) == number
        names.append(own[chosen])
        rows.append(places[chosen])
    all_names, all_rows = np.concatenate(names), np.concatenate(rows)
    order = np.lexsort((all_rows, all_names))
    return all_names[order], all_rows[order]


def _several(values: U64, rows: I64) -> tuple[I64, Mask]:
    """Say of sorted values where each begins, and of each entry whether its value stands in several rows."""
    if not len(values):
        return np.zeros(0, np.int64), np.zeros(0, bool)
    first = np.flatnonzero(np.concatenate((np.ones(1, bool), values[1:] != values[:-1])))
    last = np.append(first[1:], len(values)) - 1
    return first, np.repeat(rows[first] != rows[last], last - first + 1)


class _Hits:
    """Passages whose name stands in several rows."""

    def __init__(self, names: _Names) -> None:
        self._names = names
        self._sample = _Sample(MOST_PASSAGES)
        self._numbers: list[U64] = []
        self._rows: list[U32] = []
        self._starts: list[U32] = []
        self._count = 0

    def add(self, found: Passages, rows: I64) -> None:
        """Take those of some texts' passages that may return, each once per text."""
        known = self._names.values
        if not len(known):
            return
        places = np.minimum(np.searchsorted(known, found.names), len(known) - 1)
        chosen = np.flatnonzero((known[places] == found.names) & self._sample.chosen(found.numbers))
        numbers, owners = found.numbers[chosen], found.owners[chosen]
        order = np.lexsort((chosen, numbers, owners))
        new = np.ones(len(order), bool)
        new[1:] = (numbers[order][1:] != numbers[order][:-1]) | (owners[order][1:] != owners[order][:-1])
        once = chosen[order[new]]
        self._numbers.append(found.numbers[once])
        self._rows.append(rows[found.owners[once]].astype(np.uint32))
        self._starts.append(found.starts[once].astype(np.uint32))
        self._count += len(once)
        if self._count > MOST_PASSAGES:
            self._join()

    def _join(self) -> tuple[U64, U32, U32]:
        numbers = np.concatenate([np.zeros(0, np.uint64), *self._numbers])
        kept = self._sample.shrink(numbers)
        rows = np.concatenate([np.zeros(0, np.uint32), *self._rows])[kept]
        starts = np.concatenate([np.zeros(0, np.uint32), *self._starts])[kept]
        self._numbers, self._rows, self._starts = [numbers[kept]], [rows], [starts]
        self._count = len(rows)
        return numbers[kept], rows, starts

    def conclude(self, passages: int, words: int, unread: int) -> Repeated:
        """Compare them."""
        numbers, rows, starts = self._join()
        order = np.lexsort((starts, rows, numbers))
        numbers, rows, starts = numbers[order], rows[order], starts[order]
        first, several = _several(numbers, rows.astype(np.int64))
        part = self._sample.part * self._names.part
        returning = int(several.sum())
        frequent = None
        if returning:
            sizes = np.diff(first, append=len(numbers))
            most = first[sizes == sizes.max()]
            place = most[np.lexsort((starts[most], rows[most]))[0]]
            frequent = int(sizes.max()), int(rows[place]), int(starts[place])
        if part < 1:
            return Repeated(passages, round(returning / part), words, None, part, None, frequent, unread)
        covered, longest = _runs_of(rows[several].astype(np.int64), starts[several].astype(np.int64))
        return Repeated(passages, returning, words, covered, part, longest, frequent, unread)


def _runs_of(rows: I64, starts: I64) -> tuple[int, tuple[int, int, int] | None]:
    """Return how many words passages cover, and the longest run of passages that begin one word after another."""
    if not len(rows):
        return 0, None
    order = np.lexsort((starts, rows))
    rows, starts = rows[order], starts[order]
    step = np.where(rows[1:] == rows[:-1], starts[1:] - starts[:-1], LENGTH)
    covered = int(np.minimum(step, LENGTH).sum()) + LENGTH
    begins = np.concatenate((np.zeros(1, np.int64), np.flatnonzero(step != 1) + 1))
    begins = np.unique(np.append(begins, np.flatnonzero(rows[1:] != rows[:-1]) + 1))
    sizes = np.diff(begins, append=len(rows))
    best = int(begins[np.argmax(sizes)])
    return covered, (int(sizes.max()) + LENGTH - 1, int(rows[best]), int(starts[best]))
