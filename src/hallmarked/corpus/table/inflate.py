"""Files that are compressed as a whole, read from the front as they unfold: nothing is kept, nothing is read twice.

Formats: RFC 1952 (gzip), RFC 8878 (Zstandard), https://sourceware.org/bzip2/, https://tukaani.org/xz/xz-file-format.txt
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import BinaryIO, TypeAlias

import zstandard

from hallmarked.core.errors import FormatError
from hallmarked.corpus.table.model import ENDLESS
from hallmarked.formats.archive.compressed import CODECS
from hallmarked.formats.archive.stream import CHUNK, decode
from hallmarked.formats.blob import Blob, Budget

STARTS: Mapping[str, bytes] = {"gzip": b"\x1f\x8b", "bzip2": b"BZh", "xz": b"\xfd7zXZ\x00"}
"""How one more stream begins; several in a row are one content."""
PIECE = 4 << 10
"""Bytes given to Zstandard at once, which unfolds all of them: to 128 MiB, if somebody means harm."""
Unpack: TypeAlias = Callable[[BinaryIO], Iterator[bytes] | Iterator[bytes | memoryview]]
WINDOW = 1 << 27
"""Most memory that Zstandard may ask for to look back, as its own programs allow."""


def inflate(blob: Blob, codec: str) -> Blob:
    """Return the content of a compressed file, which can only be read from its beginning to its end.

    Reading raises ``FormatError`` where it cannot be decoded, and ``LimitExceeded`` where it unfolds to more than its
    size allows; what came before that can be used.

    Args:
        blob: The compressed file.
        codec: ``gzip``, ``bzip2``, ``xz`` or ``zstd``.
    """
    unpack: Unpack = _zstd if codec == "zstd" else lambda source: _streams(source, codec)

    def opener() -> BinaryIO:
        return io.BufferedReader(_Forward(blob.open(), unpack, Budget(blob.size)), CHUNK)

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


def _zstd(source: BinaryIO) -> Iterator[bytes | memoryview]:
    """Unfold one frame after the other."""
    data = source.read(PIECE)
    try:
        while data:
            frame = zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj()
            while not frame.eof:
                if not data:
                    raise FormatError("compressed data ends early")
                out = memoryview(frame.decompress(data))
                for start in range(0, len(out), CHUNK):
                    yield out[start : start + CHUNK]
                data = b"" if frame.eof else source.read(PIECE)
            data = frame.unused_data or source.read(PIECE)
    except (zstandard.ZstdError, MemoryError) as error:
        raise FormatError(f"compressed data cannot be decoded: {error}") from error


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

    def __init__(self, source: BinaryIO, unpack: Unpack, budget: Budget) -> None:
        self._source, self._chunks, self._budget = source, unpack(source), budget
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
