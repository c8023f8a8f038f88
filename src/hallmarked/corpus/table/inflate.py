"""Files that are compressed as a whole, read from the front as they unfold: nothing is kept, nothing is read twice.

Formats: RFC 1952 (gzip), RFC 8878 (Zstandard), https://sourceware.org/bzip2/, https://tukaani.org/xz/xz-file-format.txt
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from hallmarked.core.errors import FormatError
from hallmarked.corpus.table.model import ENDLESS
from hallmarked.formats.archive.compressed import CODECS, STARTS
from hallmarked.formats.archive.stream import CHUNK, decode
from hallmarked.formats.blob import Blob, Budget

PIECE = 4 << 10
"""Bytes in which the beginning of one more stream is looked for."""


def inflate(blob: Blob, codec: str) -> Blob:
    """Return the content of a compressed file, which can only be read from its beginning to its end.

    Reading raises ``FormatError`` where it cannot be decoded, and ``LimitExceeded`` where it unfolds to more than its
    size allows; what came before that can be used.

    Args:
        blob: The compressed file.
        codec: ``gzip``, ``bzip2``, ``xz`` or ``zstd``.
    """

    def opener() -> BinaryIO:
        return io.BufferedReader(_Forward(blob.open(), codec, Budget(blob.size)), CHUNK)

    return replace(blob, size=ENDLESS, opener=opener, origin=None)


def _streams(source: BinaryIO, codec: str) -> Iterator[bytes]:
    """Unfold one stream after the other."""
    first = b""
    while True:
        decoder = CODECS[codec]()
        yield from decode(decoder, source, first)
        first = decoder.unused_data
        if len(first) < PIECE:
            first += source.read(PIECE)
        if codec == "xz":
            first = first.lstrip(b"\0")
        if not first.startswith(STARTS[codec]):
            break
    _refuse_rest(first, source)


def _refuse_rest(rest: bytes, source: BinaryIO) -> None:
    """Say what follows the content, unless it is zeros, which padding adds.

    Raises:
        FormatError: When something does.
    """
    count, zeros = len(rest), not rest.strip(b"\0")
    while data := source.read(CHUNK):
        count += len(data)
        zeros = zeros and not data.strip(b"\0")
    if not zeros:
        raise FormatError(f"{count:,} bytes follow the compressed content")


class _Forward(io.RawIOBase):
    """What unfolds, as a stream that only goes forward."""

    def __init__(self, source: BinaryIO, codec: str, budget: Budget) -> None:
        self._source, self._chunks, self._budget = source, _streams(source, codec), budget
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._budget.expand(len(chunk))
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()
