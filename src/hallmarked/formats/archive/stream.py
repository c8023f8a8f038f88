"""Decompressed bytes as seekable streams: bounded, lazily re-opened, never on disk.

Content is run through once to learn its true size and checksum (a size that an archive declares is only a claim) and
is then offered as a blob. Small content stays in a bounded cache; larger content is decompressed again when it is read.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO, Protocol, cast

import zstandard

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget

CHUNK = 1 << 18
"""Bytes handled at a time."""
CACHE = 32 << 20
"""Bytes of expanded content one archive keeps in memory."""
HISTORY = 4
"""Chunks kept for going back a little without starting over."""
LZMA_MEMORY = 192 << 20
"""Memory an LZMA decoder may ask for; the strongest preset needs 65 MiB."""
ZSTD_WINDOW = 1 << 27
"""Memory a Zstandard decoder may ask for to look back, as its own programs allow."""
ZSTD_PIECE = 4 << 10
"""Bytes given to Zstandard at once, which unfolds all of them: to 128 MiB, if somebody means harm."""
SLACK = 256 << 20
"""Bytes that may be decompressed again, besides eight times the content, before reading is called abusive."""

Chunks = Callable[[], Iterator[bytes]]
"""Starts decompressing from the beginning; raises ``FormatError`` where the data cannot be decoded."""


class Decoder(Protocol):
    """One compressed stream, fed piece by piece (the interface of ``bz2`` and ``lzma``)."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""

    @property
    def needs_input(self) -> bool:
        """Whether more input is needed before more output can come."""

    @property
    def unused_data(self) -> bytes:
        """What follows the end of the stream."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most ``max_length`` bytes."""


class ZlibDecoder:
    """A zlib, gzip or raw deflate stream behind the ``Decoder`` interface.

    Args:
        wbits: Window bits: negative for raw, 15 for zlib, 31 for gzip.
    """

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        """Whether more input is needed before more output can come."""
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """What follows the end of the stream."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most ``max_length`` bytes."""
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


class ZstdDecoder:
    """A Zstandard frame behind the ``Decoder`` interface (RFC 8878)."""

    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
        self._input, self._output = b"", memoryview(b"")

    @property
    def eof(self) -> bool:
        """Whether the end of the frame was reached, and all of its content was taken."""
        return self._inner.eof and not self._output

    @property
    def needs_input(self) -> bool:
        """Whether more input is needed before more output can come."""
        return not self._output and not self._input

    @property
    def unused_data(self) -> bytes:
        """What follows the end of the frame."""
        return self._inner.unused_data + self._input

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most ``max_length`` bytes."""
        self._input += data
        while self._input and not self._output and not self._inner.eof:
            piece, self._input = self._input[:ZSTD_PIECE], self._input[ZSTD_PIECE:]
            self._output = memoryview(self._inner.decompress(piece))
        out, self._output = self._output[:max_length], self._output[max_length:]
        return bytes(out)


def lzma_decoder(container: int = lzma.FORMAT_XZ) -> Decoder:
    """Return a decoder of ``.xz`` or ``.lzma`` streams with bounded memory."""
    return lzma.LZMADecompressor(container, memlimit=LZMA_MEMORY)


def raw_lzma_decoder(
    filter_id: int, properties: bytes, size: int, filters: Sequence[Mapping[str, int]] = ()
) -> Decoder:
    """Return a decoder of a raw LZMA or LZMA2 stream of known expanded size.

    Args:
        filter_id: ``lzma.FILTER_LZMA1`` or ``lzma.FILTER_LZMA2``.
        properties: As stored in the archive.
        size: Expanded size.
        filters: Filters applied to what comes out.

    Raises:
        FormatError: When the properties are invalid.
        LimitExceeded: When the dictionary would need too much memory.
    """
    spec: dict[str, int] = {"id": filter_id}
    if filter_id == lzma.FILTER_LZMA1:
        if len(properties) != 5 or properties[0] >= 225:
            raise FormatError("invalid LZMA properties")
        packed, dictionary = properties[0], int.from_bytes(properties[1:5], "little")
        spec |= {"lc": packed % 9, "lp": packed // 9 % 5, "pb": packed // 45}
        if spec["lc"] + spec["lp"] > 4:
            raise FormatError("LZMA properties that no common decoder accepts")
    else:
        if len(properties) != 1 or properties[0] > 40:
            raise FormatError("invalid LZMA2 properties")
        bits = properties[0]
        dictionary = 0xFFFFFFFF if bits == 40 else (2 | bits & 1) << (bits // 2 + 11)
    # No distance reaches further back than what was written, so a smaller dictionary decodes the same.
    dictionary = max(4096, min(dictionary, size + 4096))
    if dictionary > LZMA_MEMORY:
        raise LimitExceeded(f"an LZMA dictionary of {dictionary:,} bytes needs too much memory")
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[*filters, spec | {"dict_size": dictionary}])


def decode(decoder: Decoder, source: BinaryIO, first: bytes = b"") -> Iterator[bytes]:
    """Yield the content of one compressed stream; what follows it stays in ``decoder.unused_data`` and ``source``.

    Raises:
        FormatError: When the data cannot be decoded, or ends before the stream does.
    """
    data = first
    try:
        while not decoder.eof:
            if not data and decoder.needs_input:
                data = source.read(CHUNK)
                if not data:
                    raise FormatError("compressed data ends early")
            if out := decoder.decompress(data, CHUNK):
                yield out
            data = b""
    except (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError, zstandard.ZstdError, MemoryError) as error:
        raise FormatError(f"compressed data cannot be decoded: {error}") from error


def bzip2_decoder() -> Decoder:
    """Return a decoder of one bzip2 stream."""
    return bz2.BZ2Decompressor()


class Cache:
    """Expanded content kept in memory, oldest dropped first."""

    def __init__(self, limit: int = CACHE) -> None:
        self.limit, self._held, self._entries = limit, 0, dict[object, bytes]()

    def get(self, key: object) -> bytes | None:
        """Return what is held under a key."""
        return self._entries.get(key)

    def reserve(self, size: int) -> bool:
        """Say whether there is room for content that is never dropped, and take it."""
        if size > self.limit - self._held:
            return False
        self.limit -= size
        return True

    def put(self, key: object, data: bytes) -> None:
        """Hold ``data``, dropping older content to make room."""
        if len(data) > self.limit:
            return
        while self._held + len(data) > self.limit:
            self._held -= len(self._entries.pop(next(iter(self._entries))))
        self._entries[key] = data
        self._held += len(data)


class Content:
    """What one pass over decompressed bytes found.

    Args:
        chunks: Starts decompressing.
        budget: Pays for every byte, once.
        cache: Where small content is kept.
        cap: Expanded bytes after which reading stops, e.g. the declared size and one more.
    """

    def __init__(self, chunks: Chunks, budget: Budget, cache: Cache, cap: int | None = None) -> None:
        self.size, self.crc = 0, 0
        self._chunks, self._cache, self._work = chunks, cache, 0
        kept: list[bytes] | None = []
        self.error: FormatError | None = None
        try:
            for chunk in chunks():
                budget.expand(len(chunk))
                self.crc = zlib.crc32(chunk, self.crc)
                self.size += len(chunk)
                if self.size > cache.limit // 4:
                    kept = None
                elif kept is not None:
                    kept.append(chunk)
                if cap is not None and self.size >= cap:
                    break
        except LimitExceeded:
            raise
        except FormatError as error:
            self.error = error
        if kept is not None:
            cache.put(self, b"".join(kept))

    def blob(self, path: str, depth: int) -> Blob:
        """Offer everything that could be decompressed."""
        return Blob(path, self.size, self._open, depth)

    def _open(self) -> BinaryIO:
        if (data := self._cache.get(self)) is not None:
            return io.BytesIO(data)
        return io.BufferedReader(_Restartable(self._again, self.size), CHUNK)

    def _again(self) -> Iterator[bytes]:
        try:
            for chunk in self._chunks():
                self._work += len(chunk)
                if self._work > 8 * self.size + SLACK:
                    raise LimitExceeded("reading compressed content back and forth costs too much")
                yield chunk
        except LimitExceeded:
            raise
        except FormatError:
            return  # the first pass ended at the same place; what came before it is the content


def pooled(blob: Blob) -> Blob:
    """Return the same bytes, keeping one idle handle: archives with many members open theirs again and again."""
    return replace(blob, opener=_Handles(blob.opener).open)


class _Handles:
    """Hands out streams and keeps one for the next time."""

    def __init__(self, opener: Callable[[], BinaryIO]) -> None:
        self._opener = opener
        self._idle: BinaryIO | None = None

    def open(self) -> BinaryIO:
        stream, self._idle = self._idle or self._opener(), None
        return cast("BinaryIO", _Borrowed(stream, self))

    def give_back(self, stream: BinaryIO) -> None:
        if self._idle is None:
            self._idle = stream
        else:
            stream.close()

    def __del__(self) -> None:
        if self._idle is not None:
            self._idle.close()


class _Borrowed:
    """A stream whose ``close`` gives it back; everything else is the stream's own."""

    __slots__ = ("_handles", "_stream", "read", "readinto", "readline", "seek", "tell")

    def __init__(self, stream: BinaryIO, handles: _Handles) -> None:
        stream.seek(0)
        self._stream: BinaryIO | None = stream
        self._handles = handles
        self.read, self.seek, self.tell, self.readline = stream.read, stream.seek, stream.tell, stream.readline
        self.readinto = stream.readinto  # type: ignore[attr-defined]

    def __enter__(self) -> _Borrowed:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        return self._stream is None

    def close(self) -> None:
        if self._stream is not None:
            stream, self._stream = self._stream, None
            self._handles.give_back(stream)


class _Restartable(io.RawIOBase):
    """A seekable view on chunks that can only be produced in order."""

    def __init__(self, chunks: Chunks, size: int) -> None:
        self._start, self._size, self._at = chunks, size, 0
        self._rewind()

    def _rewind(self) -> None:
        self._source = self._start()
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=HISTORY)
        self._end = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._at >= self._size or not len(buffer):
            return 0
        if self._recent and self._at < self._recent[0][0]:
            self._rewind()
        while self._end <= self._at:
            chunk = next(self._source, b"")
            if not chunk:
                return 0
            self._recent.append((self._end, chunk))
            self._end += len(chunk)
        for start, chunk in self._recent:
            if start <= self._at < start + len(chunk):
                part = chunk[self._at - start : self._at - start + min(len(buffer), self._size - self._at)]
                buffer[: len(part)] = part
                self._at += len(part)
                return len(part)
        return 0
