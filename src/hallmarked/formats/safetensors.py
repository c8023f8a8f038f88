"""Safetensors headers (https://huggingface.co/docs/safetensors#format), read without touching the tensors.

Checked against the reference implementation (``safetensors`` 0.8): an eight-byte little-endian header length of at most
100,000,000; UTF-8 JSON that starts with ``{``; byte ranges that begin at 0, follow each other without hole or overlap
and end with the file; ``shape`` times the bits of ``dtype`` equal to the range, without overflow of 64 bits.

We are stricter where readers differ: names that appear twice are refused (the reference keeps the last one).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.document import read_json

MAX_HEADER = 100_000_000
"""The format's own limit, in bytes."""

BITS: Mapping[str, int] = {
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip
"""Bits per element of each dtype."""

_U64 = 1 << 64
_FIELDS = {"dtype", "shape", "data_offsets"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor of the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    """Offset of its first byte, counted from the end of the header."""
    end: int
    """Offset after its last byte, likewise."""


@dataclass(frozen=True, slots=True)
class Safetensors:
    """What a header says."""

    entries: tuple[Entry, ...]
    """All tensors in the order of their bytes."""
    metadata: Mapping[str, str]
    """Free text under ``__metadata__``."""
    data_offset: int
    """Where the tensors' bytes begin in the file."""
    extra_fields: tuple[str, ...]
    """Fields of tensors that the format does not know and readers ignore, as ``tensor.field``."""


def is_safetensors(blob: Blob) -> bool:
    """Say whether the first bytes look like a header: a length that fits, then ``{`` and a name or ``}``."""
    head = blob.head(64)
    if len(head) < 10 or head[8:9] != b"{":
        return False
    size = int.from_bytes(head[:8], "little")
    return size <= MAX_HEADER and head[9:].lstrip(b" \t\r\n")[:1] in (b'"', b"}", b"")


def read_safetensors(blob: Blob, budget: Budget) -> Safetensors:
    """Read and check a header; cost does not depend on the size of the tensors.

    Raises:
        FormatError: When a reader of the format would refuse the file, or readers would disagree about it.
    """
    with blob.open() as stream:
        prefix = stream.read(8)
        if len(prefix) < 8:
            raise FormatError("shorter than the length of its header", offset=0)
        size = int.from_bytes(prefix, "little")
        if size > MAX_HEADER:
            raise FormatError(f"header of {size:,} bytes, more than the format's {MAX_HEADER:,}", offset=0)
        if size > blob.size - 8:
            raise FormatError(f"header of {size:,} bytes in a file of {blob.size:,}", offset=0)
        header = stream.read(size)
    if len(header) < size:
        raise FormatError("header ends early", offset=8 + len(header))
    if not header.startswith(b"{"):
        raise FormatError("header does not start with {", offset=8)
    members = read_json(header, budget)
    metadata = _metadata(members.pop("__metadata__", None))
    extra: list[str] = []
    entries = tuple(
        sorted((_entry(name, info, extra) for name, info in members.items()), key=lambda e: (e.start, e.end))
    )
    _check_cover(entries, blob.size - 8 - size)
    return Safetensors(entries, metadata, 8 + size, tuple(extra))


def _metadata(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise FormatError("__metadata__ is not a map from text to text", offset=8)
    return value


def _entry(name: str, info: Any, extra: list[str]) -> Entry:
    if not isinstance(info, dict) or not info.keys() >= _FIELDS:
        raise FormatError(f"tensor {name[:100]!r} lacks dtype, shape or data_offsets", offset=8)
    if len(info) > len(_FIELDS):
        extra += [f"{name}.{field}" for field in info if field not in _FIELDS]
    dtype, shape, offsets = info["dtype"], info["shape"], info["data_offsets"]
    bits = BITS.get(dtype) if isinstance(dtype, str) else None
    if bits is None:
        raise FormatError(f"tensor {name[:100]!r} has the unknown dtype {str(dtype)[:40]!r}", offset=8)
    if not _whole(shape) or not _whole(offsets) or len(offsets) != 2:
        raise FormatError(f"tensor {name[:100]!r} has a shape or range that is not made of whole numbers", offset=8)
    count = 1
    for size in shape:
        # Checked at every step, as the reference does: a later 0 does not undo an overflow.
        count *= size
        if count >= _U64:
            raise FormatError(f"tensor {name[:100]!r} has more than 2^64 elements", offset=8)
    if count * bits >= _U64:
        raise FormatError(f"tensor {name[:100]!r} has more than 2^64 bits", offset=8)
    if count * bits % 8:
        raise FormatError(f"tensor {name[:100]!r} does not end at a whole byte", offset=8)
    start, end = offsets
    if end - start != count * bits // 8:
        raise FormatError(
            f"tensor {name[:100]!r} needs {count * bits // 8} bytes, its range has {end - start}", offset=8
        )
    return Entry(name, dtype, tuple(shape), start, end)


def _whole(value: Any) -> bool:
    return isinstance(value, list) and all(type(number) is int and 0 <= number < _U64 for number in value)


def _check_cover(entries: tuple[Entry, ...], size: int) -> None:
    at = 0
    for entry in entries:
        if entry.start != at:
            kind = "a hole" if entry.start > at else "an overlap"
            raise FormatError(f"{kind} before tensor {entry.name[:100]!r}", offset=8)
        at = entry.end
    if at != size:
        raise FormatError(f"tensors cover {at} of {size} bytes", offset=8)
