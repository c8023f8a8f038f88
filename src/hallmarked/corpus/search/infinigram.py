"""Search by infini-gram (https://infini-gram.io), for corpora of terabytes: the same questions, another engine.

Its index is made by its own program, of what :mod:`~hallmarked.corpus.search.line` wrote: bytes are its tokens, so it
needs no tokenizer. It keeps the folded words only: rows are named with source and licence, texts are not shown.
Its files are not in our manifest, since they come later and are too large to be hashed at each start.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hallmarked.core.errors import BackendError, FormatError, InputError
from hallmarked.corpus.search.line import DOCUMENTS, FOLDER, INDEX, INFINI_GRAM
from hallmarked.corpus.search.manifest import check_files, read_manifest, read_options, read_summary
from hallmarked.corpus.search.model import Attribution, Passage, Place
from hallmarked.corpus.search.span import Query, covered, find_spans
from hallmarked.corpus.search.word import LEAST_WORDS, words

END, TOKENS = 254, 255
"""A byte that no text has, as the end of a text, and how many bytes there are; the engine wants the first smaller."""
MOST_COUNTED = 1_000
"""Occurrences whose documents are counted: each is looked up by itself."""
MOST_SHOWN = 1
BYTES = "u8"
"""What the engine calls bytes as tokens."""


def advice(folder: Path) -> str:
    """Return the command that makes the engine's index."""
    place = folder.absolute()
    return (
        f"python -m infini_gram.indexing --data_dir {place / FOLDER} --save_dir {place / INDEX}"
        f" --temp_dir {place / INDEX} --token_dtype {BYTES} --shards 1 --add_metadata --cpus 8 --mem 32"
    )


class InfiniGram:
    """A corpus that infini-gram searches. Use :meth:`open`."""

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.summary, self.options = read_summary(manifest), read_options(manifest)
        self.paths: list[str] = [str(path) for path in manifest["paths"]]
        if not (folder / INDEX / "table.0").is_file():
            raise InputError(f"infini-gram has not indexed {folder} yet: {advice(folder)}")
        try:
            engine = importlib.import_module("infini_gram.engine")
        except ModuleNotFoundError as error:
            raise InputError(f"{folder} is searched by infini-gram: pip install infini-gram") from error
        try:
            self._engine = engine.InfiniGramEngine(str(folder / INDEX), END, TOKENS, token_dtype=BYTES)
        except (RuntimeError, OSError, AssertionError) as error:
            raise BackendError(f"infini-gram cannot open the index {folder}") from error

    @classmethod
    def open(cls, folder: Path, *, whole: bool = True) -> InfiniGram:
        """Open an index.

        Args:
            folder: Where it is.
            whole: Compare the documents with their digest in the manifest, not only their size.

        Raises:
            InputError: When there is no index, one of another edition, or one that the engine has not indexed yet.
            FormatError: When it is damaged.
            BackendError: When it cannot be read.
        """
        manifest = read_manifest(folder, INFINI_GRAM)
        try:
            check_files(folder, manifest, [f"{FOLDER}/{DOCUMENTS}"], whole=whole)
            return cls(folder, manifest)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FormatError(f"the index {folder} is damaged: its manifest cannot be understood") from error

    def attribute(self, text: str, least: int = LEAST_WORDS, most: int = 5) -> Attribution:
        """Say what a text shares with the corpus, see :class:`~hallmarked.corpus.search.model.Searchable`."""
        found = list(words(text))
        query = Query.of(found)
        spans = find_spans(self, query, least)
        passages = []
        for span in spans:
            count, ranks = self._find(query.part(span.first, span.stop))
            documents, places = self._places(ranks, most)
            start, stop, size = found[span.first].start, found[span.stop - 1].stop, span.stop - span.first
            bounded = count > MOST_COUNTED
            passages.append(Passage(start, stop, span.first, size, count, documents, tuple(places), bounded))
        return Attribution(len(found), covered(spans), least, tuple(passages))

    def holds(self, words: Sequence[str]) -> bool:
        """Say whether these folded words stand somewhere in the corpus one after another."""
        return self._find(b"".join(word.encode("utf-8", "replace") + b" " for word in words))[0] > 0

    def has(self, query: Query, first: int, stop: int) -> bool:
        """Say whether the corpus holds these words of a query one after another."""
        return self._find(query.part(first, stop))[0] > 0

    def longest(self, query: Query, first: int, least: int) -> int:
        """Return how many words of a query from one on the corpus holds; 0 when they are less than ``least``."""
        if not self.has(query, first, first + least):
            return 0
        low, step, count = first + least, least, len(query)
        while low < count and self.has(query, first, min(count, low + step)):
            low, step = min(count, low + step), step * 2
        high = min(count, low + step)  # what ends there is not in the corpus, unless it is the end of the query
        while low + 1 < high:
            middle = (low + high) // 2
            low, high = (middle, high) if self.has(query, first, middle) else (low, middle)
        return low - first

    def _find(self, passage: bytes) -> tuple[int, list[tuple[int, int]]]:
        """Return how often the corpus has a passage, and for each shard from where to where in its order."""
        found = self._answer(self._engine.find(list(b" " + passage)))
        return int(found["cnt"]), [(int(low), int(high)) for low, high in found["segment_by_shard"]]

    def _places(self, ranks: Sequence[tuple[int, int]], most: int) -> tuple[int, list[Place]]:
        """Return in how many documents something is, and some of them, in the order of the corpus."""
        seen: dict[int, Any] = {}
        left = MOST_COUNTED
        for shard, (low, high) in enumerate(ranks):
            for rank in range(low, min(high, low + left)):
                found = self._answer(self._engine.get_doc_by_rank(shard, rank, max_disp_len=MOST_SHOWN))
                seen.setdefault(int(found["doc_ix"]), found["metadata"])
            left -= min(left, high - low)
        return len(seen), [self._place(seen[number]) for number in sorted(seen)[:most]]

    def _place(self, metadata: str) -> Place:
        try:
            said = json.loads(metadata)["metadata"]
            path = self.paths[said["file"]]
            return Place(path, int(said["row"]), str(said["source"]), str(said["licence"]) or self.options.licence)
        except (ValueError, LookupError, TypeError) as error:
            raise FormatError("the index of infini-gram is damaged, or is of other documents") from error

    def _answer(self, found: Mapping[str, Any]) -> Mapping[str, Any]:
        if "error" in found:
            raise BackendError(f"infini-gram could not search: {found['error']}")
        return found
