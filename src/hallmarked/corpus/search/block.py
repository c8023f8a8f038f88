"""A block of an index: the folded words of some documents, and the order of all that begins at a word.

The order is a suffix array restricted to the beginnings of words (Kärkkäinen and Ukkonen, *Sparse Suffix Trees*, 1996;
built with divsufsort): whatever the words of a query are, two binary searches give the longest run of them that the
block holds, and how often. A query costs the same however often its words repeat, so no text can be made that is slow
to look for.

Four files: ``words`` (UTF-8, see ``word``), ``order`` (32-bit places in it), ``documents`` (a record each) and
``texts`` (the texts as they were written, with source and licence, in Zstandard frames of several documents).
"""

from __future__ import annotations

import mmap
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydivsufsort import divsufsort

from hallmarked.core.errors import BackendError, FormatError
from hallmarked.corpus.search.model import Document
from hallmarked.corpus.search.word import BARRIER, SPACE

RECORD = np.dtype(
    [("begin", "<u4"), ("inside", "<u4"), ("length", "<u4"), ("path", "<u4"), ("row", "<u8"), ("frame", "<u8")]
)
"""Where its words begin; the frame of its text, where the text begins in it and its length in bytes; where it is from.
"""
PARTS = ("words", "order", "documents", "texts")
FRAME_BYTES = 128 << 10
"""Bytes from which a frame is closed."""
MOST_FRAME = 128 << 20
"""Bytes of a frame; a longer one is not one of ours."""
HEAD = 64
"""Bytes that are compared first."""
FAR = b"\xff"
"""Comes after everything in UTF-8."""
_LENGTHS = np.dtype("<u4")
_CODEC = "zstd"


class Writer:
    """Collects documents and writes a block.

    Args:
        folder: Where its files go.
        number: Which block it is.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._paths = {part: folder / f"{number:04}.{part}" for part in PARTS}
        self._words = bytearray()
        self._records: list[tuple[int, int, int, int, int, int]] = []
        self._frame = bytearray()
        self._texts: BinaryIO = self._paths["texts"].open("wb")

    @property
    def size(self) -> int:
        """Bytes of folded words so far."""
        return len(self._words)

    @property
    def documents(self) -> int:
        """How many it has."""
        return len(self._records)

    def add(self, document: Document, path: int) -> None:
        """Take a document; ``path`` is the number of its file."""
        source, licence, text = (
            part.encode("utf-8", "replace") for part in (document.source, document.licence, document.text)
        )
        body = b"".join([_pack(len(source), len(licence)), source, licence, text])
        self._records.append((len(self._words), len(self._frame), len(body), path, document.row, self._texts.tell()))
        self._words += document.words + BARRIER
        self._frame += body
        if len(self._frame) >= FRAME_BYTES:
            self._close_frame()

    def _close_frame(self) -> None:
        if self._frame:
            data = pa.compress(bytes(self._frame), codec=_CODEC, asbytes=True)
            self._texts.write(_pack(len(data), len(self._frame)) + data)
            self._frame.clear()

    def finish(self) -> None:
        """Sort, and write everything."""
        self._close_frame()
        self._texts.close()
        np.array(self._records, RECORD).tofile(self._paths["documents"])
        data = np.frombuffer(self._words, np.uint8)
        sort_words(data).tofile(self._paths["order"])
        data.tofile(self._paths["words"])

    def abandon(self) -> None:
        """Close what is open."""
        self._texts.close()


def sort_words(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """Return the places at which words begin, in the order of what begins there."""
    if not len(data):
        return np.empty(0, "<u4")
    gap = (data == SPACE[0]) | (data == BARRIER[0])
    begins = ~gap
    begins[1:] &= gap[:-1]
    order: npt.NDArray[np.int32] = divsufsort(data)
    chosen: npt.NDArray[np.uint32] = order[begins[order]].astype("<u4")
    return chosen


def _pack(*lengths: int) -> bytes:
    return np.array(lengths, _LENGTHS).tobytes()


@dataclass(frozen=True, slots=True)
class Text:
    """A document as it was written."""

    path: int
    row: int
    source: str
    licence: str
    text: str


class Block:
    """A block that is searched. Its files are mapped into memory, not read.

    Args:
        folder: Where its files are.
        number: Which block it is.

    Raises:
        BackendError: When they cannot be opened.
        FormatError: When they cannot be what a writer wrote.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._maps = {part: _map(folder / f"{number:04}.{part}") for part in PARTS}
        self._words, self._texts = self._maps["words"], self._maps["texts"]
        if len(self._maps["order"]) % 4 or len(self._maps["documents"]) % RECORD.itemsize:
            raise FormatError(f"block {number} of the index is damaged")
        self._order: Sequence[int] = memoryview(self._maps["order"]).cast("I")
        self._places = np.frombuffer(self._maps["order"], "<u4")
        self._records = np.frombuffer(self._maps["documents"], RECORD)
        self._begins = self._records["begin"].copy()
        self._name = number

    @property
    def documents(self) -> int:
        """How many it has."""
        return len(self._records)

    def longest(self, query: bytes, least: int) -> int:
        """Return how many bytes of the beginning of a query the block holds somewhere.

        Args:
            query: Folded words, a space after each.
            least: Bytes below which it does not matter; then 0 may be returned.
        """
        at, best = self._find(query), 0
        start = query[:least]
        for neighbour in (at - 1, at):
            if 0 <= neighbour < len(self._order):
                place = self._order[neighbour]
                if self._words[place : place + least] == start:
                    best = max(best, self._common(place, query, least))
        return best

    def range(self, passage: bytes) -> tuple[int, int]:
        """Return from where to where in the order what begins with a passage stands."""
        low = self._find(passage)
        place = self._order[low] if low < len(self._order) else 0
        if self._words[place : place + len(passage)] != passage:
            return low, low
        return low, self._find(passage + FAR)

    def numbers(self, low: int, high: int) -> list[int]:
        """Return the documents of a range of the order, each once, ascending."""
        found = np.searchsorted(self._begins, self._places[low:high], side="right") - 1
        unique: list[int] = np.unique(found).tolist()
        return unique

    def first_place(self, low: int, high: int, number: int) -> int:
        """Return which word of a document a range of the order begins at first, counted from 0."""
        begin, end = int(self._begins[number]), self._end(number)
        places = self._places[low:high]
        inside = places[(places >= begin) & (places < end)]
        if not len(inside):
            raise FormatError(f"block {self._name} of the index is damaged")
        count: int = self._words[begin : int(inside.min())].count(SPACE)
        return count

    def text(self, number: int) -> Text:
        """Return a document.

        Raises:
            NotFound: When there is none of that number.
            FormatError: When the block is damaged.
        """
        record = self._records[number]
        frame, start, size = int(record["frame"]), int(record["inside"]), int(record["length"])
        try:
            packed, length = np.frombuffer(self._texts[frame : frame + 8], _LENGTHS).tolist()
            if length > MOST_FRAME:
                raise ValueError
            data = pa.decompress(self._texts[frame + 8 : frame + 8 + packed], length, _CODEC, asbytes=True)
            body = data[start : start + size]
            source, licence = np.frombuffer(body[:8], _LENGTHS).tolist()
            parts = body[8 : 8 + source], body[8 + source : 8 + source + licence], body[8 + source + licence :]
            told, under, text = (part.decode("utf-8") for part in parts)
        except (ValueError, OSError, pa.ArrowException) as error:
            raise FormatError(f"block {self._name} of the index is damaged") from error
        return Text(int(record["path"]), int(record["row"]), told, under, text)

    def _end(self, number: int) -> int:
        return int(self._begins[number + 1]) if number + 1 < len(self._begins) else len(self._words)

    def _find(self, query: bytes) -> int:
        """Return where in the order the first stands that is not before a query."""
        words, order, head, rest = self._words, self._order, query[:HEAD], len(query) > HEAD
        low, high, size = 0, len(order), len(head)
        while low < high:
            middle = (low + high) >> 1
            place = order[middle]
            piece = words[place : place + size]
            before = words[place : place + len(query)] < query if rest and piece == head else piece < head
            if before:
                low = middle + 1
            else:
                high = middle
        return low

    def _common(self, place: int, query: bytes, known: int) -> int:
        """Return how many bytes are the same, ``known`` of which are known to be."""
        step = HEAD
        while known < len(query):
            mine, theirs = query[known : known + step], self._words[place + known : place + known + step]
            if mine != theirs:
                same = (index for index, pair in enumerate(zip(mine, theirs, strict=False)) if pair[0] != pair[1])
                return known + next(same, min(len(mine), len(theirs)))
            known, step = known + len(mine), step * 2
        return known


def whole_words(offsets: Sequence[int], first: int, size: int) -> int:
    """Return how many words from ``first`` on are within ``size`` bytes.

    Args:
        offsets: Where each word of a query begins, and at last where it ends.
        first: The word at which the bytes begin.
        size: How many bytes.
    """
    return bisect_right(offsets, offsets[first] + size) - 1 - first


def _map(path: Path) -> Any:
    """Map a file; an empty one cannot be mapped."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    except OSError as error:
        raise BackendError(f"the index cannot be read: {path.name}: {(error.strerror or '').lower()}") from error
