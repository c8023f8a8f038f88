"""Reading numbers and bytes forward through a blob, never past its end and never more than was asked for."""

from __future__ import annotations

import struct
from typing import BinaryIO

from hallmarked.core.errors import FormatError

CHUNK = 1 << 16


class Cursor:
    """A forward reader with its own small buffer; memory does not depend on the size of the file.

    Args:
        stream: Seekable bytes; the caller closes it.
        size: Bytes that belong to the blob.
        at: Where to start.
        chunk: Bytes to read ahead; small where reading jumps about.
    """

    def __init__(self, stream: BinaryIO, size: int, at: int = 0, chunk: int = CHUNK) -> None:
        self._stream, self._size, self._ahead = stream, size, chunk
        self._chunk, self._start, self._pos = b"", at, 0

    @property
    def at(self) -> int:
        """Offset of the next byte."""
        return self._start + self._pos

    @property
    def left(self) -> int:
        """Bytes from here to the end."""
        return self._size - self.at

    def seek(self, at: int) -> None:
        """Continue at another offset.

        Raises:
            FormatError: When it lies outside.
        """
        if not 0 <= at <= self._size:
            raise FormatError(f"offset {at} lies outside of {self._size} bytes", offset=self.at)
        if self._start <= at <= self._start + len(self._chunk):
            self._pos = at - self._start
        else:
            self._chunk, self._start, self._pos = b"", at, 0

    def skip(self, count: int) -> None:
        """Leave out ``count`` bytes without reading them.

        Raises:
            FormatError: When fewer are left.
        """
        self._need(count)
        self.seek(self.at + count)

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes.

        Raises:
            FormatError: When fewer are left.
        """
        end = self._pos + count
        if count >= 0 and end <= len(self._chunk):
            data = self._chunk[self._pos : end]
            self._pos = end
            return data
        self._need(count)
        at = self.at
        self._stream.seek(at)
        data = self._stream.read(min(max(count, self._ahead), self._size - at))
        if len(data) < count:  # the file shrank while it was read
            raise FormatError(f"ends after {len(data)} of {count} bytes", offset=at)
        self._chunk, self._start, self._pos = data, at, count
        return data[:count]

    def uint(self, width: int) -> int:
        """Return an unsigned little-endian integer of ``width`` bytes.

        Raises:
            FormatError: When the blob ends before.
        """
        return int.from_bytes(self.take(width), "little")

    def sint(self, width: int) -> int:
        """Return a signed little-endian integer of ``width`` bytes.

        Raises:
            FormatError: When the blob ends before.
        """
        return int.from_bytes(self.take(width), "little", signed=True)

    def real(self, width: int) -> float:
        """Return an IEEE 754 number of 4 or 8 bytes.

        Raises:
            FormatError: When the blob ends before.
        """
        value: float = struct.unpack("<f" if width == 4 else "<d", self.take(width))[0]
        return value

    def _need(self, count: int) -> None:
        if not 0 <= count <= self.left:
            raise FormatError(f"needs {count} bytes where {max(self.left, 0)} are left", offset=self.at)
