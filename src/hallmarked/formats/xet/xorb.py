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
    """Unpacks a xorb while it arrives; holds at most one packed chunk.

    Bytes are copied only where a chunk does not lie in one piece: chunks that are not packed come out as views of what
    went in.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        """A chunk that has begun to arrive."""
        self._offset = self._packed = 0
        self._count = 0
        self._ended = False

    def feed(self, data: bytes | memoryview) -> Iterator[bytes | memoryview]:
        """Take bytes and yield the chunks they complete, in order; exhaust it before feeding more.

        Raises:
            FormatError: When this is not a xorb.
            LimitExceeded: When it has more than a xorb may have.
        """
        view = memoryview(data)
        if self._offset + len(self._rest) + len(view) > MAX_BODY:
            raise LimitExceeded(f"a xorb of more than {MAX_BODY:,} bytes", offset=self._offset)
        while view and not self._ended:
            length = self._length(self._rest or view)
            if self._rest or len(view) < length:
                missing = length - len(self._rest)
                self._rest += view[:missing]
                view = view[missing:]
                # A header that is complete now says how long the chunk is.
                if len(self._rest) == self._length(self._rest):
                    whole, self._rest = self._rest, bytearray()
                    yield self._take(memoryview(whole))
            elif not self._ended:
                yield self._take(view[:length])
                view = view[length:]
        if self._ended:  # what follows is the footer, which may be as long as the limit above allows
            self._offset += len(self._rest) + len(view)
            self._rest.clear()

    def finish(self) -> None:
        """Say that nothing more comes.

        Raises:
            FormatError: When a chunk is incomplete, or there was none.
        """
        if self._rest and self._rest != _FOOTER:
            raise FormatError("the xorb ends inside of a chunk", offset=self._offset)
        if not self._count:
            raise FormatError("the xorb has no chunk", offset=0)

    def _length(self, start: bytearray | memoryview) -> int:
        """Return how many bytes a chunk has, with its header; those of the header when there is not all of it."""
        if len(start) < _HEADER:
            return _HEADER
        if bytes(start[: len(_FOOTER)]) == _FOOTER:
            self._ended = True
            return 0
        if start[0] != 0:
            raise FormatError(f"a chunk of version {start[0]}, not 0", offset=self._offset)
        packed, length = int.from_bytes(start[1:4], "little"), int.from_bytes(start[5:8], "little")
        if not 0 < length <= MAX_CHUNK:
            raise LimitExceeded(f"a chunk of {length:,} bytes, where 1 to {MAX_CHUNK:,} may be", offset=self._offset)
        if packed > MAX_PACKED or self._packed + packed > MAX_XORB:
            said = f"more packed bytes than {MAX_PACKED:,} in a chunk or {MAX_XORB:,} in all"
            raise LimitExceeded(said, offset=self._offset)
        if self._count == MAX_CHUNKS:
            raise LimitExceeded(f"more than {MAX_CHUNKS} chunks in a xorb", offset=self._offset)
        return _HEADER + packed

    def _take(self, chunk: memoryview) -> bytes | memoryview:
        """Unpack a chunk that is there from its header to its end."""
        data = decode_chunk(chunk[4], chunk[_HEADER:], int.from_bytes(chunk[5:8], "little"))
        self._count += 1
        self._packed += len(chunk) - _HEADER
        self._offset += len(chunk)
        return data


def decode_chunk(scheme: int, packed: bytes | memoryview, length: int) -> bytes | memoryview:
    """Unpack one chunk to the length its header states; what is not packed is returned as it is.

    Raises:
        FormatError: When the scheme is unknown, or something else comes out.
    """
    data: bytes | memoryview
    if scheme == _PLAIN:
        data = packed
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


def _ungroup(data: bytes | memoryview) -> memoryview:
    """Put bytes back in order that were grouped by their place modulo 4."""
    source = np.frombuffer(data, np.uint8)
    whole, extra = divmod(len(data), _WIDTH)
    made = np.empty(len(data), np.uint8)
    at = 0
    for place in range(_WIDTH):
        count = whole + (place < extra)
        made[place::_WIDTH] = source[at : at + count]
        at += count
    return made.data
