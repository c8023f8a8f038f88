"""Views on bytes by offset, shape and stride, and the element types that safetensors can hold.

Element types are those of torch (https://docs.pytorch.org/docs/stable/tensor_attributes.html) with the codes of
safetensors (https://huggingface.co/docs/safetensors).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hallmarked.core.errors import FormatError
from hallmarked.formats.pickle.tensor import TensorRef

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


@dataclass(frozen=True, slots=True)
class Tensor:
    """A view on a storage whose elements are known to lie inside of it; offset and strides count elements."""

    storage: str
    """Key of the storage."""
    dtype: Dtype
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @classmethod
    def of(cls, ref: TensorRef) -> Tensor:
        """Take over what a pickle says, which was checked against the storage's size there.

        Raises:
            FormatError: When safetensors cannot hold it.
        """
        if ref.dtype not in DTYPES:
            raise FormatError(f"safetensors has no element type for {ref.dtype}")
        if ref.storage.view is not None:
            raise FormatError("a tensor lies on a storage that is itself a part of another one")
        return cls(ref.storage.key, DTYPES[ref.dtype], ref.offset, ref.shape, ref.stride)

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
    def steps(self) -> tuple[tuple[int, int], ...]:
        """(size, stride) of each dimension in which anything moves."""
        return tuple((size, stride) for size, stride in zip(self.shape, self.strides, strict=True) if size != 1)

    @property
    def contiguous(self) -> bool:
        """Whether its elements lie in order and without gaps."""
        expected = 1
        for size, stride in reversed(self.steps):
            if stride != expected:
                return self.count == 0
            expected *= size
        return True

    @property
    def identity(self) -> tuple[object, ...] | None:
        """Equal for two views exactly if they are the same elements in the same shape; None for no elements."""
        return (self.storage, self.dtype.code, self.offset, self.shape, self.steps) if self.count else None
