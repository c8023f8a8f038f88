"""Which words of a text a corpus holds: all runs of them to which no word before or after can be added.

How a corpus is searched does not matter here; it has to say how many words from one on it holds somewhere, and whether
it holds some words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from hallmarked.core.errors import InputError
from hallmarked.corpus.search.word import LEAST_WORDS, Word


@dataclass(frozen=True, slots=True)
class Query:
    """The words of a text as they are looked for."""

    data: bytes
    offsets: Sequence[int]
    """Where each word begins in the data, and at last where it ends."""

    @classmethod
    def of(cls, found: Sequence[Word]) -> Query:
        """Make one of words."""
        pieces = [word.folded.encode("utf-8", "replace") + b" " for word in found]
        return cls(b"".join(pieces), [0, *accumulate(map(len, pieces))])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def rest(self, first: int) -> bytes:
        """Return everything from a word on."""
        return self.data[self.offsets[first] :]

    def part(self, first: int, stop: int) -> bytes:
        """Return some words."""
        return self.data[self.offsets[first] : self.offsets[stop]]


@dataclass(frozen=True, slots=True)
class Span:
    """Words of a query that the corpus holds."""

    first: int
    stop: int
    """The number of its first word, and of the word after its last."""


class Corpus(Protocol):
    """What has to be known of a corpus."""

    def longest(self, query: Query, first: int, least: int) -> int:
        """Return how many words of a query from one on the corpus holds; 0 when they are less than ``least``."""

    def has(self, query: Query, first: int, stop: int) -> bool:
        """Say whether the corpus holds these words of a query one after another."""


def find_spans(corpus: Corpus, query: Query, least: int = LEAST_WORDS) -> list[Span]:
    """Return all maximal spans of a query that a corpus holds, in their order.

    Args:
        corpus: What is searched.
        query: What is asked about.
        least: Words from which a span counts.

    Raises:
        InputError: When ``least`` is not at least 1.
    """
    if least < 1:
        raise InputError("a passage has at least one word")
    spans: list[Span] = []
    first, reached, count = 0, 0, len(query)
    while first + least <= count:
        stop = first + corpus.longest(query, first, least)
        if stop - first >= least and stop > reached:
            spans.append(Span(first, stop))
            reached = stop
        if stop - first < least:
            first += 1
        elif stop == count:
            break
        else:
            first = _following(corpus, query, Span(first, stop), least)
    return spans


def _following(corpus: Corpus, query: Query, span: Span, least: int) -> int:
    """Return the first word after the first one of a span from which another may reach beyond it.

    Such a span contains the ``least`` words that end there, and whatever the corpus holds it holds the end of.
    """
    low, high = span.first + 1, span.stop + 1 - least
    if not corpus.has(query, high, span.stop + 1):
        return high + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if corpus.has(query, middle, span.stop + 1) else (middle + 1, high)
    return low


def covered(spans: Sequence[Span]) -> int:
    """Return how many words belong to at least one span; spans are in their order."""
    total = reached = 0
    for span in spans:
        total += max(0, span.stop - max(span.first, reached))
        reached = max(reached, span.stop)
    return total
