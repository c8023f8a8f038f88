"""What an index is made of, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hallmarked.corpus.search.word import LEAST_WORDS


@dataclass(frozen=True, slots=True)
class Document:
    """One row of a data set, on its way into an index."""

    path: str
    row: int
    """From 1 in its file."""
    text: str
    words: bytes
    """What :func:`~hallmarked.corpus.search.word.fold_words` makes of the text."""
    source: str = ""
    """Where the row says that it comes from."""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """Rows that are not in the index, and why."""

    path: str
    row: int | None
    """From 1; None when it is a file or a part of it as a whole."""
    rows: int | None
    """How many; None when nobody can tell."""
    reason: str


@dataclass(frozen=True, slots=True)
class Place:
    """A document in which something was found."""

    path: str
    row: int
    """From 1 in its file."""
    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class Passage:
    """Words of a text that stand in the corpus in the same order, and neither of whose neighbours can be added."""

    start: int
    stop: int
    """From where to where it goes in the text that was asked about, characters."""
    first: int
    words: int
    """The number of its first word from 0, and how many words it has."""
    occurrences: int
    """How often the corpus has it."""
    documents: int
    """In how many documents; a lower bound when ``bounded``."""
    places: Sequence[Place]
    """Some of them, in the order of the corpus."""
    bounded: bool = False
    """Whether there are so many occurrences that not all documents were counted."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """What a text shares with a corpus."""

    words: int
    """Of the text."""
    copied: int
    """Those of them that belong to a passage."""
    least: int
    """Words from which a passage counts."""
    passages: Sequence[Passage]
    """In the order of the text."""

    @property
    def share(self) -> float:
        """Share of the words that belong to a passage; 0 for a text without words."""
        return self.copied / self.words if self.words else 0.0

    @property
    def longest(self) -> int:
        """Words of the longest passage; 0 when there is none."""
        return max((passage.words for passage in self.passages), default=0)


class Searchable(Protocol):
    """Something that knows which passages a corpus holds: an index of ours, or an engine for very large corpora."""

    def attribute(self, text: str, least: int = LEAST_WORDS, most: int = 5) -> Attribution:
        """Say what a text shares with the corpus.

        Args:
            text: Any text.
            least: Words from which a passage counts.
            most: Documents that are named with each passage.
        """

    def holds(self, words: Sequence[str]) -> bool:
        """Say whether these folded words stand somewhere in the corpus one after another."""
