"""The walk over MessagePack files."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget, Limits
from hallmarked.formats.msgpack import HELD, Value, read_msgpack

msgpack = pytest.importorskip("msgpack")

KINDS = {
    type(None): "nil",
    bool: "bool",
    int: "int",
    float: "float",
    str: "text",
    bytes: "binary",
    list: "array",
    dict: "map",
}


def read(data: bytes, **limits: int) -> list[Value]:
    return list(read_msgpack(Blob.of_bytes("x", data), Budget(stored=len(data), limits=Limits(**limits))))


def flat(value: object) -> list[tuple[str, object]]:
    """What the walk over a value must yield, in order."""
    found: list[tuple[str, object]] = [(KINDS[type(value)], None if isinstance(value, list | dict) else value)]
    items = (
        value
        if isinstance(value, list)
        else [x for pair in value.items() for x in pair]
        if isinstance(value, dict)
        else []
    )
    return found + [entry for item in items for entry in flat(item)]


scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False)
values = st.recursive(
    scalars | st.text(max_size=50) | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=40), inner, max_size=20),
    max_leaves=10,
)


@settings(deadline=None)
@given(values)
def test_reads_what_the_library_writes(value: object) -> None:
    """Every value comes out once, in order, with its content."""
    read_back = [
        (v.kind, v.value.decode() if v.kind == "text" and isinstance(v.value, bytes) else v.value)
        for v in read(msgpack.packb(value))
    ]
    assert read_back == flat(value)


def test_long_values_and_extensions() -> None:
    """Long values are stepped over, extensions show their type, keys are marked."""
    found = read(
        msgpack.packb({"a": b"x" * 70_000, "b": msgpack.ExtType(5, b"abc"), "c": msgpack.ExtType(77, bytes(300))})
    )
    assert [(v.kind, v.size, v.code, v.key) for v in found] == [
        ("map", 3, 0, False),
        ("text", 1, 0, True),
        ("binary", 70_000, 0, False),
        ("text", 1, 0, True),
        ("extension", 3, 5, False),
        ("text", 1, 0, True),
        ("extension", 300, 77, False),
    ]
    assert HELD < 70_000
    assert found[2].value is None


@pytest.mark.parametrize(
    "data",
    [
        *(b"\xc1", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x92\x01", b"\xcc"),
        *(b"\x82\x01\x01\x01\x02", b"\x82\xa1a\x01\xc4\x01a\x02", b"\x81\x90\x01", b"\xd4"),
    ],
)
def test_broken_and_ambiguous_files_are_refused(data: bytes) -> None:
    """Sizes beyond the end, unused types, duplicate and compound keys are refused."""
    with pytest.raises(FormatError):
        read(data)


def test_limits_hold() -> None:
    """Depth and number of values are bounded."""
    with pytest.raises(LimitExceeded):
        read(b"\x91" * 200 + b"\x01")
    with pytest.raises(LimitExceeded):
        read(b"\x01" * 100, nodes=99)
    assert len(read(b"\x91" * 100 + b"\x01")) == 101


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_fail_only_with_format_errors(data: bytes) -> None:
    """Arbitrary bytes are read or refused, never anything else."""
    with contextlib.suppress(FormatError):
        read(data)
