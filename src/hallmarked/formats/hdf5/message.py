"""The messages of HDF5 object headers that say what an object is and where its data lies.

https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, section IV.A.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hallmarked.core.errors import FormatError
from hallmarked.formats.cursor import Cursor

STRING, OPAQUE, REFERENCE, VLEN = 3, 5, 7, 9


@dataclass(frozen=True, slots=True)
class Datatype:
    """The type of the elements of an attribute or dataset."""

    kind: int
    """Class number: 0 integer, 1 float, 3 string, 5 opaque, 6 compound, 7 reference, 8 enumeration, 9 sequence."""
    size: int
    """Bytes per element as stored."""
    text: bool
    """Whether its elements are strings, of fixed or variable length."""
    base: Datatype | None = None
    """Type of the elements of a variable-length sequence."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A step that stored data goes through when it is read."""

    id: int
    name: str
    optional: bool


@dataclass(frozen=True, slots=True)
class External:
    """A range of another file in which data lies."""

    file: str
    offset: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the data of a dataset lies."""

    kind: str
    """``compact``, ``contiguous``, ``chunked`` or ``virtual``."""
    address: int | None = None
    """Of the data, the chunk index or the heap collection; ``None`` when never written."""
    size: int | None = None
    """Bytes stored, when the layout says so."""
    index: int = 0
    """Kind of chunk index, or the object in the heap collection of a virtual layout."""
    inline: int | None = None
    """Offset in the file of compact data, which lies in the message itself."""
    rank: int = 0
    """Dimensions of a chunk, including that of the element."""


def read_datatype(cursor: Cursor) -> Datatype:
    """Read a datatype message.

    Raises:
        FormatError: When it is broken.
    """
    head = cursor.uint(1)
    bits = cursor.uint(3)
    size = cursor.uint(4)
    kind = head & 0xF
    if not 1 <= head >> 4 <= 5:
        raise FormatError("HDF5 datatype of unknown version", offset=cursor.offset)
    if kind != VLEN:
        return Datatype(kind, size, kind == STRING)
    # The base of a sequence may again be one; only the first is needed to tell text from bytes.
    inner = cursor.uint(1) & 0xF
    cursor.take(3)
    return Datatype(kind, size, bits & 0xF == 1, Datatype(inner, cursor.uint(4), inner == STRING))


def read_dataspace(cursor: Cursor, lengths: int) -> tuple[int, ...] | None:
    """Read a dataspace message: the shape, ``()`` for a scalar, ``None`` for no element at all.

    Raises:
        FormatError: When it is broken.
    """
    version, rank, _flags = cursor.uint(1), cursor.uint(1), cursor.uint(1)
    kind = cursor.uint(1)
    if version == 1:
        cursor.take(4)
        kind = 1 if rank else 0
    elif version != 2:
        raise FormatError(f"HDF5 dataspace version {version}", offset=cursor.offset)
    if rank > 32 or kind > 2:
        raise FormatError("HDF5 dataspace of impossible rank or kind", offset=cursor.offset)
    return None if kind == 2 else tuple(cursor.uint(lengths) for _ in range(rank))


def count(shape: tuple[int, ...] | None) -> int:
    """Return the number of elements of a shape."""
    return 0 if shape is None else math.prod(shape)


def read_filters(cursor: Cursor) -> tuple[Filter, ...]:
    """Read a filter pipeline message.

    Raises:
        FormatError: When it is broken.
    """
    version, number = cursor.uint(1), cursor.uint(1)
    if version not in (1, 2) or number > 32:
        raise FormatError("HDF5 filter pipeline of unknown version or length", offset=cursor.offset)
    cursor.take(6 if version == 1 else 0)
    found = []
    for _ in range(number):
        identity = cursor.uint(2)
        named = version == 1 or identity >= 256
        length = cursor.uint(2) if named else 0
        flags, values = cursor.uint(2), cursor.uint(2)
        name = cursor.take((length + 7) // 8 * 8 if version == 1 else length)
        cursor.take(4 * (values + (values % 2 if version == 1 else 0)))
        found.append(Filter(identity, name.rstrip(b"\0").decode("utf-8", "replace"), bool(flags & 1)))
    return tuple(found)


_KINDS = {0: "compact", 1: "contiguous", 2: "chunked", 3: "virtual"}


def read_layout(cursor: Cursor, offsets: int, lengths: int) -> Layout:
    """Read a data layout message.

    Raises:
        FormatError: When it is broken.
    """
    version = cursor.uint(1)
    if version in (1, 2):
        return _read_old_layout(cursor, offsets)
    kind = _KINDS.get(cursor.uint(1))
    if version not in (3, 4, 5) or kind is None:
        raise FormatError("HDF5 layout of unknown version or kind", offset=cursor.offset)
    if kind == "compact":
        size = cursor.uint(2)
        return Layout(kind, None, size, inline=cursor.offset)
    if kind == "contiguous":
        address = _address(cursor, offsets)
        return Layout(kind, address, cursor.uint(lengths))
    if kind == "virtual":
        address = _address(cursor, offsets)
        return Layout(kind, address, index=cursor.uint(4))
    if version == 3:
        rank = cursor.uint(1)
        return Layout(kind, _address(cursor, offsets), rank=rank)
    return _read_chunk_index(cursor, offsets, lengths)


def _read_old_layout(cursor: Cursor, offsets: int) -> Layout:
    rank, kind = cursor.uint(1), _KINDS.get(cursor.uint(1))
    cursor.take(5)
    if kind is None or kind == "virtual":
        raise FormatError("HDF5 layout of unknown kind", offset=cursor.offset)
    address = None if kind == "compact" else _address(cursor, offsets)
    cursor.take(4 * rank)
    if kind == "compact":
        size = cursor.uint(4)
        return Layout(kind, None, size, inline=cursor.offset)
    return Layout(kind, address, rank=rank)


def _read_chunk_index(cursor: Cursor, offsets: int, lengths: int) -> Layout:
    flags, rank, width = cursor.uint(1), cursor.uint(1), cursor.uint(1)
    cursor.take(rank * width)
    index = cursor.uint(1)
    size = None
    if index == 1:  # a single chunk, with its stored size when it is filtered
        if flags & 2:
            size = cursor.uint(lengths)
            cursor.take(4)
    elif index not in (2, 3, 4, 5):
        raise FormatError(f"HDF5 chunk index of unknown kind {index}", offset=cursor.offset)
    else:
        cursor.take({2: 0, 3: 1, 4: 5, 5: 6}[index])
    return Layout("chunked", _address(cursor, offsets), size, index=index, rank=rank)


def _address(cursor: Cursor, offsets: int) -> int | None:
    address = cursor.uint(offsets)
    return None if address == (1 << 8 * offsets) - 1 else address
