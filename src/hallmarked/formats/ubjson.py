"""Bounded reader of UBJSON, in the dialect that XGBoost writes: a walk over the values of a file.

https://ubjson.org/ (draft 12) and https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html. Arrays of one
numeric type are stepped over as one value; an object that has a key twice is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.cursor import StreamCursor

HELD = 4096
"""Longest text whose bytes are part of the event."""

_INTEGERS = {b"i": ">b", b"U": ">B", b"I": ">h", b"u": ">H", b"l": ">i", b"m": ">I", b"L": ">q", b"M": ">Q"}
_FLOATS = {b"d": ">f", b"D": ">d", b"h": ">e"}
_NUMBERS = {mark: struct.Struct(layout) for mark, layout in (_INTEGERS | _FLOATS).items()}
_CONSTANTS: dict[bytes, object] = {b"Z": None, b"T": True, b"F": False}
_TEXT = frozenset({b"S", b"H"})


@dataclass(frozen=True, slots=True)
class Value:
    """One value, in the order of the file."""

    kind: str
    """``constant``, ``number``, ``text``, ``char``, ``packed`` (numbers of one type), ``array`` or ``object``."""
    offset: int
    """Of its content."""
    key: str | None = None
    """Its name in the object that holds it."""
    size: int = 0
    """Bytes of text, items of a packed array."""
    item: str = ""
    """Layout of the items of a packed array, e.g. ``>i``."""
    value: object = None
    """Constants, numbers, and text up to ``HELD`` bytes."""
    depth: int = 0
    """How many containers it lies in."""


@dataclass(slots=True)
class _Open:
    """A container that is still being read; ``left`` is ``None`` when a mark closes it."""

    mapping: bool
    left: int | None = None
    item: bytes | None = None
    keys: set[str] = field(default_factory=set)


def read_ubjson(blob: Blob, budget: Budget) -> Iterator[Value]:
    """Yield all values of a file.

    Raises:
        FormatError: When it is broken, has an object with a key twice, or bytes behind its value.
        LimitExceeded: When it is too deep or has too many values.
    """
    with StreamCursor(blob) as cursor:
        yield from _Walk(cursor, budget).values()
        if cursor.left:
            raise FormatError(f"UBJSON value with {cursor.left:,} bytes behind it", offset=cursor.at)


class _Walk:
    def __init__(self, cursor: StreamCursor, budget: Budget) -> None:
        self._cursor, self._budget = cursor, budget
        self._stack: list[_Open] = []

    def values(self) -> Iterator[Value]:
        yield self._value(self._mark(), None)
        while self._stack:
            top = self._stack[-1]
            if top.left == 0:
                self._stack.pop()
                continue
            mark = self._mark() if top.left is None else b""
            if mark == (b"}" if top.mapping else b"]"):
                self._stack.pop()
                continue
            key = self._key(top, mark) if top.mapping else None
            if top.item is not None:
                mark = top.item
            elif top.mapping or not mark:
                mark = self._mark()
            if top.left is not None:
                top.left -= 1
            yield self._value(mark, key)

    def _mark(self) -> bytes:
        mark = self._cursor.take(1)
        while mark == b"N":  # stands for nothing, between any two values
            mark = self._cursor.take(1)
        return mark

    def _key(self, top: _Open, mark: bytes) -> str:
        text = self._text(self._count(mark or self._mark()))
        if text is None:
            raise FormatError("UBJSON key of absurd length", offset=self._cursor.at)
        if text in top.keys:
            raise FormatError("UBJSON object with a key that appears twice", offset=self._cursor.at)
        top.keys.add(text)
        return text

    def _count(self, mark: bytes) -> int:
        if mark not in _INTEGERS:
            raise FormatError(f"UBJSON length of type {mark!r}", offset=self._cursor.at)
        value = self._cursor.unpack(_NUMBERS[mark])
        if value < 0:
            raise FormatError("UBJSON length below zero", offset=self._cursor.at)
        return value

    def _text(self, size: int) -> str | None:
        """Read text, or step over it when it is long."""
        if size > HELD:
            self._cursor.skip(size)
            return None
        try:
            return self._cursor.take(size).decode("utf-8")
        except UnicodeDecodeError as error:
            raise FormatError("UBJSON text is not valid UTF-8", offset=self._cursor.at) from error

    def _value(self, mark: bytes, key: str | None) -> Value:
        self._budget.spend("nodes")
        cursor, depth, at = self._cursor, len(self._stack), self._cursor.at
        if mark in _CONSTANTS:
            return Value("constant", at, key, value=_CONSTANTS[mark], depth=depth)
        if mark in _NUMBERS:
            return Value("number", at, key, value=cursor.unpack(_NUMBERS[mark]), depth=depth)
        if mark == b"C":
            return Value("char", at, key, value=cursor.take(1), depth=depth)
        if mark in _TEXT:
            size = self._count(cursor.take(1))
            at = cursor.at
            return Value("text", at, key, size, value=self._text(size), depth=depth)
        if mark in (b"[", b"{"):
            return self._open(mark == b"{", key)
        raise FormatError(f"UBJSON type {mark!r}", offset=at)

    def _open(self, mapping: bool, key: str | None) -> Value:
        cursor, depth, at = self._cursor, len(self._stack), self._cursor.at
        if depth >= self._budget.limits.node_depth:
            raise LimitExceeded(f"UBJSON nested deeper than {self._budget.limits.node_depth}", offset=at)
        item, count = self._header()
        if item is not None and not mapping and item in _NUMBERS:
            assert count is not None
            cursor.skip(count * _NUMBERS[item].size)
            return Value(
                "packed", cursor.at - count * _NUMBERS[item].size, key, count, _NUMBERS[item].format, depth=depth
            )
        if count is not None:
            self._check_count(count, item, mapping)
        self._stack.append(_Open(mapping, count, item))
        return Value("object" if mapping else "array", at, key, depth=depth)

    def _header(self) -> tuple[bytes | None, int | None]:
        """Read the type and the count that a container may begin with."""
        cursor, item = self._cursor, None
        mark = cursor.peek()
        if mark == b"$":
            cursor.skip(1)
            item = cursor.take(1)
            mark = cursor.peek()
            if mark != b"#":
                raise FormatError("UBJSON container with a type but no count", offset=cursor.at)
        if mark != b"#":
            return None, None
        cursor.skip(1)
        return item, self._count(cursor.take(1))

    def _check_count(self, count: int, item: bytes | None, mapping: bool) -> None:
        """Refuse counts that the rest of the file cannot hold; constants take no byte at all."""
        if item in _CONSTANTS and not mapping:
            self._budget.spend("nodes", count)
        else:
            self._cursor.need(count)
