"""FlatBuffers (https://flatbuffers.dev/internals/), walked without a schema compiler and checked at every step.

A table is a place in the file whose fields are found through its vtable. Each access checks that the vtable, the field
and what it points to lie inside the buffer, as the format's own verifier does, so that a reader following the same path
stays inside too. Offsets to tables and vectors only point forward, so a walk ends; tables count against the budget.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Budget
from hallmarked.formats.bytestream import Cursor

_MAX_TEXT = 1 << 16
_NEARBY = 4096


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector: where its elements begin and how many there are."""

    at: int
    count: int


class FlatBuffer:
    """A buffer.

    Args:
        stream: The bytes; the caller closes it.
        size: Bytes of the buffer, which begins with the file.
        budget: What walking may cost.
    """

    def __init__(self, stream: BinaryIO, size: int, budget: Budget) -> None:
        self.cursor, self.size, self.budget = Cursor(stream, size, chunk=_NEARBY), size, budget

    def root(self) -> Table:
        """Return the outermost table.

        Raises:
            FormatError: When it does not lie inside.
        """
        return Table(self, self.number(0, 4))

    def number(self, at: int, width: int, *, signed: bool = False) -> int:
        """Return the number at an offset.

        Raises:
            FormatError: When it does not lie inside.
        """
        self.cursor.seek(at)
        return self.cursor.sint(width) if signed else self.cursor.uint(width)

    def follow(self, at: int) -> int:
        """Return where the offset stored at ``at`` points to.

        Raises:
            FormatError: When it points to itself or outside.
        """
        offset = self.number(at, 4)
        if offset < 4 or at + offset + 4 > self.size:
            raise FormatError(f"offset {offset} points outside of the buffer", offset=at)
        return at + offset


class Table:
    """A table in a buffer; fields are named by their slot, counted from 0 in the order of the schema.

    Args:
        buffer: The buffer.
        at: Where the table begins.

    Raises:
        FormatError: When the table or its vtable does not lie inside.
    """

    def __init__(self, buffer: FlatBuffer, at: int) -> None:
        buffer.budget.spend("nodes")
        self._buffer, self.at = buffer, at
        self._vtable = at - buffer.number(at, 4, signed=True)
        if not 0 <= self._vtable <= buffer.size - 4:
            raise FormatError("table has its vtable outside of the buffer", offset=at)
        self._vsize, self._size = buffer.number(self._vtable, 2), buffer.number(self._vtable + 2, 2)
        if self._vsize < 4 or self._vsize % 2 or self._vtable + self._vsize > buffer.size:
            raise FormatError(f"vtable of {self._vsize} bytes", offset=self._vtable)
        if self._size < 4 or at + self._size > buffer.size:
            raise FormatError(f"table of {self._size} bytes does not fit", offset=at)

    def _field(self, slot: int, width: int) -> int | None:
        entry = 4 + 2 * slot
        if entry + 2 > self._vsize:
            return None
        offset = self._buffer.number(self._vtable + entry, 2)
        if not offset:
            return None
        if offset < 4 or offset + width > self._size:
            raise FormatError(f"field {slot} lies outside of its table", offset=self.at)
        return self.at + offset

    def number(self, slot: int, width: int, default: int = 0, *, signed: bool = False) -> int:
        """Return a number field, or its default when it is absent.

        Raises:
            FormatError: When it lies outside of the table.
        """
        at = self._field(slot, width)
        return default if at is None else self._buffer.number(at, width, signed=signed)

    def table(self, slot: int) -> Table | None:
        """Return a table field, or nothing when it is absent.

        Raises:
            FormatError: When it lies outside.
        """
        at = self._field(slot, 4)
        return None if at is None else Table(self._buffer, self._buffer.follow(at))

    def vector(self, slot: int, width: int) -> Vector:
        """Return a vector field of elements of ``width`` bytes; an absent one is empty.

        Raises:
            FormatError: When it does not lie inside.
        """
        at = self._field(slot, 4)
        if at is None:
            return Vector(self.at, 0)
        start = self._buffer.follow(at)
        count = self._buffer.number(start, 4)
        if start + 4 + count * width > self._buffer.size:
            raise FormatError(f"vector of {count} elements does not fit", offset=start)
        return Vector(start + 4, count)

    def numbers(self, slot: int, width: int, *, signed: bool = False) -> Iterator[int]:
        """Return the elements of a vector of numbers.

        Raises:
            FormatError: When it does not lie inside.
            LimitExceeded: When it has more elements than the budget allows.
        """
        vector = self.vector(slot, width)
        self._buffer.budget.spend("nodes", vector.count)
        for index in range(vector.count):
            yield self._buffer.number(vector.at + index * width, width, signed=signed)

    def tables(self, slot: int) -> Iterator[Table]:
        """Return the elements of a vector of tables.

        Raises:
            FormatError: When one does not lie inside.
            LimitExceeded: When there are more than the budget allows.
        """
        vector = self.vector(slot, 4)
        for index in range(vector.count):
            yield Table(self._buffer, self._buffer.follow(vector.at + 4 * index))

    def text(self, slot: int) -> str:
        """Return a text field, empty when it is absent; bytes that are not UTF-8 appear with escapes.

        Raises:
            FormatError: When it does not lie inside.
            LimitExceeded: When it is longer than any name.
        """
        vector = self.vector(slot, 1)
        if vector.count > _MAX_TEXT:
            raise LimitExceeded(f"text of {vector.count} bytes", offset=vector.at)
        self._buffer.cursor.seek(vector.at)
        return self._buffer.cursor.take(vector.count).decode("utf-8", "backslashreplace")
