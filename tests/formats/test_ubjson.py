"""The walk over UBJSON files."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget, Limits
from hallmarked.formats.ubjson import Value, read_ubjson


def read(data: bytes, **limits: int) -> list[Value]:
    return list(read_ubjson(Blob.of_bytes("x", data), Budget(stored=len(data), limits=Limits(**limits))))


def test_all_kinds_of_values() -> None:
    """Plain, counted and typed containers, numbers of all widths, text and constants are read."""
    data = b"{i\x01a[U\xffi\xff]N" + b"i\x01b[$d#i\x02\x3f\x80\0\0\0\0\0\0" + b"U\x01c{#i\x01i\x01xSi\x02hi"
    data += b"i\x01d[$T#i\x03" + b"i\x01eZi\x01fCxi\x01gD\x3f\xf0\0\0\0\0\0\0" + b"}"
    found = [(v.key, v.kind, v.value, v.size, v.depth) for v in read(data)]
    assert found == [
        (None, "object", None, 0, 0),
        ("a", "array", None, 0, 1),
        (None, "number", 255, 0, 2),
        (None, "number", -1, 0, 2),
        ("b", "packed", None, 2, 1),
        ("c", "object", None, 0, 1),
        ("x", "text", "hi", 2, 2),
        ("d", "array", None, 0, 1),
        *[(None, "constant", True, 0, 2)] * 3,
        ("e", "constant", None, 0, 1),
        ("f", "char", b"x", 0, 1),
        ("g", "number", 1.0, 0, 1),
    ]


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"",
            b"N",
            b"q",
            b"[",
            b"{i\x01a",
            b"{i\x01aTi\x01aT}",
            b"Si\xff",
            b"SS",
            b"Si\x05ab",
            b"Si\x01\xff",
            b"TT",
            b"[$T]",
        ),
        *(
            b"[$d#L\x7f" + b"\xff" * 7,
            b"[#L\x7f" + b"\xff" * 7,
            b"{#i\x7f",
            b"[$d#i\xff",
            b"{$T#L\x7f" + b"\xff" * 7,
            b"[T}",
        ),
    ],
)
def test_broken_and_ambiguous_files_are_refused(data: bytes) -> None:
    """Lengths below zero or beyond the end, unknown types, duplicate keys and trailing bytes are refused."""
    with pytest.raises(FormatError):
        read(data)


def test_limits_hold() -> None:
    """Depth and number of values are bounded, also of values that take no bytes."""
    with pytest.raises(LimitExceeded):
        read(b"[" * 200)
    with pytest.raises(LimitExceeded):
        read(b"[$T#L\x7f" + b"\xff" * 7)
    with pytest.raises(LimitExceeded):
        read(b"[" + b"T" * 100 + b"]", nodes=99)


@settings(deadline=None)
@given(st.binary(max_size=100) | st.text("[]{}$#iULdSTFZNC\x01\x02a", max_size=60).map(str.encode))
def test_arbitrary_bytes_fail_only_with_format_errors(data: bytes) -> None:
    """Arbitrary bytes and arbitrary marks are read or refused, never anything else."""
    with contextlib.suppress(FormatError):
        read(data, nodes=10_000)
