"""Writes R's serialized objects by hand, as no R is needed to run the tests."""

from __future__ import annotations

import struct

NIL, GLOBAL, UNBOUND = b"\0\0\0\xfe", b"\0\0\0\xfd", b"\0\0\0\xfc"


def number(*values: int) -> bytes:
    return struct.pack(f">{len(values)}i", *values)


def item(kind: int, *parts: bytes, flags: int = 0) -> bytes:
    return number(kind | flags) + b"".join(parts)


def chars(text: str) -> bytes:
    data = text.encode()
    return item(9, number(len(data)), data, flags=4 << 12)


def symbol(name: str) -> bytes:
    return item(1, chars(name))


def text(*values: str) -> bytes:
    return item(16, number(len(values)), *map(chars, values))


def integers(*values: int) -> bytes:
    return item(13, number(len(values)), number(*values))


def reals(*values: float) -> bytes:
    return item(14, number(len(values)), struct.pack(f">{len(values)}d", *values))


def pairs(*bindings: tuple[str, bytes], end: bytes = NIL) -> bytes:
    return b"".join(item(2, symbol(name), value, flags=0x400) for name, value in bindings) + end


def vector(*values: bytes, attributes: bytes = b"") -> bytes:
    return item(19, number(len(values)), *values, attributes, flags=0x200 if attributes else 0)


def call(function: str, *arguments: bytes) -> bytes:
    return item(6, symbol(function), *(item(2, argument) for argument in arguments), NIL)


def in_code(value: bytes) -> bytes:
    """A value as byte code keeps it: its type stands before it once more."""
    return b"\0\0\0" + value[3:4] + value


def promise(expression: bytes, value: bytes = UNBOUND, environment: bytes = GLOBAL) -> bytes:
    return item(5, environment, value, expression, flags=0x400)


def closure(body: bytes, environment: bytes = GLOBAL) -> bytes:
    return item(3, environment, NIL, body, flags=0x400)


def environment(*bindings: tuple[str, bytes]) -> bytes:
    return item(4, number(0), GLOBAL, pairs(*bindings), NIL, NIL)


def file(root: bytes, version: int = 2, workspace: bool = False) -> bytes:
    head = b"RDX%d\n" % version if workspace else b""
    encoding = number(5) + b"UTF-8" if version == 3 else b""
    return head + b"X\n" + number(version, 0x40300, 0x20300) + encoding + root
