"""The protocol buffer wire format (https://protobuf.dev/programming-guides/encoding/), without a schema compiler.

A message is a range of the file; its fields are read one by one and the bytes of a length-delimited field are a range
in turn, so that tensors inside are never copied. Every field counts against the budget.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget, Limits
from hallmarked.formats.bytestream import Cursor

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
_MAX_NUMBERS = 1 << 16
_MAX_OUTLINE = 300_000


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message."""

    number: int
    wire: int
    value: int
    """The number, as unsigned; 0 for a length-delimited field."""
    start: int
    """Where its content begins in the file."""
    end: int

    @property
    def signed(self) -> int:
        """The number as a signed 64-bit integer."""
        return self.value - (1 << 64) if self.value >> 63 else self.value


class Message:
    """A range of bytes that is a message.

    Args:
        cursor: Reads the file; shared by all messages of it.
        budget: What reading may cost.
        start: Where the message begins.
        end: Where it ends.
        depth: How many messages it lies in.
    """

    def __init__(self, cursor: Cursor, budget: Budget, start: int, end: int, depth: int = 0) -> None:
        self._cursor, self._budget, self.start, self.end, self._depth = cursor, budget, start, end, depth

    def __iter__(self) -> Iterator[Field]:
        """Return the fields in the order of the bytes.

        Raises:
            FormatError: When they do not fill the message exactly.
            LimitExceeded: When there are more than the budget allows.
        """
        at, cursor = self.start, self._cursor
        while at < self.end:
            self._budget.spend("nodes")
            cursor.seek(at)
            field = self._field()
            at = field.end
            yield field

    def _field(self) -> Field:
        cursor = self._cursor
        tag = self._varint()
        number, wire = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise FormatError(f"field number {number}", offset=cursor.at)
        if wire == VARINT:
            start = cursor.at
            return Field(number, wire, self._varint(), start, cursor.at)
        if wire == LENGTH:
            size, start = self._varint(), cursor.at
        elif wire in (FIXED64, FIXED32):
            size, start = 8 if wire == FIXED64 else 4, cursor.at
        else:
            raise FormatError(f"wire type {wire} is not in use", offset=cursor.at)
        if size > self.end - start:
            raise FormatError(f"field {number} of {size} bytes leaves its message", offset=start)
        value = 0 if wire == LENGTH else cursor.uint(size)
        return Field(number, wire, value, start, start + size)

    def _varint(self) -> int:
        cursor, value = self._cursor, 0
        for shift in range(0, 70, 7):
            if cursor.at >= self.end:
                raise FormatError("number leaves its message", offset=cursor.at)
            byte = cursor.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & (1 << 64) - 1
        raise FormatError("number longer than ten bytes", offset=cursor.at)

    def message(self, field: Field) -> Message:
        """Return the content of a field as a message.

        Raises:
            FormatError: When the field is not length-delimited.
            LimitExceeded: When messages are nested too deeply.
        """
        _need(field, LENGTH)
        if self._depth >= self._budget.limits.node_depth:
            raise LimitExceeded("messages nested too deeply", offset=field.start)
        return Message(self._cursor, self._budget, field.start, field.end, self._depth + 1)

    def content(self, field: Field) -> bytes:
        """Return the bytes of a field.

        Raises:
            FormatError: When the field is not length-delimited.
            LimitExceeded: When all of these together are more than the budget allows.
        """
        _need(field, LENGTH)
        self._budget.spend("text", field.end - field.start)
        self._cursor.seek(field.start)
        return self._cursor.take(field.end - field.start)

    def text(self, field: Field) -> str:
        """Return the text of a field; bytes that are not UTF-8 appear with escapes.

        Raises:
            FormatError: When the field is not length-delimited.
            LimitExceeded: When all of these together are more than the budget allows.
        """
        return self.content(field).decode("utf-8", "backslashreplace")

    def numbers(self, field: Field) -> list[int]:
        """Return the signed integers of a repeated field, one or packed.

        Raises:
            FormatError: When they leave the field.
            LimitExceeded: When they are too many to hold.
        """
        if field.wire == VARINT:
            return [field.signed]
        inner, values = self.message(field), []
        self._cursor.seek(field.start)
        while self._cursor.at < field.end:
            value = inner._varint()
            values.append(value - (1 << 64) if value >> 63 else value)
            if len(values) > _MAX_NUMBERS:
                raise LimitExceeded("too many numbers in one field", offset=field.start)
        return values


def _need(field: Field, wire: int) -> None:
    if field.wire != wire:
        raise FormatError(f"field {field.number} has wire type {field.wire}, not {wire}", offset=field.start)


@contextmanager
def open_message(blob: Blob, budget: Budget) -> Iterator[Message]:
    """Open a blob as one message."""
    with blob.open() as stream:
        yield Message(Cursor(stream, blob.size), budget, 0, blob.size)


def outline(blob: Blob, *path: int) -> frozenset[tuple[int, int]] | None:
    """Return (number, wire type) of the fields of a message, or nothing when there is no such message.

    Fields are hopped over, so the cost is one short read per field. Used to recognise formats, which have no magic.

    Args:
        blob: What may be a message.
        path: Numbers of the fields that lead to the message meant, the first occurrence each; empty for the outermost.
    """
    try:
        with open_message(blob, Budget(blob.size, Limits(nodes=_MAX_OUTLINE))) as outermost:
            message = outermost
            for number in path:
                parent = message
                message = next(parent.message(f) for f in parent if f.number == number and f.wire == LENGTH)
            return frozenset((field.number, field.wire) for field in message)
    except (FormatError, StopIteration):
        return None
