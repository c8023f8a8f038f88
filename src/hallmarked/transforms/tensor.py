"""Where the numbers of a tensor lie: element types, storages, and views on them by offset, shape and stride.

Element types are those of torch (https://docs.pytorch.org/docs/stable/tensor_attributes.html) with the codes of
safetensors (https://huggingface.co/docs/safetensors).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hallmarked.core.errors import FormatError

MAX_BYTES = 1 << 62
"""More than any file holds; arithmetic on sizes stays exact in 64 bits below it."""
MAX_DIMENSIONS = 64
"""As many as torch and numpy can hold."""

_CODES = """
    BOOL:bool:1 U8:uint8:1 I8:int8:1 F8_E5M2:float8_e5m2:1 F8_E4M3:float8_e4m3fn:1 F8_E8M0:float8_e8m0fnu:1
    F8_E4M3FNUZ:float8_e4m3fnuz:1 F8_E5M2FNUZ:float8_e5m2fnuz:1 I16:int16:2 U16:uint16:2 F16:float16:2
    BF16:bfloat16:2 I32:int32:4 U32:uint32:4 F32:float32:4 C64:complex64:8 F64:float64:8 I64:int64:8 U64:uint64:8
"""


@dataclass(frozen=True, slots=True)
class Dtype:
    """An element type."""

    code: str
    """Name in safetensors."""
    size: int
    """Bytes of one element."""
    rank: int
    """Place in the order in which the reference writer lays types out, the last first."""


DTYPES = {
    name: Dtype(code, int(size), rank)
    for rank, (code, name, size) in enumerate(entry.split(":") for entry in _CODES.split())
}
"""The element types that safetensors can hold, by their name in torch."""

STORAGES: dict[str, tuple[str, int]] = {
    "DoubleStorage": ("float64", 8),
    "FloatStorage": ("float32", 4),
    "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2),
    "ComplexDoubleStorage": ("complex128", 16),
    "ComplexFloatStorage": ("complex64", 8),
    "LongStorage": ("int64", 8),
    "IntStorage": ("int32", 4),
    "ShortStorage": ("int16", 2),
    "CharStorage": ("int8", 1),
    "ByteStorage": ("uint8", 1),
    "BoolStorage": ("bool", 1),
    "UntypedStorage": ("uint8", 1),
    "QInt8Storage": ("qint8", 1),
    "QUInt8Storage": ("quint8", 1),
    "QInt32Storage": ("qint32", 4),
}
"""Element type, and bytes of one element, of each class of storage; an untyped storage counts bytes."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A run of bytes that tensors are views on."""

    key: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A view on a storage; offset and strides count elements.

    Raises:
        FormatError: When some element lies outside of the storage.
    """

    storage: Storage
    dtype: Dtype
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.shape) != len(self.strides):
            raise FormatError(f"a tensor has {len(self.shape)} dimensions and {len(self.strides)} strides")
        if len(self.shape) > MAX_DIMENSIONS:
            raise FormatError(f"a tensor has {len(self.shape)} dimensions, more than {MAX_DIMENSIONS}")
        if self.offset < 0 or any(number < 0 for number in (*self.shape, *self.strides)):
            raise FormatError("a tensor has a negative offset, size or stride")
        if math.prod(self.shape) * self.dtype.size > MAX_BYTES:
            raise FormatError("a tensor is larger than any file")
        if self.count and self.end > self.storage.size:
            raise FormatError(f"a tensor reaches byte {self.end} of a storage of {self.storage.size} bytes")

    @property
    def count(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """Bytes, when written without gaps."""
        return self.count * self.dtype.size

    @property
    def start(self) -> int:
        """First byte in the storage."""
        return self.offset * self.dtype.size

    @property
    def end(self) -> int:
        """One past the last byte in the storage that is part of it."""
        last = sum((size - 1) * stride for size, stride in self.steps)
        return (self.offset + last + 1) * self.dtype.size

    @property
    def steps(self) -> tuple[tuple[int, int], ...]:
        """(size, stride) of each dimension in which anything moves."""
        return tuple((size, stride) for size, stride in zip(self.shape, self.strides, strict=True) if size != 1)

    @property
    def contiguous(self) -> bool:
        """Whether its elements lie in order and without gaps."""
        expected = 1
        for size, stride in reversed(self.steps):
            if stride != expected:
                return False
            expected *= size
        return True

    @property
    def identity(self) -> tuple[object, ...] | None:
        """Equal for two views exactly if they are the same elements in the same shape; None for no elements."""
        return (self.storage.key, self.dtype.code, self.offset, self.shape, self.steps) if self.count else None
