"""The safetensors header reader, beside the reference implementation."""

import contextlib
import json
import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.safetensors import BITS, Safetensors, is_safetensors, read_safetensors


def pack(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def info(**fields: object) -> dict[str, object]:
    return {"dtype": "U8", "shape": [2], "data_offsets": [0, 2], **fields}


def read(data: bytes) -> Safetensors:
    return read_safetensors(Blob.of_bytes("x", data), Budget(len(data)))


REFUSED = {
    "empty": b"",
    "short length": b"\x02\x00\x00",
    "header longer than file": struct.pack("<Q", 50) + b"{}",
    "header too large": struct.pack("<Q", 100_000_001) + b"{}" + b" " * 100,
    "huge length": b"\xff" * 8 + b"{}",
    "no brace": pack(b" {}"),
    "list": pack(b"[]"),
    "bytes after text": pack(b"{}\0\0"),
    "not utf-8": pack(b'{"\xff":1}'),
    "name twice": pack(b'{"a":%b,"a":%b}' % ((json.dumps(info()).encode(),) * 2), b"\0\0"),
    "field twice": pack(b'{"a":{"dtype":"U8","dtype":"U8","shape":[2],"data_offsets":[0,2]}}', b"\0\0"),
    "metadata key twice": pack(b'{"__metadata__":{"a":"1","a":"2"}}'),
    "metadata number": pack({"__metadata__": {"a": 1}}),
    "metadata list": pack({"__metadata__": ["a"]}),
    "unknown dtype": pack({"a": info(dtype="C128", shape=[1], data_offsets=[0, 16])}, bytes(16)),
    "dtype list": pack({"a": info(dtype=["U8"])}, b"\0\0"),
    "missing field": pack({"a": {"dtype": "U8", "shape": [2]}}, b"\0\0"),
    "not an object": pack({"a": ["U8", [2], [0, 2]]}, b"\0\0"),
    "hole": pack({"a": info(), "b": info(data_offsets=[3, 5])}, bytes(5)),
    "overlap": pack({"a": info(), "b": info(data_offsets=[1, 3])}, bytes(3)),
    "same range twice": pack({"a": info(), "b": info()}, bytes(2)),
    "first not at 0": pack({"a": info(data_offsets=[1, 3])}, bytes(3)),
    "bytes left over": pack({"a": info()}, bytes(3)),
    "data missing": pack({"a": info()}, bytes(1)),
    "range too long": pack({"a": info(data_offsets=[0, 3])}, bytes(3)),
    "range backwards": pack({"a": info(shape=[], data_offsets=[1, 0])}, bytes(1)),
    "negative shape": pack({"a": info(shape=[-1, -2])}, bytes(2)),
    "fraction": pack({"a": info(shape=[2.0])}, bytes(2)),
    "truth": pack({"a": info(shape=[True, 2])}, bytes(2)),
    "overflow": pack({"a": info(shape=[1 << 63, 2, 2], data_offsets=[0, 0])}),
    "overflow before zero": pack({"a": info(shape=[1 << 63, 2, 0], data_offsets=[0, 0])}),
    "overflow in bits": pack({"a": info(dtype="F64", shape=[1 << 62], data_offsets=[0, 0])}),
    "beyond 64 bits": pack({"a": info(shape=[0, 1 << 64], data_offsets=[0, 0])}),
    "half a byte": pack({"a": info(dtype="F4", shape=[3], data_offsets=[0, 2])}, bytes(2)),
    "half a surrogate": pack(b'{"\\ud800":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}', b"\0\0"),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_broken_headers_are_refused(data):
    """Each violation of the format is a format error."""
    with pytest.raises(FormatError):
        read(data)


STRICTER = {"no brace", "name twice", "metadata key twice", "not an object"}


@pytest.mark.parametrize("name", sorted(REFUSED.keys() - STRICTER))
def test_the_reference_refuses_them_too(name):
    """All but the documented strictnesses are refused by the reference implementation as well."""
    safetensors = pytest.importorskip("safetensors")
    with pytest.raises(safetensors.SafetensorError):
        safetensors.deserialize(REFUSED[name])


ACCEPTED = {
    "no tensors": pack({}),
    "padding": pack(b"{}      "),
    "null metadata": pack({"__metadata__": None}),
    "empty tensor": pack({"z": info(shape=[0, 1 << 63, 1], data_offsets=[0, 0]), "a": info()}, bytes(2)),
    "scalar": pack({"a": info(shape=[], data_offsets=[0, 1])}, bytes(1)),
    "empty name": pack({"": info()}, bytes(2)),
    "unsorted": pack({"b": info(data_offsets=[2, 4]), "a": info()}, bytes(4)),
}


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED)
def test_what_the_reference_reads_is_read(data):
    """Unusual but valid headers are read, with the same names, dtypes and shapes as by the reference."""
    safetensors = pytest.importorskip("safetensors")
    expected = {(name, t["dtype"], tuple(t["shape"])) for name, t in safetensors.deserialize(data)}
    assert {(e.name, e.dtype, e.shape) for e in read(data).entries} == expected
    assert is_safetensors(Blob.of_bytes("x", data))


@pytest.mark.parametrize("dtype", BITS)
def test_dtype_sizes_are_those_of_the_reference(dtype):
    """Eight elements of each dtype take the bytes that the reference expects, and no others."""
    safetensors = pytest.importorskip("safetensors")
    size = BITS[dtype]
    data = pack({"a": info(dtype=dtype, shape=[8], data_offsets=[0, size])}, bytes(size))
    assert safetensors.deserialize(data)[0][1]["dtype"] == dtype
    assert read(data).entries[0].dtype == dtype


def test_extra_fields_are_named():
    """A field that the format does not know is kept for the examiner."""
    assert read(pack({"a": info(note="x")}, bytes(2))).extra_fields == ("a.note",)


def test_real_files_are_read():
    """A file written by the library gives its tensors at the right offsets."""
    numpy = pytest.importorskip("numpy")
    library = pytest.importorskip("safetensors.numpy")
    arrays = {"w": numpy.arange(6, dtype="f4").reshape(2, 3), "b": numpy.array([7, 8], dtype="i8")}
    data = library.save(arrays, metadata={"format": "np"})
    header = read(data)
    assert header.metadata == {"format": "np"}
    for entry in header.entries:
        raw = data[header.data_offset + entry.start : header.data_offset + entry.end]
        assert raw == arrays[entry.name].tobytes()
        assert entry.shape == arrays[entry.name].shape


def test_cost_does_not_depend_on_the_size(tmp_path):
    """A sparse file of 20 GB is read with flat memory, from its header alone."""
    size = 20 << 30
    header = pack({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
    path = tmp_path / "big.safetensors"
    with path.open("wb") as stream:
        stream.write(header)
        stream.truncate(len(header) + size)
    blob = Blob("big", path.stat().st_size, lambda: path.open("rb"))
    tracemalloc.start()
    try:
        assert read_safetensors(blob, Budget(blob.size)).entries[0].end == size
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


VALID = pack(
    {"__metadata__": {"k": "v"}, "a": info(), "b": info(dtype="F16", shape=[1, 2], data_offsets=[2, 6])}, bytes(6)
)


@given(st.integers(0, len(VALID) - 1))
def test_every_truncation_is_refused(cut):
    """A file that lost its end is never read as whole."""
    with pytest.raises(FormatError):
        read(VALID[:cut])


@settings(max_examples=200)
@given(st.integers(0, len(VALID) - 1), st.integers(0, 255))
def test_mutations_are_read_no_laxer_than_by_the_reference(at, value):
    """With one byte changed, what we read the reference reads too."""
    safetensors = pytest.importorskip("safetensors")
    data = VALID[:at] + bytes([value]) + VALID[at + 1 :]
    try:
        ours = {(e.name, e.dtype, e.shape) for e in read(data).entries}
    except FormatError:
        return
    assert ours == {(name, t["dtype"], tuple(t["shape"])) for name, t in safetensors.deserialize(data)}


@given(st.binary(max_size=300), st.integers(0, 200))
def test_arbitrary_bytes_only_raise_format_errors(data, size):
    """Whatever the bytes, nothing but a format error escapes."""
    for raw in (data, struct.pack("<Q", size) + b"{" + data):
        is_safetensors(Blob.of_bytes("x", raw))
        with contextlib.suppress(FormatError):
            read(raw)
