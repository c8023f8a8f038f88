"""Xorbs as they are uploaded: chunks one after the other, each with a header of 8 bytes.

https://huggingface.co/docs/xet/xorb
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from lz4.frame import LZ4FrameDecompressor  # type: ignore[import-untyped]

from hallmarked.core.errors import FormatError, LimitExceeded

MAX_CHUNK = 128 << 10
"""Bytes of a chunk, unpacked."""
MAX_PACKED = 2 * MAX_CHUNK
"""Bytes of a chunk, packed."""
MAX_CHUNKS = 8192
"""Chunks of a xorb."""
MAX_XORB = 64 << 20
"""Bytes of the packed chunks of a xorb."""
MAX_BODY = MAX_XORB + (1 << 20)
"""Bytes of a xorb with the headers of its chunks and a footer, which is not looked at."""
_HEADER = 8
_FOOTER = b"XETBLOB"
_PLAIN, _LZ4, _GROUPED = 0, 1, 2
_WIDTH = 4
"""Bytes of the numbers whose bytes are grouped by place."""


class XorbDecoder:
    """Unpacks a xorb while it arrives; holds at most one packed chunk and what was just fed."""

    def __init__(self) -> None:
        self._rest = b""
        self._offset = self._packed = 0
        self._count = 0
        self._ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes and yield the chunks they complete, in order; exhaust it before feeding more.

        Raises:
            FormatError: When this is not a xorb.
            LimitExceeded: When it has more than a xorb may have.
        """
        if self._offset + len(self._rest) + len(data) > MAX_BODY:
            raise LimitExceeded(f"a xorb of more than {MAX_BODY:,} bytes", offset=self._offset)
        view = memoryview(self._rest + data if self._rest else data)
        at = 0
        while not self._ended and len(view) - at >= _HEADER:
            header = view[at : at + _HEADER]
            if header[: len(_FOOTER)] == _FOOTER:
                self._ended = True
                break
            packed = self._check(header)
            if len(view) - at - _HEADER < packed:
                break
            start = at + _HEADER
            yield decode_chunk(header[4], view[start : start + packed], int.from_bytes(header[5:8], "little"))
            at = start + packed
            self._count += 1
            self._packed += packed
            self._offset += _HEADER + packed
        if self._ended:  # what follows is the footer, which may be as long as the limit above allows
            self._offset += len(view) - at
            at = len(view)
        self._rest = bytes(view[at:])

    def finish(self) -> None:
        """Say that nothing more comes.

        Raises:
            FormatError: When a chunk is incomplete, or there was none.
        """
        if self._rest and self._rest != _FOOTER:
            raise FormatError("the xorb ends inside of a chunk", offset=self._offset)
        if not self._count:
            raise FormatError("the xorb has no chunk", offset=0)

    def _check(self, header: memoryview) -> int:
        """Return how many bytes follow a chunk's header, once everything in it is within its bounds."""
        if header[0] != 0:
            raise FormatError(f"a chunk of version {header[0]}, not 0", offset=self._offset)
        packed, length = int.from_bytes(header[1:4], "little"), int.from_bytes(header[5:8], "little")
        if not 0 < length <= MAX_CHUNK:
            raise LimitExceeded(f"a chunk of {length:,} bytes, where 1 to {MAX_CHUNK:,} may be", offset=self._offset)
        if packed > MAX_PACKED or self._packed + packed > MAX_XORB:
            said = f"more packed bytes than {MAX_PACKED:,} in a chunk or {MAX_XORB:,} in all"
            raise LimitExceeded(said, offset=self._offset)
        if self._count == MAX_CHUNKS:
            raise LimitExceeded(f"more than {MAX_CHUNKS} chunks in a xorb", offset=self._offset)
        return packed


def decode_chunk(scheme: int, packed: bytes | memoryview, length: int) -> bytes:
    """Unpack one chunk to the length its header states.

    Raises:
        FormatError: When the scheme is unknown, or something else comes out.
    """
    if scheme == _PLAIN:
        data = bytes(packed)
    elif scheme in (_LZ4, _GROUPED):
        data = _unpack(packed, length)
    else:
        raise FormatError(f"a chunk packed in a way that is not known ({scheme})")
    if len(data) != length:
        raise FormatError(f"a chunk whose header says {length:,} bytes has another length")
    return _ungroup(data) if scheme == _GROUPED else data


def _unpack(packed: bytes | memoryview, length: int) -> bytes:
    """Unpack one LZ4 frame; never makes more than one byte too many, whatever the frame says of its size."""
    decompressor = LZ4FrameDecompressor()
    try:
        data: bytes = decompressor.decompress(packed, max_length=length + 1)
    except (RuntimeError, ValueError, EOFError) as error:
        raise FormatError("a chunk is not an LZ4 frame") from error
    if not decompressor.eof or decompressor.unused_data:
        raise FormatError(f"a chunk whose header says {length:,} bytes has another length")
    return data


def _ungroup(data: bytes) -> bytes:
    """Put bytes back in order that were grouped by their place modulo 4."""
    source = np.frombuffer(data, np.uint8)
    whole, extra = divmod(len(data), _WIDTH)
    made = np.empty(len(data), np.uint8)
    at = 0
    for place in range(_WIDTH):
        count = whole + (place < extra)
        made[place::_WIDTH] = source[at : at + count]
        at += count
    return made.tobytes()
