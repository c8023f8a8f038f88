"""A window that moves over a file, so that pickles of any size are read in little memory."""

from __future__ import annotations

import codecs
from typing import BinaryIO

from hallmarked.core.errors import FormatError, LimitExceeded

CHUNK = 4 << 20
"""Bytes read at a time."""
MARGIN = 512
"""Bytes that must lie in the window before an instruction starts; no short instruction is longer."""
UNFRAMED = 1 << 63
"""Where the current frame ends when there is none: beyond every file."""


class Reader:
    """Bytes ``data[pos:]`` of a file from ``base + pos`` on.

    The machine's loop works on these attributes directly; offsets in ``data`` are only valid until the next ``fill``.
    """

    def __init__(self, stream: BinaryIO, size: int, start: int = 0) -> None:
        self.stream, self.size = stream, size
        self.data, self.base, self.pos = b"", start, 0
        self.frame_end = UNFRAMED
        """Absolute offset at which the current frame ends."""
        stream.seek(start)

    @property
    def offset(self) -> int:
        """Absolute offset of the next byte."""
        return self.base + self.pos

    @property
    def at_end(self) -> bool:
        """Whether every byte was consumed."""
        return self.offset >= self.size

    def fill(self, need: int = MARGIN) -> None:
        """Bring at least ``need`` bytes into the window, or all that are left."""
        have = len(self.data) - self.pos
        if have >= need or self.base + len(self.data) >= self.size:
            return
        parts = [self.data[self.pos :]]
        while have < need:
            part = self.stream.read(min(max(CHUNK, need - have), self.size - self.base - self.pos - have))
            if not part:
                self.size = self.base + self.pos + have  # shorter than announced: the end is here
                break
            parts.append(part)
            have += len(part)
        self.base, self.pos, self.data = self.base + self.pos, 0, b"".join(parts)

    def require(self, count: int) -> int:
        """Check that ``count`` bytes are left in the file and in the current frame; return the current offset.

        Raises:
            FormatError: When they are not.
        """
        start = self.offset
        if start + count > self.size:
            raise FormatError(f"the stream ends inside of {count:,} bytes that an instruction announces", offset=start)
        if count and start <= self.frame_end < start + count:
            raise FormatError("an argument crosses the end of its frame", offset=start)
        return start

    def take(self, count: int) -> bytes:
        """Consume and return ``count`` bytes; only for counts the caller has bounded.

        Raises:
            FormatError: When they do not lie in the file and in the current frame.
        """
        start = self.require(count)
        self.fill(count)
        part = self.data[self.pos : self.pos + count]
        if len(part) < count:
            raise FormatError("the stream ends inside of an argument", offset=start)
        self.pos += count
        return part

    def skip(self, count: int) -> None:
        """Consume ``count`` bytes without reading them.

        Raises:
            FormatError: When they do not lie in the file and in the current frame.
        """
        self.require(count)
        if self.pos + count <= len(self.data):
            self.pos += count
            return
        target = self.offset + count
        self.stream.seek(target)
        self.data, self.base, self.pos = b"", target, 0

    def check_text(self, count: int) -> None:
        """Consume ``count`` bytes of UTF-8 (lone surrogates allowed, as pickle does) without keeping them.

        Raises:
            FormatError: When they are not there or not UTF-8.
        """
        start, left = self.require(count), count
        decoder = codecs.getincrementaldecoder("utf-8")("surrogatepass")
        try:
            while left:
                part = self.take(min(left, CHUNK))
                left -= len(part)
                decoder.decode(part, not left)
        except UnicodeDecodeError as error:
            raise FormatError("text that is not UTF-8", offset=start) from error

    def line(self, limit: int) -> bytes:
        """Consume and return a line without its newline.

        Raises:
            FormatError: When the file or the frame ends first, or the line is longer than ``limit``.
        """
        start, scanned = self.offset, 0
        while True:
            end = self.data.find(b"\n", self.pos + scanned)
            if end >= 0:
                break
            scanned = len(self.data) - self.pos
            if scanned > limit:
                raise LimitExceeded(f"a line of more than {limit:,} bytes", offset=start)
            self.fill(scanned + 1)
            if len(self.data) - self.pos == scanned:
                raise FormatError("the stream ends inside of a line", offset=start)
        count = end - self.pos
        if start <= self.frame_end < start + count + 1:
            raise FormatError("an argument crosses the end of its frame", offset=start)
        line = self.data[self.pos : end]
        self.pos = end + 1
        return line
