"""The protocol buffer wire reader."""

import contextlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget, Limits
from hallmarked.formats.protobuf import open_message, outline
from tests.formats.wire import number, part, varint


def fields(data: bytes, **limits: int):
    with open_message(Blob.of_bytes("x", data), Budget(len(data), Limits(**limits))) as message:
        return [
            (f.number, f.wire, f.signed if f.wire == 0 else message.content(f) if f.wire == 2 else f.value)
            for f in message
        ]


def test_fields_of_every_wire_type_are_read():
    """Numbers, texts and fixed-width values come back; negative numbers keep their sign."""
    data = number(1, 300) + number(2, (1 << 64) - 5) + part(3, "hi") + b"\x25\1\0\0\0" + b"\x29\2\0\0\0\0\0\0\0"
    assert fields(data) == [(1, 0, 300), (2, 0, -5), (3, 2, b"hi"), (4, 5, 1), (5, 1, 2)]


@pytest.mark.parametrize(
    "data",
    [b"\x08", b"\x0a\x05abc", b"\x08" + b"\xff" * 11, b"\0\1", b"\x0b\x0c", b"\x0f\0", b"\x0d\0\0", varint(1 << 33)],
)
def test_broken_fields_are_refused(data):
    """Missing bytes, endless numbers, field 0, groups and unknown wire types are format errors."""
    with pytest.raises(FormatError):
        fields(data)


def test_fields_are_counted():
    """More fields than the budget allows are a limit."""
    with pytest.raises(LimitExceeded):
        fields(number(1, 1) * 20, nodes=10)


def test_text_is_counted():
    """More text than the budget allows is a limit."""
    with pytest.raises(LimitExceeded):
        fields(part(1, "x" * 60) + part(1, "y" * 60), text=100)


def test_numbers_packed_and_plain_are_the_same():
    """A repeated number may be written one by one or packed."""
    for data in (number(1, 7), part(1, varint(7), varint((1 << 64) - 1))):
        with open_message(Blob.of_bytes("x", data), Budget(99)) as message:
            assert message.numbers(next(iter(message)))[0] == 7


def test_packed_numbers_stay_in_their_field():
    """A packed number that runs over the end of its field is refused."""
    data = part(1, b"\xff") + number(2, 1)
    with open_message(Blob.of_bytes("x", data), Budget(99)) as message, pytest.raises(FormatError):
        message.numbers(next(iter(message)))


def test_large_fields_are_not_copied():
    """Hopping over a tensor takes no memory."""
    data = part(1, bytes(20_000_000)) + number(2, 1)
    blob = Blob.of_bytes("x", data)
    tracemalloc.start()
    try:
        assert outline(blob) == {(1, 2), (2, 0)}
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_outline_follows_a_path():
    """The fields inside a nested message tell formats apart."""
    blob = Blob.of_bytes("x", part(2, part(3, number(4, 1))))
    assert outline(blob, 2, 3) == {(4, 0)}
    assert outline(blob, 2, 9) is None
    assert outline(Blob.of_bytes("x", b"\xff\xff")) is None


@given(st.binary(max_size=200))
def test_arbitrary_bytes_only_raise_format_errors(data):
    """Whatever the bytes, nothing but a format error escapes."""
    outline(Blob.of_bytes("x", data), 1, 2)
    with contextlib.suppress(FormatError):
        fields(data)
