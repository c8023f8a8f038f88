"""Search an index: which passages of a text it holds, and where; which documents have words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from hallmarked.core.errors import FormatError, InputError
from hallmarked.corpus.search.block import Block, Text, whole_words
from hallmarked.corpus.search.keyword import KEYWORDS, Keywords
from hallmarked.corpus.search.manifest import block_files, check_files, read_manifest, read_options, read_summary
from hallmarked.corpus.search.model import Attribution, Passage, Place
from hallmarked.corpus.search.span import Query, Span, covered, find_spans
from hallmarked.corpus.search.word import LEAST_WORDS, Word, fold_words, words

MOST_COUNTED = 100_000
"""Occurrences whose documents are counted."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Where in a document a passage stands."""

    place: Place
    text: str
    """The whole document."""
    start: int
    stop: int
    """From where to where the passage goes in it, characters."""


class Index:
    """An index that is searched. May be shared between threads. Use :meth:`open`."""

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.summary, self.options = read_summary(manifest), read_options(manifest)
        self.paths: list[str] = [str(path) for path in manifest["paths"]]
        self.blocks = [Block(folder, number) for number in range(manifest["blocks"])]
        self._firsts = [0, *accumulate(block.documents for block in self.blocks)]
        self._keywords = Keywords(folder / KEYWORDS) if self.options.keywords else None

    @classmethod
    def open(cls, folder: Path, *, whole: bool = True) -> Index:
        """Open an index.

        Args:
            folder: Where it is.
            whole: Compare every file with its digest in the manifest, not only their sizes.

        Raises:
            InputError: When there is no index, or one of another edition.
            FormatError: When it is damaged.
            BackendError: When it cannot be read.
        """
        manifest = read_manifest(folder)
        try:
            check_files(folder, manifest, block_files(manifest), whole=whole)
            return cls(folder, manifest)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FormatError(f"the index {folder} is damaged: its manifest cannot be understood") from error

    def attribute(self, text: str, least: int = LEAST_WORDS, most: int = 5) -> Attribution:
        """Say what a text shares with the corpus, see :class:`~hallmarked.corpus.search.model.Searchable`."""
        found = list(words(text))
        query = Query.of(found)
        spans = find_spans(self, query, least)
        passages = tuple(self._passage(query, found, span, most) for span in spans)
        return Attribution(len(found), covered(spans), least, passages)

    def holds(self, words: Sequence[str]) -> bool:
        """Say whether these folded words stand somewhere in the corpus one after another."""
        passage = b"".join(word.encode("utf-8", "replace") + b" " for word in words)
        return any(low < high for low, high in (block.range(passage) for block in self.blocks))

    def longest(self, query: Query, first: int, least: int) -> int:
        """Return how many words from one on the corpus holds; 0 when they are less than ``least``."""
        rest, size = query.rest(first), query.offsets[first + least] - query.offsets[first]
        best = max((block.longest(rest, size) for block in self.blocks), default=0)
        return whole_words(query.offsets, first, best) if best else 0

    def has(self, query: Query, first: int, stop: int) -> bool:
        """Say whether the corpus holds these words of a query one after another."""
        passage = query.part(first, stop)
        return any(low < high for low, high in (block.range(passage) for block in self.blocks))

    def _passage(self, query: Query, found: Sequence[Word], span: Span, most: int) -> Passage:
        ranges = self._ranges(query.part(span.first, span.stop))
        occurrences = sum(high - low for _, low, high in ranges)
        places: list[Place] = []
        documents, budget = 0, MOST_COUNTED
        for number, low, high in ranges:
            numbers = self.blocks[number].numbers(low, min(high, low + budget))
            documents += len(numbers)
            budget -= min(budget, high - low)
            places += [self._place(self.blocks[number].text(each)) for each in numbers[: most - len(places)]]
        return Passage(
            found[span.first].start, found[span.stop - 1].stop, span.first, span.stop - span.first,
            occurrences, documents, tuple(places), occurrences > MOST_COUNTED,
        )  # fmt: skip

    def _ranges(self, passage: bytes) -> list[tuple[int, int, int]]:
        """Return block, and from where to where in its order a passage stands, where it does."""
        ranges = ((number, *block.range(passage)) for number, block in enumerate(self.blocks))
        return [(number, low, high) for number, low, high in ranges if low < high]

    def hits(self, text: str, most: int = 5) -> Iterator[Hit]:
        """Yield documents that have all the words of a text one after another, and where they stand."""
        passage = fold_words(text)
        size, left = passage.count(b" "), most
        if not size:
            return
        for number, low, high in self._ranges(passage):
            block = self.blocks[number]
            end = min(high, low + MOST_COUNTED)
            for each in block.numbers(low, end)[:left]:
                left -= 1
                document = block.text(each)
                start, stop = locate(document.text, block.first_place(low, end, each), size)
                yield Hit(self._place(document), document.text, start, stop)

    def search(self, query: str, most: int = 10) -> tuple[int, list[tuple[Place, str]]]:
        """Return how many documents have all these words, and the best of them with their texts.

        Args:
            query: Words; those in quotation marks have to stand one after another.
            most: How many documents.

        Raises:
            InputError: When there is no word in the query, or the index has no keywords.
            FormatError: When the index is damaged.
        """
        if self._keywords is None:
            raise InputError("this index was made without keywords")
        total, numbers = self._keywords.find(query, most)
        texts = [self._document(number) for number in numbers]
        return total, [(self._place(text), text.text) for text in texts]

    def _document(self, number: int) -> Text:
        block = bisect_right(self._firsts, number) - 1
        if not 0 <= block < len(self.blocks):
            raise FormatError("the keywords of the index are damaged")
        return self.blocks[block].text(number - self._firsts[block])

    def _place(self, text: Text) -> Place:
        path = self.paths[text.path] if text.path < len(self.paths) else ""
        return Place(path, text.row, text.source, text.licence or self.options.licence)


def locate(text: str, first: int, size: int) -> tuple[int, int]:
    """Return from where to where ``size`` words from number ``first`` on stand in a text, characters.

    Raises:
        FormatError: When it has fewer words.
    """
    passed = at = 0
    start = None
    for line in text.splitlines(keepends=True):
        count = fold_words(line).count(b" ")
        if passed + count > first:
            for number, word in enumerate(words(line), passed):
                if number == first:
                    start = at + word.start
                if start is not None and number == first + size - 1:
                    return start, at + word.stop
        passed += count
        at += len(line)
    raise FormatError("the index is damaged: a document has fewer words than it had")
