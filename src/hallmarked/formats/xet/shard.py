"""Shards as they are uploaded: which chunks of which xorbs make up each file.

Records of 48 bytes: a header, the files, the new xorbs. Nothing is copied before it is asked for, so memory does not
depend on what the counts in a shard say.

https://huggingface.co/docs/xet/shard
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hallmarked.core.errors import FormatError
from hallmarked.formats.xet.hash import SIZE, to_text
from hallmarked.formats.xet.xorb import MAX_CHUNK, MAX_CHUNKS

MAX_SHARD = 64 << 20
"""Bytes of a shard."""
_TAG = b"HFRepoMetaData\0" + bytes.fromhex("556967456a7b815783a5bdd95ccdd14aa9")
_VERSION = 2
_RECORD = 48
_END = b"\xff" * SIZE
_VERIFIED, _DESCRIBED = 1 << 31, 1 << 30
_HEADER = struct.Struct("<32s2Q")
_FILE = struct.Struct("<32s2I8x")
_SEGMENT = struct.Struct("<32s4I")
_XORB = struct.Struct("<32s4x2I4x")
_CHUNK = struct.Struct("<32s2I8x")


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of chunks of one xorb."""

    xorb: bytes
    """Raw hash of the xorb."""
    first: int
    end: int
    """Chunk after the last."""
    length: int
    """Bytes, unpacked."""
    proof: bytes | None
    """What :func:`hallmarked.formats.xet.hash.hash_segment` gives, as the sender says; None when nothing is said."""


class FileRecord:
    """A file and how it is put together.

    Args:
        shard: The whole shard.
        at: Offset of the file's record, which has been checked.
    """

    __slots__ = ("_flags", "_shard", "_start", "count", "hash", "sha256", "size")

    def __init__(self, shard: memoryview, at: int) -> None:
        self._shard, self._start = shard, at + _RECORD
        self.hash: bytes
        self.hash, self._flags, self.count = _FILE.unpack_from(shard, at)
        end = self._start + self.count * _RECORD * (2 if self._flags & _VERIFIED else 1)
        self.sha256 = to_text(bytes(shard[end : end + SIZE])) if self._flags & _DESCRIBED else None
        """What the sender says is the SHA-256 of the file, lower-case hex."""
        self.size = sum(segment.length for segment in self.segments())
        """Bytes."""

    def segments(self) -> Iterator[Segment]:
        """Yield the file's segments, in order."""
        for at in range(self._start, self._start + self.count * _RECORD, _RECORD):
            xorb, _, length, first, end = _SEGMENT.unpack_from(self._shard, at)
            proof = at + self.count * _RECORD
            said = bytes(self._shard[proof : proof + SIZE]) if self._flags & _VERIFIED else None
            yield Segment(xorb, first, end, length, said)


class Shard:
    """A shard whose structure was checked from the first byte to the last.

    Args:
        data: Its bytes; they may be a mapped file.

    Raises:
        FormatError: When it is not a shard as clients upload it.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data)
        if len(self._data) > MAX_SHARD:
            raise FormatError(f"a shard of more than {MAX_SHARD:,} bytes")
        self._check_header()
        at = _RECORD
        while (following := self._after_file(at)) is not None:
            at = following
        at = self._files_end = at + _RECORD
        while (following := self._after_xorb(at)) is not None:
            at = following
        if at + _RECORD != len(self._data):
            raise FormatError("something follows the end of the shard", offset=at + _RECORD)

    def files(self) -> Iterator[FileRecord]:
        """Yield the files, in order."""
        at = _RECORD
        while (following := self._after_file(at)) is not None:
            yield FileRecord(self._data, at)
            at = following

    def _record(self, at: int) -> memoryview:
        if at + _RECORD > len(self._data):
            raise FormatError("the shard ends before it should", offset=at)
        return self._data[at : at + _RECORD]

    def _check_header(self) -> None:
        tag, version, footer = _HEADER.unpack(self._record(0))
        if tag != _TAG:
            raise FormatError("this is not a shard", offset=0)
        if version != _VERSION or footer != 0:
            raise FormatError(f"a shard of version {version} with a footer of {footer} bytes, not 2 and 0", offset=32)

    def _after_file(self, at: int) -> int | None:
        """Check a file's record and return where the next one begins; None at the end of the files."""
        flags: int
        count: int
        hash_, flags, count = _FILE.unpack(self._record(at))
        if hash_ == _END:
            return None
        records = 1 + count * (2 if flags & _VERIFIED else 1) + (1 if flags & _DESCRIBED else 0)
        self._record(at + (records - 1) * _RECORD)
        for place in range(at + _RECORD, at + (1 + count) * _RECORD, _RECORD):
            _, _, length, first, end = _SEGMENT.unpack_from(self._data, place)
            if not (first < end <= MAX_CHUNKS and 0 < length <= (end - first) * MAX_CHUNK):
                raise FormatError("a segment that no xorb can have", offset=place)
        return at + records * _RECORD

    def _after_xorb(self, at: int) -> int | None:
        """Check a xorb's record and return where the next one begins; None at the end of the shard."""
        count: int
        hash_, count, length = _XORB.unpack(self._record(at))
        if hash_ == _END:
            return None
        if not 0 < count <= MAX_CHUNKS:
            raise FormatError(f"a xorb of {count} chunks", offset=at)
        self._record(at + count * _RECORD)
        total = 0
        for place in range(at + _RECORD, at + (1 + count) * _RECORD, _RECORD):
            _, start, size = _CHUNK.unpack_from(self._data, place)
            if start != total or not 0 < size <= MAX_CHUNK:
                raise FormatError("a chunk that no xorb can have", offset=place)
            total += size
        if total != length:
            raise FormatError(f"a xorb of {length:,} bytes whose chunks have {total:,}", offset=at)
        return at + (1 + count) * _RECORD
