"""Bounded reader of MessagePack: a walk over the values of a file.

https://github.com/msgpack/msgpack/blob/master/spec.md. Long values are stepped over, not held; a mapping that has a
key twice is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.cursor import StreamCursor

HELD = 4096
"""Longest text or binary value whose bytes are part of the event."""

_INTEGERS = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
_FLOATS = {0xCA: ">f", 0xCB: ">d"}
_BINARY = {0xC4: 1, 0xC5: 2, 0xC6: 4}
_TEXT = {0xD9: 1, 0xDA: 2, 0xDB: 4}
_EXTENSION = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_FIXED_EXTENSION = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_ARRAY = {0xDC: 2, 0xDD: 4}
_MAP = {0xDE: 2, 0xDF: 4}
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_CONTAINERS = frozenset({"array", "map"})


@dataclass(frozen=True, slots=True)
class Value:
    """One value, in the order of the file."""

    kind: str
    """``nil``, ``bool``, ``int``, ``float``, ``text``, ``binary``, ``extension``, ``array`` or ``map``."""
    offset: int
    """Of the content of text, binary and extensions, otherwise of the value."""
    size: int = 0
    """Bytes of text, binary and extensions; items of an array or pairs of a map."""
    code: int = 0
    """Type of an extension."""
    value: object = None
    """Numbers, and text, binary and extensions up to ``HELD`` bytes (as bytes)."""
    key: bool = False
    """Whether it is a key of a map."""
    depth: int = 0
    """How many containers it lies in."""


@dataclass(slots=True)
class _Open:
    """A container that is still being read."""

    left: int
    mapping: bool
    keys: set[tuple[str, object]] = field(default_factory=set)

    @property
    def at_key(self) -> bool:
        return self.mapping and self.left % 2 == 0


def read_msgpack(blob: Blob, budget: Budget) -> Iterator[Value]:
    """Yield all values of a file; more than one value may stand at the top.

    Raises:
        FormatError: When it is broken, or a map has a key twice.
        LimitExceeded: When it is too deep or has too many values.
    """
    stack: list[_Open] = []
    with StreamCursor(blob) as cursor:
        while cursor.left or stack:
            budget.spend("nodes")
            # A container that is full is closed only now, so that its last item knows its depth.
            key = bool(stack) and stack[-1].at_key
            value = _read(cursor, key, len(stack))
            if key:
                _check_key(stack[-1], value)
            if stack:
                stack[-1].left -= 1
            yield value
            if value.kind in _CONTAINERS:
                items = value.size * (2 if value.kind == "map" else 1)
                # Every item takes at least a byte.
                cursor.need(items)
                if len(stack) >= budget.limits.node_depth:
                    raise LimitExceeded(f"MessagePack nested deeper than {budget.limits.node_depth}", offset=cursor.at)
                stack.append(_Open(items, value.kind == "map"))
            while stack and not stack[-1].left:
                stack.pop()


def _check_key(container: _Open, value: Value) -> None:
    if value.kind in _CONTAINERS or value.size > HELD:
        raise FormatError("MessagePack key that is a container or very long", offset=value.offset)
    # Text and binary of the same bytes are one key to readers of the older format.
    kind = "raw" if value.kind in ("text", "binary") else value.kind
    known = (f"{kind}{value.code}", value.value)
    if known in container.keys:
        raise FormatError("MessagePack map with a key that appears twice", offset=value.offset)
    container.keys.add(known)


def _read(cursor: StreamCursor, key: bool, depth: int) -> Value:
    at = cursor.at
    lead = cursor.take(1)[0]
    if lead <= 0x7F or lead >= 0xE0:
        return Value("int", at, value=lead if lead <= 0x7F else lead - 256, key=key, depth=depth)
    if lead in _CONSTANTS:
        kind = "nil" if lead == 0xC0 else "bool"
        return Value(kind, at, value=_CONSTANTS[lead], key=key, depth=depth)
    if lead in _INTEGERS or lead in _FLOATS:
        kind, layout = ("int", _INTEGERS[lead]) if lead in _INTEGERS else ("float", _FLOATS[lead])
        return Value(kind, at, value=cursor.unpack(struct.Struct(layout)), key=key, depth=depth)
    if lead <= 0x9F:
        return Value("array" if lead >= 0x90 else "map", at, size=lead & 0xF, key=key, depth=depth)
    if lead in _ARRAY or lead in _MAP:
        kind, width = ("array", _ARRAY[lead]) if lead in _ARRAY else ("map", _MAP[lead])
        return Value(kind, at, size=_number(cursor, width), key=key, depth=depth)
    return _read_bytes(cursor, lead, key, depth)


def _read_bytes(cursor: StreamCursor, lead: int, key: bool, depth: int) -> Value:
    code = 0
    if lead <= 0xBF:
        kind, size = "text", lead & 0x1F
    elif lead in _TEXT:
        kind, size = "text", _number(cursor, _TEXT[lead])
    elif lead in _BINARY:
        kind, size = "binary", _number(cursor, _BINARY[lead])
    elif lead in _EXTENSION or lead in _FIXED_EXTENSION:
        kind = "extension"
        size = _number(cursor, _EXTENSION[lead]) if lead in _EXTENSION else _FIXED_EXTENSION[lead]
        code = int.from_bytes(cursor.take(1), "big", signed=True)
    else:
        raise FormatError(f"MessagePack type {lead:#04x} is never used", offset=cursor.at - 1)
    at = cursor.at
    held: bytes | None = None
    if size <= HELD:
        held = cursor.take(size)
    else:
        cursor.skip(size)
    return Value(kind, at, size, code, held, key, depth)


def _number(cursor: StreamCursor, width: int) -> int:
    return int.from_bytes(cursor.take(width), "big")
