"""The symbolic machine against CPython's own unpicklers, and on arbitrary bytes."""

from __future__ import annotations

import pickle
import pickletools
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.formats.blob import Blob, Budget, Limits
from hallmarked.formats.pickle.stream import Evaluation, evaluate, evaluate_all
from hallmarked.formats.pickle.values import Global
from tests.formats.pickle.unpicklers import C_UNPICKLER, PYTHON_UNPICKLER, load, shape_of_real, shape_of_symbol


def run(data: bytes, **limits: int) -> Evaluation:
    blob = Blob.of_bytes("x.pkl", data)
    return evaluate(blob, Budget(len(data), Limits(**limits)))


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=300)
    | st.binary(max_size=40).map(bytearray)
)
HASHABLE = st.recursive(
    st.none() | st.integers() | st.text(max_size=40) | st.binary(max_size=20),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=4),
    max_leaves=6,
)
OBJECTS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(HASHABLE, inner, max_size=5)
        | st.sets(HASHABLE, max_size=4)
    ),
    max_leaves=25,
)


@given(OBJECTS, st.integers(0, 5))
@settings(max_examples=150)
def test_values_agree_with_cpython(value: Any, protocol: int) -> None:
    """What CPython pickles is evaluated to the same value."""
    data = pickle.dumps(value, protocol)
    result = run(data)
    assert result.error is None
    assert result.end == len(data)
    if protocol == 5:  # below, bytes, sets or bytearrays are calls
        assert shape_of_symbol(result.root, data) == shape_of_real(value)
    assert shape_of_symbol(result.root, data) == shape_of_real(load(C_UNPICKLER, data)[0])


TEXT = st.sampled_from(["a", "os", "system", "collections", "OrderedDict", "x" * 30, "ü", "\ud800", "", "a.b"])
NUMBER = st.integers(0, 6)


def _instruction(name: str) -> st.SearchStrategy[bytes]:
    op = next(o for o in pickletools.opcodes if o.name == name)
    code = op.code.encode("latin1")
    kind = op.arg.name if op.arg else ""
    text = TEXT.map(lambda t: t.encode("utf-8", "surrogatepass"))
    arguments: dict[str, st.SearchStrategy[bytes]] = {
        "": st.just(b""),
        "uint1": NUMBER.map(lambda n: bytes([n])),
        "uint2": NUMBER.map(lambda n: struct.pack("<H", n)),
        "int4": NUMBER.map(lambda n: struct.pack("<i", n - 3)),
        "uint4": NUMBER.map(lambda n: struct.pack("<I", n)),
        "uint8": NUMBER.map(lambda n: struct.pack("<Q", n)),
        "float8": NUMBER.map(lambda n: struct.pack(">d", n)),
        "decimalnl_short": st.sampled_from(["1", "0", "00", "01", "-0", "010", " 1", "1_0", "-7", "+1", "5", ""]).map(
            lambda t: t.encode() + b"\n"
        ),
        "decimalnl_long": st.sampled_from(["1", "0L", "-0", "1LL", "L", "-7L", "010", "0x1", ""]).map(
            lambda t: t.encode() + b"\n"
        ),
        "floatnl": st.sampled_from(["1.5", "nan", "inf", "1e999", " 1", "1_0.5", "1\0x", "-2", ""]).map(
            lambda t: t.encode() + b"\n"
        ),
        "stringnl": st.sampled_from(["'a'", '"b"', "'a", "a", "''", "'\\x41'", "'\\xff'", "'\\'"]).map(
            lambda t: t.encode() + b"\n"
        ),
        "stringnl_noescape": st.sampled_from([b"a\n", b"pid\n", b"\xff\n", b"\n"]),
        "stringnl_noescape_pair": st.sampled_from(
            [b"a\nb\n", b"os\nsystem\n", b"a\r\nb\n", b"\nb\n", b"\xc3\xbc\nb\n"]
        ),
        "unicodestringnl": st.sampled_from([b"a\n", b"\\u00fc\n", b"\\u12\n", b"\xfc\n", b"\n"]),
        "long1": st.binary(max_size=9).map(lambda b: bytes([len(b)]) + b),
        "long4": st.binary(max_size=9).map(lambda b: struct.pack("<i", len(b)) + b),
        "string1": text.map(lambda b: bytes([len(b)]) + b),
        "string4": text.map(lambda b: struct.pack("<i", len(b)) + b),
        "bytes1": text.map(lambda b: bytes([len(b)]) + b),
        "bytes4": text.map(lambda b: struct.pack("<I", len(b)) + b),
        "bytes8": text.map(lambda b: struct.pack("<Q", len(b)) + b),
        "bytearray8": text.map(lambda b: struct.pack("<Q", len(b)) + b),
        "unicodestring1": text.map(lambda b: bytes([len(b)]) + b),
        "unicodestring4": text.map(lambda b: struct.pack("<I", len(b)) + b),
        "unicodestring8": text.map(lambda b: struct.pack("<Q", len(b)) + b),
    }
    if name == "PUT":
        return st.sampled_from(["0", "1", "5", "01", "-1", " 2"]).map(lambda t: b"p" + t.encode() + b"\n")
    if name == "GET":
        return st.sampled_from(["0", "1", "5", "01", "-1"]).map(lambda t: b"g" + t.encode() + b"\n")
    if name == "PROTO":
        return st.integers(0, 6).map(lambda n: code + bytes([n]))
    return arguments[kind].map(lambda a: code + a)


# STOP ends every program, so it does not occur inside; buffers and the registry depend on the reader.
_LEFT_OUT = {"STOP", "NEXT_BUFFER", "READONLY_BUFFER", "EXT1", "EXT2", "EXT4"}
ANY_INSTRUCTION = st.one_of([_instruction(op.name) for op in pickletools.opcodes if op.name not in _LEFT_OUT])
IDIOM = st.sampled_from(
    [
        b"cm\nn\n)R",
        b"cm\nn\n)\x81",
        b"cm\nn\n)}\x92",
        b"(cm\nn\nK\x01o",
        b"(K\x01im\nn\n",
        b"\x8c\x01m\x8c\x01n\x93)\x81}b",
        b"](K\x01K\x02e",
        b"}(K\x01K\x02u",
        b"}K\x01K\x02s",
        b"\x8f(K\x01K\x02\x90",
        b"(K\x01K\x02\x91",
        b"(K\x01l",
        b"(K\x01K\x02d",
        b"(K\x01t",
        b"]K\x01a",
        b"K\x01Q",
        b"cm\nn\n)\x81(K\x01K\x02e(K\x01K\x02u(K\x01\x90K\x05K\x06sK\x07a",
    ]
)
PROGRAMS = st.lists(ANY_INSTRUCTION | IDIOM, max_size=12).map(lambda parts: b"\x80\x04" + b"".join(parts) + b".")


@given(PROGRAMS, st.booleans())
@settings(max_examples=200)
def test_programs_agree_with_both_unpicklers(program: bytes, framed: bool) -> None:
    """Whatever the machine follows to its end, both of CPython's unpicklers follow to the same value and position."""
    if framed:
        program = program[:2] + b"\x95" + struct.pack("<Q", len(program) - 2) + program[2:]
    result = run(program)
    if result.error is not None or result.trace.misuses or result.trace.unknown:
        return
    if not all(isinstance(call.func, Global) for call in result.trace.calls):
        return
    expected = shape_of_symbol(result.root, program)
    for unpickler in (C_UNPICKLER, PYTHON_UNPICKLER):
        value, end = load(unpickler, program)
        assert shape_of_real(value) == expected
        assert end == result.end == len(program)


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_arbitrary_bytes_never_escape(data: bytes) -> None:
    """Arbitrary bytes end in a value or an error that is kept, never in an exception."""
    for result in evaluate_all(Blob.of_bytes("x", data), Budget(len(data))):
        assert result.end <= len(data) or result.error is not None


@given(OBJECTS, st.integers(0, 5), st.data())
@settings(max_examples=60)
def test_truncation_is_an_error(value: Any, protocol: int, data: st.DataObject) -> None:
    """A pickle cut anywhere before its end cannot be followed."""
    stream = pickle.dumps(value, protocol)
    cut = data.draw(st.integers(0, len(stream) - 1))
    assert run(stream[:cut]).error is not None


@pytest.mark.parametrize("size", [10, 70_000, 9_000_000])
def test_long_constants_stay_in_the_file(size: int) -> None:
    """Long constants are left where they lie, and instructions behind them are found."""
    data = pickle.dumps([b"x" * size, "y" * size, bytearray(size), 7], 5)
    result = run(data)
    assert result.error is None
    assert result.root[3] == 7
    assert shape_of_symbol(result.root[2], data) == ("bytearray", repr(bytes(size)))
