"""Bounds-checked reading of binary fields from bytes in memory or from a blob."""

from __future__ import annotations

import struct
from types import TracebackType

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob

_LARGEST_READ = 1 << 26


class Cursor:
    """A position in bytes that are held in memory.

    Args:
        data: The bytes.
        origin: Offset of the bytes in their file, for error messages.
    """

    __slots__ = ("_origin", "at", "data")

    def __init__(self, data: bytes, origin: int = 0) -> None:
        self.data, self._origin, self.at = data, origin, 0

    @property
    def left(self) -> int:
        """Bytes that were not read yet."""
        return len(self.data) - self.at

    @property
    def offset(self) -> int:
        """Offset of the next byte in the file."""
        return self._origin + self.at

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes.

        Raises:
            FormatError: When there are fewer.
        """
        self.skip(count)
        return self.data[self.at - count : self.at]

    def skip(self, count: int) -> None:
        """Step over the next ``count`` bytes.

        Raises:
            FormatError: When there are fewer.
        """
        if not 0 <= count <= self.left:
            raise FormatError(f"{count} bytes expected, {self.left} left", offset=self.offset)
        self.at += count

    def uint(self, width: int) -> int:
        """Return the next ``width`` bytes as a little-endian unsigned number.

        Raises:
            FormatError: When there are fewer.
        """
        return int.from_bytes(self.take(width), "little")

    def until_nul(self) -> bytes:
        """Return the bytes before the next NUL and step over it.

        Raises:
            FormatError: When no NUL follows.
        """
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise FormatError("text without an end", offset=self.offset)
        text = self.take(end - self.at)
        self.at += 1
        return text


class StreamCursor:
    """A position in a blob; use as a context manager. Nothing is read that is not there.

    Args:
        blob: What to read.
    """

    def __init__(self, blob: Blob) -> None:
        self._size, self._stream, self.at = blob.size, blob.open(), 0

    def __enter__(self) -> StreamCursor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    @property
    def left(self) -> int:
        """Bytes that were not read yet."""
        return self._size - self.at

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes.

        Raises:
            FormatError: When there are fewer.
            LimitExceeded: When they are too many to hold in memory.
        """
        self.need(count)
        if count > _LARGEST_READ:
            raise LimitExceeded(f"a single value of {count:,} bytes", offset=self.at)
        data = self._stream.read(count)
        if len(data) != count:
            raise FormatError(f"{count} bytes expected, {len(data)} there", offset=self.at)
        self.at += count
        return data

    def peek(self) -> bytes:
        """Return the next byte without stepping over it, or nothing at the end."""
        data = self._stream.read(1)
        self._stream.seek(self.at)
        return data

    def need(self, count: int) -> None:
        """Check that ``count`` more bytes are there.

        Raises:
            FormatError: When there are fewer.
        """
        if not 0 <= count <= self.left:
            raise FormatError(f"{count:,} bytes expected, {self.left:,} left", offset=self.at)

    def skip(self, count: int) -> None:
        """Step over ``count`` bytes without reading them.

        Raises:
            FormatError: When there are fewer.
        """
        self.need(count)
        self.at += count
        self._stream.seek(self.at)

    def unpack(self, layout: struct.Struct) -> int:
        """Return the next number, laid out as ``layout``.

        Raises:
            FormatError: When the blob ends before it does.
        """
        value: int = layout.unpack(self.take(layout.size))[0]
        return value
