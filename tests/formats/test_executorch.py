"""The reader of ExecuTorch programs."""

import contextlib
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.executorch import Program, backends, is_executorch, read_executorch
from tests.formats.flat import build

I32, U64 = 4, 8
SEGMENT = 64


def program(plan=None, root=None, instructions=None, *, extended=True, segment=None):
    """Write a program with one method, one operator, one delegate and one segment, unless told otherwise."""
    tensor = {0: (1, 6), 2: (I32, [2]), 5: (4, 1)}
    call = [{0: (1, 1), 1: {0: (4, 0), 1: (I32, [0, 0])}}, {0: (1, 2), 1: {0: (4, 0), 1: (I32, [0])}}]
    method = {
        0: "forward",
        2: [{0: (1, 5), 1: tensor}],
        3: (I32, [0]),
        4: (I32, [0]),
        5: [{2: call if instructions is None else instructions}],
        6: [{0: "aten::add", 1: "out"}],
        7: [{0: "XnnpackBackend", 1: {0: (1, 1), 1: (4, 0)}}],
        **(plan or {}),
    }
    fields = {0: (4, 0), 1: [method], 4: [segment or {0: (8, 0), 1: (8, SEGMENT)}], 5: {0: (4, 0), 1: (U64, [0, 16])}}
    fields.update(root or {})
    if not extended:
        return build(fields, b"ET12")
    size = len(build(fields, b"ET12", bytes(24)))
    base = -(-size // 16) * 16
    header = b"eh00" + struct.pack("<IQQ", 24, size, base)
    return build(fields, b"ET12", header).ljust(base, b"\0") + bytes(SEGMENT)


def read(data: bytes) -> Program:
    return read_executorch(Blob.of_bytes("m.pte", data), Budget(len(data)))


def test_a_program_is_read():
    """Methods, operators, delegates and segments come back."""
    data = program()
    found = read(data)
    assert found.methods == ["forward"]
    assert found.operators == {"aten::add.out"}
    assert list(backends(found)) == [("XnnpackBackend", 1)]
    assert found.segments == [(len(data) - SEGMENT, SEGMENT)]
    assert found.external == 0
    assert is_executorch(Blob.of_bytes("x", data))


def test_a_program_without_segments_is_read():
    """Older programs keep everything inline and have no extended header."""
    inline = {3: [{0: b"abc"}], 2: [{}, {0: b"1234"}], 4: [], 5: {}}
    data = program({7: [{0: "B", 1: {0: (1, 0), 1: (4, 0)}}]}, inline, extended=False)
    assert read(data).delegates == ["B"]


def test_tensors_in_another_file_are_counted():
    """A tensor whose data the caller supplies is not inside."""
    tensor = {0: (1, 6), 9: {1: "w", 2: (1, 1)}}
    assert read(program({2: [{0: (1, 5), 1: tensor}]})).external == 1


BROKEN = {
    "empty": b"",
    "identifier": b"\x08\0\0\0XXXX" + bytes(60),
    "header length": program()[:12] + struct.pack("<I", 8) + program()[16:],
    "program size": program()[:16] + struct.pack("<Q", 1 << 40) + program()[24:],
    "segment base": program()[:24] + struct.pack("<Q", 1 << 40) + program()[32:],
    "base inside program": program()[:24] + struct.pack("<Q", 40) + program()[32:],
    "segment outside": program(segment={0: (8, 0), 1: (8, SEGMENT + 1)}),
    "segment overflow": program(segment={0: (8, (1 << 64) - 1), 1: (8, SEGMENT)}),
    "data outside of segment": program(root={5: {0: (4, 0), 1: (U64, [0, 999])}}),
    "segment not there": program(root={5: {0: (4, 3), 1: (U64, [0])}}),
    "named data": program(root={7: [{0: "k", 1: (4, 9)}]}),
    "mutable data": program(root={6: [{0: (4, 9), 1: (U64, [0])}]}),
    "constant not there": program({2: [{0: (1, 5), 1: {5: (4, 9)}}]}),
    "negative size": program({2: [{0: (1, 5), 1: {2: (I32, [-1])}}]}),
    "delegate data": program({7: [{0: "B", 1: {0: (1, 1), 1: (4, 7)}}]}),
    "inline delegate data": program({7: [{0: "B", 1: {0: (1, 0), 1: (4, 0)}}]}),
    "input": program({3: (I32, [5])}),
    "output": program({4: (I32, [-1])}),
    "operator": program(instructions=[{0: (1, 1), 1: {0: (4, 9)}}]),
    "argument": program(instructions=[{0: (1, 1), 1: {0: (4, 0), 1: (I32, [9])}}]),
    "delegate": program(instructions=[{0: (1, 2), 1: {0: (4, -1)}}]),
    "move": program(instructions=[{0: (1, 3), 1: {0: (4, 0), 1: (4, 9)}}]),
    "jump": program(instructions=[{0: (1, 4), 1: {0: (4, 0), 1: (4, 9)}}]),
    "free": program(instructions=[{0: (1, 5), 1: {0: (4, 9)}}]),
    "unknown instruction": program(instructions=[{0: (1, 9), 1: {}}]),
    "empty instruction": program(instructions=[{0: (1, 1)}]),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_points_nowhere_is_refused(data):
    """Every index and range that leaves its list or segment is a format error."""
    with pytest.raises(FormatError):
        read(data)


VALID = program()


@given(st.randoms(use_true_random=False), st.integers(1, 4), st.integers(0, len(VALID) - 1))
def test_damage_only_raises_format_errors(source: random.Random, count: int, cut: int):
    """Changed files give another inventory or a format error; shortened ones never pass."""
    data = bytearray(VALID)
    for _ in range(count):
        data[source.randrange(len(data))] = source.randrange(256)
    with contextlib.suppress(FormatError):
        read(bytes(data))
    with pytest.raises(FormatError):
        read(VALID[:cut])


@given(st.binary(max_size=200))
def test_arbitrary_bytes_only_raise_format_errors(data):
    """Whatever the bytes, nothing but a format error escapes."""
    for raw in (data, b"\x08\0\0\0ET12" + data, b"\x20\0\0\0ET12eh00\x18\0\0\0" + data):
        with contextlib.suppress(FormatError):
            read(raw)
