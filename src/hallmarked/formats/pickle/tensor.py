"""Tensors and storages as PyTorch's pickles describe them.

Specification: ``torch/_utils.py`` and ``torch/serialization.py`` (https://docs.pytorch.org/docs/stable/notes/serialization.html).
A storage is a persistent id ``("storage", type, key, location, count)``, in legacy files with a view description
behind it; a tensor is a call of ``torch._utils._rebuild_tensor_v2(storage, offset, size, stride, …)``. PyTorch checks
neither the sizes nor the strides against the storage in every release, so everything is checked here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hallmarked.core.errors import FormatError
from hallmarked.formats.pickle.values import Call, Global, Persistent, Value

STORAGE_TYPES = {
    "BFloat16Storage": "bfloat16",
    "BoolStorage": "bool",
    "ByteStorage": "uint8",
    "CharStorage": "int8",
    "ComplexDoubleStorage": "complex128",
    "ComplexFloatStorage": "complex64",
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "IntStorage": "int32",
    "LongStorage": "int64",
    "QInt32Storage": "qint32",
    "QInt8Storage": "qint8",
    "QUInt2x4Storage": "quint2x4",
    "QUInt4x2Storage": "quint4x2",
    "QUInt8Storage": "quint8",
    "ShortStorage": "int16",
    "UntypedStorage": "uint8",
}
"""Data type of the elements that a storage class counts."""

ITEM_SIZES = {
    "bfloat16": 2,
    "bool": 1,
    "complex128": 16,
    "complex32": 4,
    "complex64": 8,
    "float16": 2,
    "float32": 4,
    "float4_e2m1fn_x2": 1,
    "float64": 8,
    "float8_e4m3fn": 1,
    "float8_e4m3fnuz": 1,
    "float8_e5m2": 1,
    "float8_e5m2fnuz": 1,
    "float8_e8m0fnu": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "int8": 1,
    "qint32": 4,
    "qint8": 1,
    "quint2x4": 1,
    "quint4x2": 1,
    "quint8": 1,
    "uint16": 2,
    "uint32": 4,
    "uint64": 8,
    "uint8": 1,
}
"""Bytes per element of a data type."""

STORAGE_MODULES = frozenset({"torch", "torch.cuda", "torch.storage"})
MAX_DIMENSIONS = 64
MAX_COUNT = 1 << 60

_LOCATION = re.compile(r"[a-z][a-z0-9_]{0,31}(:[0-9]{1,4})?\Z")


class BoundsError(FormatError):
    """A tensor that reaches outside of its storage: readers that do not check would touch other memory."""

    code = "bounds"


@dataclass(frozen=True, slots=True)
class StorageRef:
    """A storage as its persistent id describes it."""

    key: str
    """Name of the archive member below ``data/``, or entry of the list of keys of a legacy file."""
    dtype: str
    """Data type of the counted elements, e.g. ``float32``."""
    count: int
    """Elements."""
    location: str
    """Device it was on, e.g. ``cpu`` or ``cuda:0``."""
    view: tuple[str, int, int] | None = None
    """Legacy files: key, offset and number of elements of the part this refers to."""

    @property
    def nbytes(self) -> int:
        """Bytes of the whole storage."""
        return self.count * ITEM_SIZES[self.dtype]


@dataclass(frozen=True, slots=True)
class TensorRef:
    """A strided tensor as its rebuilding call describes it; its elements lie inside of the storage."""

    storage: StorageRef
    dtype: str
    """Data type of the elements; differs from the storage's for untyped storages."""
    offset: int
    """First element, counted in elements of ``dtype`` from the start of the storage (its view, when it has one)."""
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    """Step in each dimension, in elements."""

    @property
    def count(self) -> int:
        """Number of elements."""
        total = 1
        for size in self.shape:
            total *= size
        return total

    @property
    def contiguous(self) -> bool:
        """Whether the elements lie one after the other in row-major order."""
        step = 1
        for size, stride in zip(reversed(self.shape), reversed(self.stride), strict=True):
            if size != 1 and stride != step:
                return self.count == 0
            step *= size
        return True


def text_of(value: Value) -> str | None:
    """Return a text constant, as PyTorch reads names (ASCII bytes count too), or None."""
    if type(value) is str:
        return value
    if type(value) is bytes and value.isascii():
        return value.decode("ascii")
    return None


def read_storage(value: Persistent) -> StorageRef:
    """Read the persistent id of a storage.

    Raises:
        FormatError: When it has any other shape.
    """
    pid = value.pid
    if type(pid) is not tuple or len(pid) not in (5, 6) or text_of(pid[0]) != "storage":
        raise FormatError("a persistent id that is not a tensor storage", offset=value.offset)
    kind, key, location, count = pid[1], text_of(pid[2]), text_of(pid[3]), pid[4]
    dtype = storage_dtype(kind)
    if dtype is None:
        raise FormatError("a storage of unknown type", offset=value.offset)
    if key is None or not key or location is None or not _LOCATION.match(location):
        raise FormatError("a storage whose key or location is not plain text", offset=value.offset)
    if type(count) is not int or not 0 <= count <= MAX_COUNT:
        raise FormatError("a storage whose size is not a plain number", offset=value.offset)
    view = _read_view(pid[5], count, value.offset) if len(pid) == 6 else None
    return StorageRef(key, dtype, count, location, view)


def storage_dtype(kind: Value) -> str | None:
    """Return the element type of a storage class, or None when it is no known class."""
    if not isinstance(kind, Global) or kind.module not in STORAGE_MODULES:
        return None
    return STORAGE_TYPES.get(kind.name)


def _read_view(view: Value, count: int, offset: int) -> tuple[str, int, int] | None:
    if view is None:
        return None
    if type(view) is not tuple or len(view) != 3 or text_of(view[0]) is None:
        raise FormatError("a storage view of unknown form", offset=offset)
    key, start, size = text_of(view[0]), view[1], view[2]
    if type(start) is not int or type(size) is not int or start < 0 or size < 0 or start + size > count:
        raise BoundsError("a storage view outside of its storage", offset=offset)
    assert key is not None
    return key, start, size


def read_tensor(call: Call, storage: StorageRef | None = None) -> TensorRef:
    """Read a call of ``_rebuild_tensor``, ``_rebuild_tensor_v2``, ``_rebuild_tensor_v3`` or ``_rebuild_qtensor``.

    Args:
        call: The call.
        storage: Its storage, when that is not the persistent id that is the first argument.

    Raises:
        FormatError: When an argument has another form; a ``BoundsError`` when an element lies outside of the storage.
    """
    args, name = call.args, (call.target() or ("", ""))[1]
    if type(args) is not tuple or len(args) < 4:
        raise FormatError("a tensor with too few arguments", offset=call.offset)
    if storage is None:
        if not isinstance(args[0], Persistent):
            raise FormatError("a tensor without a storage", offset=call.offset)
        storage = read_storage(args[0])
    dtype = storage.dtype
    if name == "_rebuild_tensor_v3":
        dtype = _dtype_argument(args, call.offset)
    shape, stride = sizes_of(args[2]), sizes_of(args[3])
    if shape is None or stride is None or len(shape) != len(stride):
        raise FormatError("a tensor whose shape or strides are not plain tuples of sizes", offset=call.offset)
    if type(args[1]) is not int or args[1] < 0:
        raise FormatError("a tensor whose offset is not a plain number", offset=call.offset)
    tensor = TensorRef(storage, dtype, args[1], shape, stride)
    _check_bounds(tensor, call.offset)
    return tensor


def _dtype_argument(args: tuple[Value, ...], offset: int) -> str:
    dtype = args[6] if len(args) > 6 else None
    if not isinstance(dtype, Global) or dtype.module != "torch" or dtype.name not in ITEM_SIZES:
        raise FormatError("a tensor of unknown data type", offset=offset)
    return dtype.name


def sizes_of(value: Value) -> tuple[int, ...] | None:
    """Return a tuple of sizes (also in a ``torch.Size``), or None when it is something else."""
    if (
        isinstance(value, Call)
        and value.target() == ("torch", "Size")
        and type(value.args) is tuple
        and not value.states
    ):
        # NOTE: not a list, which could be shorter when the reader counted it than it is at the end.
        if len(value.args) != 1 or type(value.args[0]) is not tuple:
            return None
        value = value.args[0]
    if type(value) is not tuple or len(value) > MAX_DIMENSIONS:
        return None
    if not all(type(size) is int and 0 <= size <= MAX_COUNT for size in value):
        return None
    return value


def _check_bounds(tensor: TensorRef, offset: int) -> None:
    """Check that the last element lies inside of the storage, in Python's unbounded integers."""
    available = tensor.storage.nbytes
    if tensor.storage.view is not None:
        available = tensor.storage.view[2] * ITEM_SIZES[tensor.storage.dtype]
    if tensor.count > MAX_COUNT:
        raise FormatError("a tensor with an impossible number of elements", offset=offset)
    last = tensor.offset - 1
    if tensor.count:
        last = tensor.offset + sum((size - 1) * step for size, step in zip(tensor.shape, tensor.stride, strict=True))
    if (last + 1) * ITEM_SIZES[tensor.dtype] > available:
        raise BoundsError("a tensor reaches beyond the end of its storage", offset=offset)
