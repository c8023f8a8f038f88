"""Lines of text files: cut into parts that begin and end between lines, never longer than memory allows."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

from hallmarked.core.errors import FormatError
from hallmarked.corpus.table.model import PART_BYTES, ROW_BYTES, Part, Skipped
from hallmarked.formats.blob import Blob

BOM = b"\xef\xbb\xbf"
CHUNK = 1 << 20
"""Bytes that are read at once."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end."""

    number: int
    """From 0 at the beginning of the part."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that follow each other, without their ends."""

    number: int
    """Of the first, from 0 at the beginning of the part."""
    lines: list[bytes]


def cut_lines(blob: Blob) -> Sequence[Part]:
    """Cut a file into parts of equal size; a line belongs to the part in which it begins."""
    starts = range(0, max(blob.size, 1), PART_BYTES)
    return [Part(start, min(start + PART_BYTES, blob.size)) for start in starts]


def read_lines(blob: Blob, part: Part) -> Iterator[Line | Skipped]:
    """Yield the lines that begin in a part, and say which are too long, and where a compressed file breaks off."""
    for block in read_blocks(blob, part):
        if isinstance(block, Skipped):
            yield block
        else:
            for number, line in enumerate(block.lines, block.number):
                yield Line(number, line.rstrip(b"\r"))


def read_blocks(blob: Blob, part: Part) -> Iterator[Block | Skipped]:
    """Do what :func:`read_lines` does, many lines at once; a carriage return may be left at their ends."""
    with blob.open() as stream:
        reader = _Reader(stream, part)
        try:
            yield from reader.read()
        except FormatError as error:  # what unfolds breaks off
            yield Skipped(f"{error}; nothing below was read", reader.number, None)


class _Reader:
    """Lines of one part."""

    def __init__(self, stream: BinaryIO, part: Part) -> None:
        self._stream, self._part = stream, part
        self._at = 0
        self.number = 0
        """Of the next line."""

    def read(self) -> Iterator[Block | Skipped]:
        """Yield the lines, and what is passed over.

        Raises:
            FormatError: When the stream breaks off.
        """
        if self._part.start:
            self._stream.seek(self._part.start - 1)  # a line that begins here has its predecessor's end before it
            self._at = self._part.start - 1 + _pass_over(self._stream)
        rest = b""
        while self._at < self._part.stop:
            chunk = read_some(self._stream, CHUNK)
            held = rest + chunk
            end = self._end(held) if chunk else len(held)
            lines = held[:end].split(b"\n")
            rest = held[end:] if chunk else b""
            last = lines.pop()
            if not chunk and last:
                lines.append(last)
            yield from self._hand_on(lines)
            self._at += end
            if not chunk:
                return
            if len(rest) > ROW_BYTES:
                self._at += len(rest) + _pass_over(self._stream)
                rest = b""
                yield from self._too_long()

    def _end(self, held: bytes) -> int:
        """Return where the last line ends that is whole and begins in the part."""
        left = self._part.stop - self._at
        return (held.find(b"\n", left - 1) if left <= len(held) else held.rfind(b"\n")) + 1

    def _hand_on(self, lines: list[bytes]) -> Iterator[Block | Skipped]:
        if lines and self._at == 0:
            lines[0] = lines[0].removeprefix(BOM)
        start = 0
        long = max(map(len, lines), default=0) > ROW_BYTES
        for index in [index for index, line in enumerate(lines) if len(line) > ROW_BYTES] if long else ():
            yield from self._block(lines[start:index])
            yield from self._too_long()
            start = index + 1
        yield from self._block(lines[start:])

    def _block(self, lines: list[bytes]) -> Iterator[Block]:
        if lines:
            yield Block(self.number, lines)
            self.number += len(lines)

    def _too_long(self) -> Iterator[Skipped]:
        yield Skipped(f"the row is longer than {ROW_BYTES >> 20} MiB", self.number)
        self.number += 1


def read_some(stream: BinaryIO, most: int) -> bytes:
    """Return the next bytes, those at hand if there are any, so that none are lost when the rest cannot be had.

    Raises:
        FormatError: When a compressed file breaks off right here.
    """
    return cast("io.BufferedReader", stream).read1(most)


def _pass_over(stream: BinaryIO) -> int:
    """Go on behind the end of the line, and return how many bytes that was."""
    passed = 0
    while data := stream.readline(CHUNK):
        passed += len(data)
        if data.endswith(b"\n"):
            break
    return passed
