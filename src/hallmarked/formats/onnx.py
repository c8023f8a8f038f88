"""ONNX models (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), read as protocol buffers without the library.

Tensor bytes are never copied: a tensor inside the file is a range, one outside is a location with offset and length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.protobuf import LENGTH, VARINT, Field, Message, open_message, outline

DTYPES: Mapping[int, tuple[str, int]] = {
    1: ("F32", 32), 2: ("U8", 8), 3: ("I8", 8), 4: ("U16", 16), 5: ("I16", 16), 6: ("I32", 32), 7: ("I64", 64),
    9: ("BOOL", 8), 10: ("F16", 16), 11: ("F64", 64), 12: ("U32", 32), 13: ("U64", 64), 14: ("C64", 64),
    15: ("C128", 128), 16: ("BF16", 16), 17: ("F8_E4M3", 8), 18: ("F8_E4M3FNUZ", 8), 19: ("F8_E5M2", 8),
    20: ("F8_E5M2FNUZ", 8), 21: ("U4", 4), 22: ("I4", 4), 23: ("F4", 4), 24: ("F8_E8M0", 8), 25: ("U2", 2),
    26: ("I2", 2),
}  # fmt: skip
"""Name and bits per element of the data types with a fixed size; text has none."""

_MODEL = frozenset({(1, VARINT), (5, VARINT), *((n, LENGTH) for n in (2, 3, 4, 6, 7, 8, 14, 20, 25, 26))})
_GRAPH = frozenset((n, LENGTH) for n in (1, 2, 5, 10, 11, 12, 13, 14, 15, 16))
_MAX_NUMBER = 1 << 63


@dataclass(slots=True)
class OnnxTensor:
    """A tensor kept in or beside the file."""

    name: str = ""
    dtype: int = 0
    shape: tuple[int, ...] = ()
    initializer: bool = False
    """True for weights of a graph, false for constants inside of nodes."""
    raw: tuple[int, int] | None = None
    """Where its bytes begin and end in the file."""
    location: str | None = None
    """The other file its bytes are in."""
    offset: int = 0
    length: int | None = None

    @property
    def count(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int | None:
        """Bytes its elements take; ``None`` when the type has no fixed size."""
        bits = DTYPES.get(self.dtype)
        return None if bits is None else -(-self.count * bits[1] // 8)


@dataclass(frozen=True, slots=True)
class CompiledNode:
    """A node that holds or names a program compiled for some device (ONNX Runtime's ``EPContext``)."""

    embedded: bool
    target: str
    """The file, unless embedded."""


@dataclass(slots=True)
class Onnx:
    """What a model says."""

    producer: str = ""
    opsets: dict[str, int] = field(default_factory=dict)
    operators: dict[tuple[str, str], int] = field(default_factory=dict)
    """How often each (domain, operator) occurs, in all graphs and functions."""
    functions: set[tuple[str, str]] = field(default_factory=set)
    tensors: list[OnnxTensor] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    """Free text: properties and descriptions."""
    compiled: list[CompiledNode] = field(default_factory=list)


def is_onnx(blob: Blob) -> bool:
    """Say whether a blob is an ONNX model: its outermost fields, and those of the graph inside."""
    fields = outline(blob)
    if fields is None or (7, LENGTH) not in fields or not fields <= _MODEL:
        return False
    graph = outline(blob, 7)
    return graph is not None and graph <= _GRAPH


def read_onnx(blob: Blob, budget: Budget) -> Onnx:
    """Read the inventory of a model.

    Raises:
        FormatError: When a message is broken or a tensor's bytes do not match its shape.
    """
    with open_message(blob, budget) as message:
        reader = _Reader()
        reader.model(message)
    return reader.onnx


class _Reader:
    def __init__(self) -> None:
        self.onnx = Onnx()

    def model(self, message: Message) -> None:
        graphs = 0
        for f in message:
            if f.number == 7:
                graphs += 1
                self.graph(message.message(f))
            elif f.number == 2:
                self.onnx.producer = message.text(f)
            elif f.number == 8:
                domain, version = "", 0
                opset = message.message(f)
                for inner in opset:
                    domain = opset.text(inner) if inner.number == 1 else domain
                    version = inner.signed if inner.number == 2 else version
                self.onnx.opsets[domain] = version
            elif f.number == 20:
                training = message.message(f)
                for inner in training:
                    if inner.number in (1, 2):
                        self.graph(training.message(inner))
            elif f.number == 25:
                self._function(message.message(f))
            else:
                self._note(message, f, description=6, properties=14)
        if not graphs:
            raise FormatError("a model without a graph")

    def graph(self, message: Message) -> None:
        for f in message:
            if f.number == 1:
                self._node(message.message(f))
            elif f.number == 5:
                self._tensor(message.message(f), initializer=True)
            elif f.number == 15:
                self._sparse(message.message(f), initializer=True)
            else:
                self._note(message, f, description=10, properties=16)

    def _function(self, message: Message) -> None:
        name = domain = ""
        for f in message:
            if f.number == 1:
                name = message.text(f)
            elif f.number == 10:
                domain = message.text(f)
            elif f.number == 7:
                self._node(message.message(f))
            elif f.number == 11:
                self._attribute(message.message(f), {})
            else:
                self._note(message, f, description=8, properties=14)
        self.onnx.functions.add((domain, name))

    def _note(self, message: Message, f: Field, *, description: int, properties: int) -> None:
        if f.number == description:
            self.onnx.texts.append(("doc_string", message.text(f)))
        elif f.number == properties:
            self.onnx.texts.append(_pair(message.message(f)))

    def _node(self, message: Message) -> None:
        operator = domain = ""
        values: dict[str, str] = {}
        for f in message:
            if f.number == 4:
                operator = message.text(f)
            elif f.number == 7:
                domain = message.text(f)
            elif f.number == 5:
                self._attribute(message.message(f), values)
            else:
                self._note(message, f, description=6, properties=9)
        key = (domain, operator)
        self.onnx.operators[key] = self.onnx.operators.get(key, 0) + 1
        if operator == "EPContext":
            # The attribute defaults to 1: the program is inside.
            embedded = values.get("embed_mode", "1") != "0"
            self.onnx.compiled.append(CompiledNode(embedded, "" if embedded else values.get("ep_cache_context", "")))

    def _attribute(self, message: Message, values: dict[str, str]) -> None:
        name, value = "", ""
        for f in message:
            if f.number == 1:
                name = message.text(f)
            elif f.number == 3 and f.wire == VARINT:
                value = str(f.signed)
            elif f.number == 4 and f.wire == LENGTH:
                value = message.text(f) if f.end - f.start <= 4096 else ""
            elif f.number in (5, 10):
                self._tensor(message.message(f), initializer=False)
            elif f.number in (6, 11):
                self.graph(message.message(f))
            elif f.number in (22, 23):
                self._sparse(message.message(f), initializer=False)
        values[name] = value

    def _sparse(self, message: Message, *, initializer: bool) -> None:
        for f in message:
            if f.number in (1, 2):
                self._tensor(message.message(f), initializer=initializer and f.number == 1)

    def _tensor(self, message: Message, *, initializer: bool) -> None:
        tensor, dims, outside, external = OnnxTensor(initializer=initializer), [], {}, False
        for f in message:
            if f.number == 1:
                dims += message.numbers(f)
            elif f.number == 2 and f.wire == VARINT:
                tensor.dtype = f.value
            elif f.number == 8:
                tensor.name = message.text(f)
            elif f.number == 9 and f.wire == LENGTH:
                tensor.raw = (f.start, f.end)
            elif f.number == 13:
                key, value = _pair(message.message(f))
                outside[key] = value
            elif f.number == 14 and f.wire == VARINT:
                external = f.value == 1
        tensor.shape = tuple(dims)
        if min(dims, default=0) < 0 or tensor.count >= _MAX_NUMBER:
            raise FormatError(f"tensor {tensor.name[:100]!r} has an impossible shape", offset=message.start)
        if external or outside:
            _outside(tensor, outside)
        elif tensor.raw is not None and tensor.nbytes not in (None, tensor.raw[1] - tensor.raw[0]):
            held = tensor.raw[1] - tensor.raw[0]
            raise FormatError(f"tensor {tensor.name[:100]!r} needs {tensor.nbytes} bytes and has {held}")
        self.onnx.tensors.append(tensor)


def _pair(message: Message) -> tuple[str, str]:
    key = value = ""
    for f in message:
        if f.number == 1:
            key = message.text(f)
        elif f.number == 2:
            value = message.text(f)
    return key, value


def _outside(tensor: OnnxTensor, entries: Mapping[str, str]) -> None:
    tensor.location = entries.get("location", "")
    tensor.offset = _number(tensor, entries.get("offset", "0"))
    tensor.length = _number(tensor, entries["length"]) if entries.get("length") else tensor.nbytes
    if None not in (tensor.nbytes, tensor.length) and tensor.nbytes != tensor.length:
        raise FormatError(f"tensor {tensor.name[:100]!r} needs {tensor.nbytes} bytes, {tensor.length} are outside")


def _number(tensor: OnnxTensor, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise FormatError(f"tensor {tensor.name[:100]!r} has the offset or length {text[:40]!r}")
    return int(text)
