"""How a child's process and the one that started it talk.

The parent writes a line of JSON, the job, and then a line of JSON for every part. The child answers with frames: a
header, and as many bytes as the header says. While it looks at a part it may ask for ranges of files it cannot open;
the answer has a header of its own (``ANSWER``).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import BinaryIO

from hallmarked.core.errors import BackendError, FormatError

HEADER = struct.Struct(">BQQ")
"""Kind, rows that were read so far of this part, bytes that follow."""
ANSWER = struct.Struct(">BI")
"""Stands before the bytes a child asked for: 1 when they say why it does not get them, and their number."""
MAX_STATE = 1 << 30
"""Bytes of a state; one process holds it as a whole before it is written down."""
MAX_WORDS = 4_096
"""Bytes of whatever else a child says."""
CHUNK = 1 << 20


class Kind(IntEnum):
    """What a frame holds."""

    READY = 0
    """The kinds of isolation that hold, as JSON."""
    STATE = 1
    """What was learned from the part."""
    BROKE = 2
    """Why nothing was learned from it."""
    SPENT = 3
    """The same, and the process ends: it has no memory left."""
    ASK = 4
    """``[number, start, size]`` of a range of a file."""


def write_frame(stream: BinaryIO, kind: Kind, data: bytes, rows: int = 0) -> None:
    """Write a frame."""
    stream.write(HEADER.pack(kind, rows, len(data)))
    stream.write(data)
    stream.flush()


def read_header(stream: BinaryIO) -> tuple[Kind, int, int]:
    """Read the head of a frame: its kind, rows and size.

    Raises:
        EOFError: When nothing comes any more.
        FormatError: When it is none.
    """
    head = stream.read(HEADER.size)
    if len(head) < HEADER.size:
        raise EOFError
    number, rows, size = HEADER.unpack(head)
    try:
        kind = Kind(number)
    except ValueError as error:
        raise FormatError("a process sent something that is no answer") from error
    if size > (MAX_STATE if kind is Kind.STATE else MAX_WORDS):
        raise FormatError(f"a process sent an answer of {size:,} bytes")
    return kind, rows, size


def copy_exactly(stream: BinaryIO, size: int, take: Callable[[bytes], object]) -> None:
    """Hand on as many bytes as a header said, piece by piece.

    Raises:
        EOFError: When fewer come.
    """
    while size:
        data = stream.read(min(size, CHUNK))
        if not data:
            raise EOFError
        take(data)
        size -= len(data)


def read_exactly(stream: BinaryIO, size: int) -> bytes:
    """Return as many bytes as a header said.

    Raises:
        EOFError: When fewer come.
    """
    pieces: list[bytes] = []
    copy_exactly(stream, size, pieces.append)
    return b"".join(pieces)


def read_answer(stream: BinaryIO) -> bytes:
    """Read the answer to what was asked for.

    Raises:
        BackendError: When it says why there is none.
    """
    head = stream.read(ANSWER.size)
    if len(head) < ANSWER.size:
        raise BackendError("nobody gives the bytes of this revision any more")
    failed, length = ANSWER.unpack(head)
    data = stream.read(length)
    if failed:
        raise BackendError(data.decode("utf-8", "replace"))
    return data
