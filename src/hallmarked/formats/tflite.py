"""TensorFlow Lite models (https://github.com/tensorflow/tensorflow/blob/master/tensorflow/lite/schema/schema.fbs)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.flatbuffer import FlatBuffer, Table

MAGIC = b"TFL3"
CUSTOM = 32
"""Number of the built-in operator that stands for "look at the name"."""

DTYPES: Mapping[int, tuple[str, int]] = {
    0: ("F32", 4), 1: ("F16", 2), 2: ("I32", 4), 3: ("U8", 1), 4: ("I64", 8), 6: ("BOOL", 1), 7: ("I16", 2),
    8: ("C64", 8), 9: ("I8", 1), 10: ("F64", 8), 11: ("C128", 16), 12: ("U64", 8), 15: ("U32", 4),
    16: ("U16", 2), 18: ("BF16", 2),
}  # fmt: skip
"""Name and bytes per element of the types with whole bytes; texts, resources and 4-bit numbers have none."""


@dataclass(frozen=True, slots=True)
class LiteTensor:
    """A tensor with data."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    """Of its first byte in the file."""
    nbytes: int


@dataclass(slots=True)
class Lite:
    """What a model says."""

    version: int
    custom: set[str] = field(default_factory=set)
    """Names of the operators that are not built in and are used."""
    tensors: list[LiteTensor] = field(default_factory=list)
    operators: int = 0
    description: str = ""
    metadata: tuple[str, ...] = ()


def is_tflite(blob: Blob) -> bool:
    """Say whether a blob has the identifier of a TensorFlow Lite model."""
    return blob.head(8)[4:] == MAGIC


def read_tflite(blob: Blob, budget: Budget) -> Lite:
    """Read and check a model.

    Raises:
        FormatError: When something points outside, or a tensor's bytes do not match its shape.
        LimitExceeded: When it has more parts than the budget allows.
    """
    if not is_tflite(blob):
        raise FormatError("no TFL3 identifier", offset=4)
    with blob.open() as stream:
        return _read(FlatBuffer(stream, blob.size, budget))


def _read(buffer: FlatBuffer) -> Lite:
    root = buffer.root()
    codes = [_code(code) for code in root.tables(1)]
    buffers = [_buffer(part, buffer.size) for part in root.tables(4)]
    lite = Lite(root.number(0, 4), description=root.text(3))
    names = []
    for metadata in root.tables(6):
        names.append(metadata.text(0))
        if metadata.number(1, 4) >= len(buffers):
            raise FormatError("metadata names a buffer that is not there", offset=metadata.at)
    lite.metadata = tuple(names)
    for graph in root.tables(2):
        count = 0
        for tensor in graph.tables(0):
            count += 1
            lite.tensors += _tensor(tensor, buffers)
        _check_indices(graph, (1, 2), count)
        for operator in graph.tables(3):
            index = operator.number(0, 4)
            if index >= len(codes):
                raise FormatError(f"operator code {index} is not there", offset=operator.at)
            lite.custom.update(codes[index])
            lite.operators += 1
            _check_indices(operator, (1, 2), count)
            if operator.number(9, 8) + operator.number(10, 8) > buffer.size:
                raise FormatError("options of an operator lie outside of the file", offset=operator.at)
            operator.vector(5, 1)
    return lite


def _code(code: Table) -> tuple[str, ...]:
    # The old field has eight bits; the larger of the two counts.
    number = max(code.number(0, 1, signed=True), code.number(3, 4, signed=True))
    return (code.text(1),) if number == CUSTOM else ()


def _buffer(part: Table, size: int) -> tuple[int, int]:
    data, offset, length = part.vector(0, 1), part.number(1, 8), part.number(2, 8)
    # Offsets 0 and 1 mean that the data is inside of the buffer.
    if offset > 1 and length:
        if offset + length > size:
            raise FormatError(f"buffer of {length} bytes lies outside of the file", offset=part.at)
        return offset, length
    return data.at, data.count


def _tensor(tensor: Table, buffers: list[tuple[int, int]]) -> Iterator[LiteTensor]:
    shape = tuple(tensor.numbers(0, 4, signed=True))
    index, name = tensor.number(2, 4), tensor.text(3)
    if index >= len(buffers) and (index or buffers):
        raise FormatError(f"tensor {name[:100]!r} names buffer {index}, which is not there", offset=tensor.at)
    offset, nbytes = buffers[index] if buffers else (0, 0)
    dtype, width = DTYPES.get(tensor.number(1, 1, signed=True), ("", 0))
    if not nbytes:
        return
    sparse = tensor.table(6) is not None
    if min(shape, default=0) < 0 or (width and not sparse and math.prod(shape) * width != nbytes):
        raise FormatError(f"tensor {name[:100]!r} with shape {list(shape[:8])} has {nbytes} bytes", offset=tensor.at)
    yield LiteTensor(name, dtype, shape, offset, nbytes)


def _check_indices(table: Table, slots: tuple[int, ...], count: int) -> None:
    for slot in slots:
        for index in table.numbers(slot, 4, signed=True):
            if not -1 <= index < count:  # -1 stands for an optional input that is left out
                raise FormatError(f"tensor {index} is not there", offset=table.at)
