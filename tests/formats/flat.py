"""A small writer of FlatBuffers for tests: a table is a dict from slot to value.

A value is ``(width, number)``, a dict (a table), a text, bytes, ``(width, [numbers])`` or a list of dicts.
"""

from __future__ import annotations

from typing import Any


def build(root: dict[int, Any], identifier: bytes, header: bytes = b"") -> bytes:
    """Lay out a buffer, every part after the one that points to it."""
    out = bytearray(8) + header
    out[4:8] = identifier
    out[0:4] = _table(out, root).to_bytes(4, "little")
    return bytes(out)


def _align(out: bytearray) -> None:
    out += bytes(-len(out) % 8)


def _table(out: bytearray, fields: dict[int, Any]) -> int:
    _align(out)
    slots = max(fields, default=-1) + 1
    vtable, at, size = len(out), -(-(len(out) + 4 + 2 * slots) // 8) * 8, 4
    offsets: dict[int, int] = {}
    for slot, value in fields.items():
        width = value[0] if _is_number(value) else 4
        size = -(-size // width) * width
        offsets[slot] = size
        size += width
    out += (4 + 2 * slots).to_bytes(2, "little") + size.to_bytes(2, "little")
    out += b"".join(offsets.get(slot, 0).to_bytes(2, "little") for slot in range(slots))
    out += bytes(at - len(out)) + (at - vtable).to_bytes(4, "little", signed=True) + bytes(size - 4)
    for slot, value in fields.items():
        place = at + offsets[slot]
        if _is_number(value):
            width, number = value
            out[place : place + width] = number.to_bytes(width, "little", signed=number < 0)
        else:
            target = _part(out, value)
            out[place : place + 4] = (target - place).to_bytes(4, "little")
    return at


def _is_number(value: Any) -> bool:
    return isinstance(value, tuple) and isinstance(value[1], int)


def _part(out: bytearray, value: Any) -> int:
    if isinstance(value, dict):
        return _table(out, value)
    _align(out)
    at = len(out)
    if isinstance(value, list):
        out += len(value).to_bytes(4, "little") + bytes(4 * len(value))
        for index, item in enumerate(value):
            place = at + 4 + 4 * index
            target = _table(out, item)
            out[place : place + 4] = (target - place).to_bytes(4, "little")
    elif isinstance(value, tuple):
        width, numbers = value
        out += len(numbers).to_bytes(4, "little")
        out += b"".join(n.to_bytes(width, "little", signed=n < 0) for n in numbers)
    else:
        data = value.encode() if isinstance(value, str) else value
        out += len(data).to_bytes(4, "little") + data + b"\0"
    return at
