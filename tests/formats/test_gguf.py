"""The GGUF header reader, against files written by the small writer below."""

import contextlib
import random
import struct
import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget, Limits
from hallmarked.formats.gguf import TYPES, Gguf, Numbers, is_gguf, read_gguf, unread_variant

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
CODES = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "?", U64: "Q", I64: "q", F64: "d"}


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def value(kind: int, content: object) -> bytes:
    if kind == STRING:
        return text(content)
    if kind == ARRAY:
        inner, items = content
        return struct.pack("<IQ", inner, len(items)) + b"".join(value(inner, item) for item in items)
    return struct.pack("<" + CODES[kind], content)


def write(
    pairs: Sequence[tuple[str, int, object]] = (),
    tensors: Sequence[tuple[str, Sequence[int], int, int, int]] = (),
    *,
    version: int = 3,
    alignment: int = 32,
    tail: bytes = b"",
    counts: tuple[int, int] | None = None,
) -> bytes:
    """Write a file; each tensor is (name, dimensions, type, offset, bytes)."""
    n_tensors, n_pairs = counts or (len(tensors), len(pairs))
    out = b"GGUF" + struct.pack("<IQQ", version, n_tensors, n_pairs)
    out += b"".join(text(key) + struct.pack("<I", kind) + value(kind, content) for key, kind, content in pairs)
    for name, dims, kind, offset, _ in tensors:
        out += text(name) + struct.pack("<I", len(dims)) + b"".join(struct.pack("<Q", d) for d in dims)
        out += struct.pack("<IQ", kind, offset)
    if tensors:
        out += bytes(-len(out) % alignment)
        out += bytes(max(offset + size for *_, offset, size in tensors))
    return out + tail


def read(data: bytes, **limits: int) -> Gguf:
    return read_gguf(Blob.of_bytes("m.gguf", data), Budget(len(data), Limits(**limits)))


PAIRS = [
    ("general.architecture", STRING, "llama"),
    ("general.alignment", U32, 64),
    ("a.u8", U8, 255),
    ("a.i64", I64, -5),
    ("a.f32", F32, 0.5),
    ("a.bool", BOOL, True),
    ("a.list", ARRAY, (STRING, ["x", "y"])),
    ("a.nested", ARRAY, (ARRAY, [(I16, [1, -2]), (STRING, ["z"])])),
    ("a.long", ARRAY, (F32, [0.0] * 5000)),
    ("tokenizer.chat_template", STRING, "{{ messages }}"),
]
TENSORS = [("w", [64, 2], 2, 0, 72), ("b", [3], 0, 128, 12)]
VALID = write(PAIRS, TENSORS, alignment=64)


@pytest.mark.parametrize("version", [2, 3])
def test_a_file_is_read(version):
    """Values of every kind, nested arrays and tensors come back as written."""
    header = read(write(PAIRS, TENSORS, alignment=64, version=version))
    assert header.version == version
    assert header.metadata["a.u8"] == 255
    assert header.metadata["a.i64"] == -5
    assert header.metadata["a.bool"] is True
    assert header.metadata["a.nested"] == ((1, -2), ("z",))
    assert header.metadata["a.long"] == Numbers(5000)
    assert [(t.name, t.shape, t.nbytes) for t in header.tensors] == [("w", (64, 2), 72), ("b", (3,), 12)]
    assert header.data_offset % 64 == 0
    assert dict(header.texts())["tokenizer.chat_template"] == "{{ messages }}"
    assert [t for k, t in header.texts() if k in ("a.list", "a.nested")] == ["x", "y", "z"]


@pytest.mark.parametrize("kind", TYPES)
def test_block_sizes(kind):
    """One block of each type takes the bytes in the table."""
    _, per_block, size = TYPES[kind]
    header = read(write([], [("w", [per_block], kind, 0, size)]))
    assert header.tensors[0].nbytes == size


BIG = 1 << 62
REFUSED = {
    "empty": b"",
    "magic only": b"GGUF",
    "magic": b"GGML" + VALID[4:],
    "version 0": write(version=0),
    "version 4": write(version=4),
    "pair count": write(counts=(0, 1 << 60)),
    "tensor count": write(counts=(1 << 63, 0)),
    "pair missing": write(PAIRS[:1], counts=(0, 2)) + bytes(10),
    "key twice": write([("a", U8, 1), ("a", U8, 2)]),
    "empty key": write([("", U8, 1)]) + bytes(20),
    "key not utf-8": write([(b"\xff", U8, 1)]),
    "unknown type": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<I", 13) + bytes(20),
    "truth value": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IB", BOOL, 2),
    "string length": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IQ", STRING, BIG),
    "string length 2^64": b"GGUF"
    + struct.pack("<IQQ", 3, 0, 1)
    + text("a")
    + struct.pack("<IQ", STRING, (1 << 64) - 1),
    "array count": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", ARRAY, U8, BIG),
    "array of unknown": b"GGUF"
    + struct.pack("<IQQ", 3, 0, 1)
    + text("a")
    + struct.pack("<IIQ", ARRAY, 99, 1)
    + bytes(20),
    "alignment 0": write([("general.alignment", U32, 0)]),
    "alignment 24": write([("general.alignment", U32, 24)]),
    "alignment text": write([("general.alignment", STRING, "32")]),
    "five dimensions": write([], [("w", [1] * 5, 0, 0, 4)]),
    "overflow": write([], [("w", [BIG, 4], 0, 0, 4)]),
    "negative": write([], [("w", [1 << 63], 0, 0, 4)]),
    "partial block": write([], [("w", [33], 2, 0, 36)]),
    "unaligned": write([], [("w", [1], 0, 1, 4)]),
    "same name": write([], [("w", [1], 0, 0, 4), ("w", [1], 0, 32, 4)]),
    "overlap": write([], [("v", [64], 0, 0, 256), ("w", [1], 0, 32, 4)]),
    "same range": write([], [("v", [1], 0, 0, 4), ("w", [1], 0, 0, 4)]),
    "beyond the end": write([], [("w", [1 << 40], 0, 0, 4)]),
    "offset beyond the end": write([], [("w", [1], 0, 0, 4), ("v", [1], 0, 1 << 40, -(1 << 40))]),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_broken_headers_are_refused(data):
    """Each violation is a format error, before anything is allocated."""
    with pytest.raises(FormatError):
        read(data)


def test_deep_arrays_are_a_limit():
    """Arrays within arrays beyond the depth limit are refused."""
    body = struct.pack("<IIQ", ARRAY, ARRAY, 1) + struct.pack("<IQ", ARRAY, 1) * 3000
    with pytest.raises(LimitExceeded):
        read(b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + body)


def test_text_is_limited():
    """A header with more text than the budget allows is refused."""
    with pytest.raises(LimitExceeded):
        read(write([("a", STRING, "x" * 2000)]), text=1000)


def test_unknown_tensor_types_are_kept_without_size():
    """A type that a fork defined is kept, its size unknown."""
    assert read(write([], [("w", [8], 340, 0, 99)])).tensors[0].nbytes is None


def test_text_that_is_not_utf8_is_escaped():
    """Values may hold raw bytes; they appear with escapes and never as half characters."""
    assert read(write([("a", STRING, b"\xff\xed\xa0\x80x")])).metadata["a"] == "\\xff\\xed\\xa0\\x80x"


def test_variants_we_do_not_read_are_named():
    """Version 1 and big-endian files are told apart from damage."""
    assert unread_variant(Blob.of_bytes("x", write(version=1))) == "GGUF version 1"
    assert unread_variant(Blob.of_bytes("x", b"GGUF\0\0\0\3" + bytes(16))) == "big-endian GGUF"
    assert unread_variant(Blob.of_bytes("x", VALID)) == ""
    assert is_gguf(Blob.of_bytes("x", VALID))


def test_memory_does_not_follow_the_counts():
    """A long array of numbers is skipped, not held."""
    data = write([("a", ARRAY, (U8, [0]))])
    data = data[:-9] + struct.pack("<Q", 8_000_000) + bytes(8_000_000)
    blob = Blob.of_bytes("x", data)
    tracemalloc.start()
    try:
        assert read_gguf(blob, Budget(blob.size)).metadata["a"] == Numbers(8_000_000)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@given(st.integers(0, len(VALID) - 1))
def test_every_truncation_is_refused(cut):
    """A file that lost its end is never read as whole."""
    with pytest.raises(FormatError):
        read(VALID[:cut])


@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_mutations_only_raise_format_errors(source: random.Random, count: int):
    """Changed bytes give another header or a format error, nothing else."""
    data = bytearray(write(PAIRS[:8], TENSORS, alignment=64))
    for _ in range(count):
        data[source.randrange(len(data))] = source.randrange(256)
    with contextlib.suppress(FormatError):
        list(read(bytes(data)).texts())


@given(st.binary(max_size=200), st.integers(0, 3), st.integers(0, 3))
def test_arbitrary_bytes_only_raise_format_errors(data, tensors, pairs):
    """Whatever the bytes, nothing but a format error escapes."""
    for raw in (data, b"GGUF" + struct.pack("<IQQ", 3, tensors, pairs) + data):
        unread_variant(Blob.of_bytes("x", raw))
        with contextlib.suppress(FormatError):
            read(raw)
