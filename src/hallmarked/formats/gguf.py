"""GGUF headers (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), versions 2 and 3, little-endian.

Every count and length is checked against the bytes that are left before anything is allocated. Tensor ranges follow
from shape and type as the public reader computes them; types added by forks have no known size and are kept with
``nbytes`` unknown, so that the examiner can say so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.bytestream import Cursor

MAGIC = b"GGUF"
MAX_STRINGS = 2_000_000
"""Strings in one file; the largest vocabularies with their merges hold about 800,000."""
MAX_NUMBERS = 1024
"""Longest array of numbers whose values are kept; longer ones are counted."""
MAX_KEY = 65_535
MAX_DIMENSIONS = 4

TYPES: Mapping[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18),
}  # fmt: skip
"""Name, elements per block and bytes per block of each tensor type."""

_UNSIGNED, _SIGNED, _REAL = {0: 1, 2: 2, 4: 4, 10: 8}, {1: 1, 3: 2, 5: 4, 11: 8}, {6: 4, 12: 8}
_BOOL, _STRING, _ARRAY = 7, 8, 9
_WIDTHS = {**_UNSIGNED, **_SIGNED, **_REAL, _BOOL: 1}


@dataclass(frozen=True, slots=True)
class Numbers:
    """A long array of numbers, counted and not kept."""

    count: int


Value = int | float | bool | str | Numbers | tuple["Value", ...]
"""A metadata value; arrays are tuples. Text that is not UTF-8 appears with escapes."""


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor of the header."""

    name: str
    type: int
    """Number of the tensor type, a key of ``TYPES`` unless a fork defined it."""
    shape: tuple[int, ...]
    """Dimensions, fastest first, as the format stores them."""
    offset: int
    """Of its first byte, from the beginning of the data section."""
    nbytes: int | None
    """Bytes it takes; ``None`` when the type is not known."""


@dataclass(frozen=True, slots=True)
class Gguf:
    """What a header says."""

    version: int
    metadata: Mapping[str, Value]
    tensors: tuple[GgufTensor, ...]
    alignment: int
    data_offset: int
    """Where the data section begins in the file."""

    def texts(self) -> Iterator[tuple[str, str]]:
        """Return every string of the metadata with its key, those in arrays too (a vocabulary is among them)."""
        for key, value in self.metadata.items():
            stack: list[Value] = [value]
            while stack:
                item = stack.pop()
                if isinstance(item, str):
                    yield key, item
                elif isinstance(item, tuple):
                    stack.extend(reversed(item))


def is_gguf(blob: Blob) -> bool:
    """Say whether the first bytes are those of a GGUF file."""
    return blob.head(4) == MAGIC


def unread_variant(blob: Blob) -> str:
    """Name the variant of the format that we do not read, or return an empty string when we do."""
    version = blob.head(8)[4:8]
    if version == b"\x01\x00\x00\x00":
        return "GGUF version 1"
    if version[:2] == b"\x00\x00" and version[2:] != b"\x00\x00":
        return "big-endian GGUF"
    return ""


def read_gguf(blob: Blob, budget: Budget) -> Gguf:
    """Read and check a header; cost depends on the metadata, not on the tensors.

    Raises:
        FormatError: When a reader of the format would refuse the file or step outside of it.
        LimitExceeded: When it holds more strings, text or values than the budget allows.
    """
    with blob.open() as stream:
        return _Reader(Cursor(stream, blob.size), budget).read(blob.size)


class _Reader:
    def __init__(self, cursor: Cursor, budget: Budget) -> None:
        self._cursor, self._budget = cursor, budget
        self._strings = self._text = 0

    def read(self, size: int) -> Gguf:
        cursor = self._cursor
        if cursor.take(4) != MAGIC:
            raise FormatError("does not begin with GGUF", offset=0)
        version = cursor.uint(4)
        if version not in (2, 3):
            raise FormatError(f"GGUF version {version} is not 2 or 3", offset=4)
        tensor_count, pair_count = cursor.uint(8), cursor.uint(8)
        # The shortest pair takes 14 bytes (length, one letter, type, one byte), the shortest tensor 24.
        if pair_count * 14 + tensor_count * 24 > cursor.left:
            raise FormatError(f"{pair_count} keys and {tensor_count} tensors do not fit into {size} bytes", offset=8)
        self._budget.spend("nodes", pair_count + tensor_count)
        metadata: dict[str, Value] = {}
        for _ in range(pair_count):
            key = self._name("key")
            if not key or key in metadata:
                raise FormatError(f"key {key[:100]!r} is empty or appears twice", offset=cursor.at)
            metadata[key] = self._value(cursor.uint(4), key, 0)
        alignment = self._alignment(metadata)
        tensors = tuple(self._tensor(alignment) for _ in range(tensor_count))
        if len({tensor.name for tensor in tensors}) < tensor_count:
            raise FormatError("two tensors have the same name", offset=cursor.at)
        data_offset = -(-cursor.at // alignment) * alignment if tensors else cursor.at
        _check_ranges(tensors, size - data_offset)
        return Gguf(version, metadata, tensors, alignment, data_offset)

    def _bytes(self) -> bytes:
        length = self._cursor.uint(8)
        self._text += length
        self._strings += 1
        if self._text > self._budget.limits.text or self._strings > MAX_STRINGS:
            self._cursor.skip(length)  # beyond the end of the file is a format error first
            raise LimitExceeded("more text in the header than a model needs", offset=self._cursor.at)
        return self._cursor.take(length)

    def _name(self, what: str) -> str:
        data = self._bytes()
        if len(data) > MAX_KEY:
            raise FormatError(f"{what} of {len(data)} bytes", offset=self._cursor.at)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise FormatError(f"{what} is not UTF-8", offset=self._cursor.at) from None

    def _value(self, kind: int, key: str, depth: int) -> Value:
        cursor = self._cursor
        if kind in _UNSIGNED:
            return cursor.uint(_UNSIGNED[kind])
        if kind in _SIGNED:
            return cursor.sint(_SIGNED[kind])
        if kind in _REAL:
            return cursor.real(_REAL[kind])
        if kind == _STRING:
            return self._bytes().decode("utf-8", "backslashreplace")
        if kind == _ARRAY:
            return self._array(key, depth + 1)
        if kind == _BOOL:
            truth = cursor.uint(1)
            if truth > 1:
                raise FormatError(f"key {key[:100]!r} has the truth value {truth}", offset=cursor.at)
            return bool(truth)
        raise FormatError(f"key {key[:100]!r} has the unknown type {kind}", offset=cursor.at)

    def _array(self, key: str, depth: int) -> Value:
        cursor = self._cursor
        kind, count = cursor.uint(4), cursor.uint(8)
        width = _WIDTHS.get(kind)
        # A string takes at least its length, an array its type and length.
        if count * (width or (8 if kind == _STRING else 12)) > cursor.left:
            raise FormatError(f"array {key[:100]!r} of {count} values does not fit", offset=cursor.at)
        if depth > self._budget.limits.node_depth:
            raise LimitExceeded(f"array {key[:100]!r} is nested too deeply", offset=cursor.at)
        if width is not None and count > MAX_NUMBERS:
            cursor.skip(count * width)
            return Numbers(count)
        self._budget.spend("nodes", count)
        return tuple([self._value(kind, key, depth) for _ in range(count)])

    def _alignment(self, metadata: Mapping[str, Value]) -> int:
        alignment = metadata.get("general.alignment", 32)
        if type(alignment) is not int or alignment <= 0 or alignment & (alignment - 1):
            raise FormatError(f"alignment {str(alignment)[:40]} is not a power of two", offset=self._cursor.at)
        return alignment

    def _tensor(self, alignment: int) -> GgufTensor:
        cursor = self._cursor
        name = self._name("tensor name")
        dimensions = cursor.uint(4)
        if dimensions > MAX_DIMENSIONS:
            raise FormatError(f"tensor {name[:100]!r} has {dimensions} dimensions", offset=cursor.at)
        shape = tuple(cursor.uint(8) for _ in range(dimensions))
        count = math.prod(shape)
        if max(shape, default=0) >= 1 << 63 or count >= 1 << 63:
            raise FormatError(f"tensor {name[:100]!r} has too many elements", offset=cursor.at)
        kind, offset = cursor.uint(4), cursor.uint(8)
        if offset % alignment:
            raise FormatError(f"tensor {name[:100]!r} is not aligned to {alignment} bytes", offset=cursor.at)
        if kind not in TYPES:
            return GgufTensor(name, kind, shape, offset, None)
        label, per_block, block_size = TYPES[kind]
        if (shape[0] if shape else 1) % per_block:
            raise FormatError(f"tensor {name[:100]!r} has rows that are not whole {label} blocks", offset=cursor.at)
        return GgufTensor(name, kind, shape, offset, count // per_block * block_size)


def _check_ranges(tensors: tuple[GgufTensor, ...], size: int) -> None:
    end = 0
    for tensor in sorted(tensors, key=lambda t: (t.offset, t.nbytes or 0)):
        if tensor.offset < end:
            raise FormatError(f"tensor {tensor.name[:100]!r} overlaps another")
        end = tensor.offset + (tensor.nbytes or 0)
        if end > size:
            raise FormatError(f"tensor {tensor.name[:100]!r} ends {end - size} bytes after the file")
