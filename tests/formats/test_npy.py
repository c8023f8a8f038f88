"""The reader of NumPy headers, against files written by NumPy."""

import ast
import contextlib
import io
import random
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.npy import Npy, parse_literal, read_npy


def save(array: np.ndarray, version=None) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    return out.getvalue()


def pack(header: str | bytes, data: bytes = b"", version: int = 1) -> bytes:
    raw = header.encode("latin-1") if isinstance(header, str) else header
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(raw)) + raw + data


def header(descr="'<f4'", order="False", shape="(2,)") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


def read(data: bytes) -> Npy:
    return read_npy(Blob.of_bytes("a.npy", data), Budget(len(data)))


ARRAYS = {
    "float": np.arange(6.0).reshape(2, 3),
    "fortran": np.asfortranarray(np.ones((3, 2), "f4")),
    "scalar": np.array(5),
    "empty": np.zeros((0, 4), "i2"),
    "bool": np.array([True, False]),
    "complex": np.ones(3, "c16"),
    "text": np.array(["ab", "é"]),
    "bytes": np.array([b"abc"]),
    "void": np.zeros(2, "V5"),
    "time": np.array(["2020-01-01"], "M8[ns]"),
    "span": np.array([1], "m8[25s]"),
    "big-endian": np.arange(3, dtype=">i8"),
    "record": np.zeros(2, [("a", "i4"), ("b", "f8", (2, 3)), ("c", [("d", "u1")])]),
    "aligned": np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    "title": np.zeros(2, [(("title", "a"), "i4")]),
    "one number": np.zeros(2, [("a", "f8", 3)]),
    "quote": np.zeros(2, [('it\'s "x" \\', "i4")]),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_arrays_of_every_kind_are_read(array):
    """Shape, order and size agree with NumPy, and the header ends where the data begins."""
    data = save(array)
    found = read(data)
    assert found.shape == array.shape
    assert found.nbytes == array.nbytes == len(data) - found.data_offset
    assert found.dtype.itemsize == array.dtype.itemsize
    assert not found.dtype.has_objects


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_is_read(version):
    """Versions 1, 2 and 3 differ in header length and encoding only."""
    name = "é" if version != (3, 0) else "名"
    assert read(save(np.zeros(2, [(name, "i4")]), version)).nbytes == 8


@pytest.mark.parametrize("array", [np.array([{}, 1], "O"), np.zeros(1, [("a", "i4"), ("b", "O")])])
def test_objects_are_seen_inside_records_too(array):
    """An object anywhere in the type means that a pickle follows."""
    assert read(save(array)).dtype.has_objects


REFUSED = {
    "empty": b"",
    "magic": b"\x93NUMPY",
    "version 0": pack(header(), bytes(8), 0),
    "version 4": pack(header(), bytes(8), 4),
    "minor": b"\x93NUMPY\1\1" + pack(header(), bytes(8))[8:],
    "no data": pack(header()),
    "data short": pack(header(), bytes(7)),
    "header short": pack(header())[:-5],
    "header too large": pack(header() + " " * 70_000, bytes(8), 2),
    "a call": pack(header(descr="__import__('os').system('x')"), bytes(8)),
    "a name": pack(header(descr="object"), bytes(8)),
    "an operation": pack(header(shape="(1+1,)"), bytes(8)),
    "a power": pack(header(shape="(9**9**9,)"), bytes(8)),
    "formatted": pack(header(descr="f'{x}'"), bytes(8)),
    "set": pack(header(shape="{2}"), bytes(8)),
    "negative": pack(header(shape="(-2,)"), bytes(8)),
    "truth in shape": pack(header(shape="(True,2)"), bytes(8)),
    "list shape": pack(header(shape="[2]"), bytes(8)),
    "number shape": pack(header(shape="2"), bytes(8)),
    "order text": pack(header(order="'no'"), bytes(8)),
    "order number": pack(header(order="0"), bytes(8)),
    "missing key": pack("{'descr': '<f4', 'shape': (2,)}", bytes(8)),
    "extra key": pack("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", bytes(8)),
    "key twice": pack("{'descr': '<f4', 'descr': '|O', 'fortran_order': False, 'shape': (2,)}", bytes(8)),
    "named type": pack(header(descr="'object'"), bytes(8)),
    "type list text": pack(header(descr="'i4,f4'"), bytes(16)),
    "no size": pack(header(descr="'<f'"), bytes(8)),
    "empty record": pack(header(descr="[]"), bytes(8)),
    "bad field": pack(header(descr="[('a',)]"), bytes(8)),
    "overflow": pack(header(shape="(4294967296, 4294967296)"), bytes(8)),
    "overflow with zero": pack(header(shape="(4294967296, 4294967296, 0)"), bytes(8)),
    "huge field": pack(header(descr="[('a', '<f8', (4294967296, 4294967296))]"), bytes(8)),
    "deep": pack(header(descr="(" * 5000 + ")" * 5000), bytes(8)),
    "minuses": pack(header(shape="(" + "-" * 60_000 + "1,)"), bytes(8)),
    "deep records": pack(header(descr="[('a'," * 100 + "'<f4'" + ")]" * 100), bytes(8)),
    "after": pack(header() + " x", bytes(8)),
    "not utf-8": pack(header().encode() + b"\xff", bytes(8), 3),
    "bad escape": pack(header(descr="'<f\\q4'"), bytes(8)),
    "surrogate": pack(header(descr="[('\\ud800', '<f4')]"), bytes(8)),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_broken_headers_are_refused(data):
    """What NumPy does not write is a format error, and nothing in it is evaluated."""
    with pytest.raises(FormatError):
        read(data)


def test_old_long_numbers_are_read():
    """Python 2 wrote numbers with an L."""
    assert read(pack(header(shape="(2L,)"), bytes(8))).shape == (2,)


LITERALS = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.integers(-(10**19), 10**19)
    | st.booleans()
    | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(LITERALS)
def test_literals_mean_what_python_means(value):
    """A literal that Python writes comes back equal, as from Python's own parser."""
    text = repr(value)
    try:
        found = parse_literal(text, Budget(99))
    except FormatError:
        assert "\\" in text  # rare escapes are refused rather than guessed
        return
    assert found == ast.literal_eval(text)


VALID = save(ARRAYS["record"])


@given(st.integers(0, len(VALID) - 1))
def test_every_truncation_is_refused(cut):
    """A file that lost its end is never read as whole."""
    with pytest.raises(FormatError):
        read(VALID[:cut])


@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_mutations_only_raise_format_errors(source: random.Random, count: int):
    """Changed bytes give another header or a format error."""
    data = bytearray(VALID)
    for _ in range(count):
        data[source.randrange(len(data))] = source.randrange(256)
    with contextlib.suppress(FormatError):
        read(bytes(data))


@given(st.binary(max_size=200), st.sampled_from([1, 2, 3]))
def test_arbitrary_bytes_only_raise_format_errors(data, version):
    """Whatever the bytes, nothing but a format error escapes."""
    for raw in (data, pack(data, bytes(8), version), pack(b"{'descr': '" + data + b"'", bytes(8), version)):
        with contextlib.suppress(FormatError):
            read(raw)
