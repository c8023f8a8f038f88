"""The FlatBuffer walker."""

import contextlib
import io
import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Budget, Limits
from hallmarked.formats.flatbuffer import FlatBuffer
from tests.formats.flat import build

DATA = build({0: (4, 7), 2: "name", 3: [{0: (1, 1)}, {}], 4: (8, [5, 6]), 5: {1: (2, -3)}, 6: (1, 200)}, b"TEST")


def root(data: bytes, **limits: int):
    return FlatBuffer(io.BytesIO(data), len(data), Budget(len(data), Limits(**limits))).root()


def test_fields_of_every_kind_are_read():
    """Numbers, texts, vectors and tables come back; absent fields have their default."""
    table = root(DATA)
    assert table.number(0, 4) == 7
    assert table.number(1, 4, 9) == 9
    assert table.number(99, 4, 8) == 8
    assert table.text(2) == "name"
    assert [t.number(0, 1) for t in table.tables(3)] == [1, 0]
    assert list(table.numbers(4, 8)) == [5, 6]
    assert table.table(5).number(1, 2, signed=True) == -3
    assert table.number(6, 1) == 200
    assert table.table(1) is None
    assert table.text(1) == ""
    assert list(table.tables(1)) == []


def test_a_real_file_is_walked():
    """Python's own library is not needed; a vtable may lie after its table."""
    data = struct.pack("<I4si", 8, b"TEST", -8) + struct.pack("<I", 42) + struct.pack("<HHH", 6, 8, 4)
    assert root(data).number(0, 4) == 42


BROKEN = {
    "empty": b"",
    "root outside": struct.pack("<I4s", 1 << 31, b"TEST") + bytes(16),
    "vtable before": struct.pack("<I4si", 8, b"TEST", 100) + bytes(8),
    "vtable after": struct.pack("<I4si", 8, b"TEST", -1000) + bytes(8),
    "vtable short": struct.pack("<I4siHH", 8, b"TEST", -4, 2, 4),
    "vtable odd": struct.pack("<I4siHHB", 8, b"TEST", -4, 5, 4, 0),
    "vtable long": struct.pack("<I4siHH", 8, b"TEST", -4, 400, 4),
    "table long": struct.pack("<I4siHH", 8, b"TEST", -4, 4, 400),
    "table short": struct.pack("<I4siHH", 8, b"TEST", -4, 4, 2),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_tables_outside_are_refused(data):
    """A table or vtable that does not lie inside is a format error."""
    with pytest.raises(FormatError):
        root(data)


@pytest.mark.parametrize("offset", [2, 6, 40_000])
def test_fields_outside_of_their_table_are_refused(offset):
    """A field must lie between the beginning and the end of its table."""
    data = struct.pack("<HHH2x", 6, 8, offset)
    data = struct.pack("<I4s", 16, b"TEST") + data + struct.pack("<ii", 8, 0)
    with pytest.raises(FormatError):
        root(data).number(0, 4)


@pytest.mark.parametrize(("offset", "count"), [(0, 0), (3, 0), (1 << 31, 0), (4, 1000), (4, (1 << 32) - 1)])
def test_vectors_outside_are_refused(offset, count):
    """An offset must point forward and inside, and all elements must fit."""
    table = struct.pack("<HHH2x", 6, 8, 4) + struct.pack("<iI", 8, offset)
    data = struct.pack("<I4s", 16, b"TEST") + table + struct.pack("<I", count) + bytes(40)
    with pytest.raises(FormatError):
        root(data).vector(0, 8)


def test_parts_are_counted():
    """Shared tables cannot multiply the work."""
    data = build({0: [{0: (1, 1)}] * 50}, b"TEST")
    with pytest.raises(LimitExceeded):
        list(root(data, nodes=20).tables(0))


def walk(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        table = root(data)
        for slot in range(7):
            reads = (
                table.text,
                table.table,
                lambda s: list(itertools.islice(table.tables(s), 50)),
                lambda s: list(itertools.islice(table.numbers(s, 8), 50)),
                lambda s: table.number(s, 4),
            )
            for read in reads:
                with contextlib.suppress(FormatError):
                    read(slot)


@given(st.integers(0, len(DATA) - 1), st.integers(0, 255), st.integers(0, len(DATA)))
def test_mutations_only_raise_format_errors(at, value, cut):
    """Changed and shortened buffers give other values or a format error."""
    walk(DATA[:at] + bytes([value]) + DATA[at + 1 :])
    walk(DATA[:cut])


@given(st.binary(max_size=100))
def test_arbitrary_bytes_only_raise_format_errors(data):
    """Whatever the bytes, nothing but a format error escapes."""
    walk(data)
    walk(struct.pack("<I4s", 8, b"TEST") + data)
