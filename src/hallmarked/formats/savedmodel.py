"""TensorFlow graphs: SavedModel, frozen GraphDef, MetaGraphDef and Keras' ``keras_metadata.pb``, as protocol buffers.

Field numbers are those of https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/protobuf
(``saved_model.proto``, ``meta_graph.proto``, ``saved_object_graph.proto``) and ``core/framework`` beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.protobuf import LENGTH, VARINT, Field, Message, open_message, outline

_DT_STRING = 7
_TOLD_ATTRIBUTES = frozenset({"output_stream", "debug_urls", "token", "call_target_name", "target_name", "file_name"})
"""Attributes whose text an examiner needs to see."""


class GraphKind(StrEnum):
    """Which message a file is."""

    SAVED_MODEL = "SavedModel"
    META_GRAPH = "MetaGraphDef"
    GRAPH = "GraphDef"
    KERAS_METADATA = "Keras metadata"


@dataclass(slots=True)
class Node:
    """An operation that somebody should look at, or a constant that is a path."""

    name: str = ""
    op: str = ""
    inputs: list[str] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    """Text attributes that say what the operation reaches."""


@dataclass(slots=True)
class Graphs:
    """What a file with graphs says."""

    kind: GraphKind
    ops: dict[str, int] = field(default_factory=dict)
    """How often each operation occurs, in graphs and functions."""
    functions: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    """Names used as functions by attributes."""
    nodes: dict[str, list[Node]] = field(default_factory=dict)
    """Nodes of the operations asked for, with the function they are in (empty for the graph itself)."""
    assets: list[str] = field(default_factory=list)
    metadata: list[tuple[str, bytes]] = field(default_factory=list)
    """Descriptions of Python objects, usually JSON, with the object's identifier."""


_MESSAGES = frozenset((number, LENGTH) for number in range(1, 9))
_GRAPH = frozenset({(1, LENGTH), (2, LENGTH), (3, VARINT), (4, LENGTH)})
_SHAPES: tuple[tuple[GraphKind, frozenset[tuple[int, int]], tuple[int, ...]], ...] = (
    # Which outermost fields a message may have, and where its first node is: a node has a name and an operation.
    (GraphKind.SAVED_MODEL, frozenset({(1, VARINT), (2, LENGTH)}), (2, 2, 1)),
    (GraphKind.META_GRAPH, _MESSAGES, (2, 1)),
    (GraphKind.GRAPH, _GRAPH, (1,)),
)


def find_kind(blob: Blob) -> GraphKind | None:
    """Say which of the messages a blob is, by its outermost fields and those of its first node."""
    fields = outline(blob)
    if not fields:
        return None
    for kind, allowed, path in _SHAPES:
        if fields <= allowed:
            node = outline(blob, *path)
            if node is not None and {(1, LENGTH), (2, LENGTH)} <= node <= _MESSAGES:
                return kind
    # An object of Keras' metadata has its number, its path and its class.
    item = outline(blob, 1) if fields == {(1, LENGTH)} else None
    return GraphKind.KERAS_METADATA if item is not None and {(2, VARINT), (4, LENGTH)} <= item else None


def _nothing(_: str) -> bool:
    return False


def read_graphs(blob: Blob, budget: Budget, wanted: Callable[[str], bool] = _nothing) -> Graphs:
    """Read the inventory of a file with graphs.

    Args:
        blob: A file that ``find_kind`` recognises.
        budget: What reading may cost.
        wanted: Says of which operations the nodes are kept.

    Raises:
        FormatError: When it is none of the messages or is broken inside.
    """
    kind = find_kind(blob)
    if kind is None:
        raise FormatError("not a TensorFlow graph")
    graphs = Graphs(kind)
    with open_message(blob, budget) as message:
        reader = _Reader(graphs, wanted)
        {
            GraphKind.SAVED_MODEL: reader.saved_model,
            GraphKind.META_GRAPH: reader.meta_graph,
            GraphKind.GRAPH: reader.graph,
            GraphKind.KERAS_METADATA: reader.keras_metadata,
        }[kind](message)
    return graphs


class _Reader:
    def __init__(self, graphs: Graphs, wanted: Callable[[str], bool]) -> None:
        self._graphs, self._wanted = graphs, wanted

    def saved_model(self, message: Message) -> None:
        self._each(message, {2: self.meta_graph})

    def meta_graph(self, message: Message) -> None:
        self._each(message, {2: self.graph, 6: self._asset, 7: self._objects})

    def graph(self, message: Message) -> None:
        for outer in message:
            if outer.number == 1:
                self._node(message.message(outer), "")
            elif outer.number == 2:
                self._each(message.message(outer), {1: self._function})

    def keras_metadata(self, message: Message) -> None:
        for outer in message:
            if outer.number == 1:
                self._described(message.message(outer), identifier=4, metadata=5)

    def _each(self, message: Message, handlers: Mapping[int, Callable[[Message], None]]) -> None:
        for outer in message:
            handler = handlers.get(outer.number)
            if handler is not None:
                handler(message.message(outer))

    def _asset(self, message: Message) -> None:
        self._graphs.assets += [message.text(f) for f in message if f.number == 2]

    def _objects(self, message: Message) -> None:
        self._each(message, {1: lambda saved: self._each(saved, {4: lambda user: self._described(user, 1, 3)})})

    def _described(self, message: Message, identifier: int, metadata: int) -> None:
        name, data = "", b""
        for inner in message:
            if inner.number == identifier:
                name = message.text(inner)
            elif inner.number == metadata:
                data = message.content(inner)
        if data:
            self._graphs.metadata.append((name, data))

    def _function(self, message: Message) -> None:
        name = ""
        for inner in message:
            if inner.number == 1:
                signature = message.message(inner)
                name = next((signature.text(f) for f in signature if f.number == 1), "")
                self._graphs.functions.add(name)
        for inner in message:
            if inner.number == 3:
                self._node(message.message(inner), name)

    def _node(self, message: Message, function: str) -> None:
        node, attributes = Node(), []
        for inner in message:
            if inner.number == 1:
                node.name = message.text(inner)
            elif inner.number == 2:
                node.op = message.text(inner)
            elif inner.number == 3:
                node.inputs.append(message.text(inner))
            elif inner.number == 5:
                attributes.append(inner)
        self._graphs.ops[node.op] = self._graphs.ops.get(node.op, 0) + 1
        for attribute in attributes:
            self._attribute(message.message(attribute), node)
        paths = node.op == "Const" and any(map(leaves, node.texts.get("value", ())))
        if paths or (node.op != "Const" and self._wanted(node.op)):
            self._graphs.nodes.setdefault(function, []).append(node)

    def _attribute(self, message: Message, node: Node) -> None:
        key, value = "", None
        for inner in message:
            if inner.number == 1:
                key = message.text(inner)
            elif inner.number == 2:
                value = inner
        if value is None:
            return
        attribute = message.message(value)
        for inner in attribute:
            if inner.number == 10:
                self._called(attribute.message(inner))
            elif inner.number == 1 and inner.wire == LENGTH:
                self._list(attribute.message(inner), key, node)
            elif inner.number == 2 and key in _TOLD_ATTRIBUTES:
                node.texts.setdefault(key, []).append(attribute.text(inner))
            elif inner.number == 8 and key == "value" and node.op == "Const":
                node.texts.setdefault(key, []).extend(_strings(attribute.message(inner)))

    def _list(self, message: Message, key: str, node: Node) -> None:
        for inner in message:
            if inner.number == 9:
                self._called(message.message(inner))
            elif inner.number == 2 and key in _TOLD_ATTRIBUTES:
                node.texts.setdefault(key, []).append(message.text(inner))

    def _called(self, message: Message) -> None:
        self._graphs.called.update(message.text(f) for f in message if f.number == 1)


def _strings(message: Message) -> list[str]:
    """Return the text of a small constant; vocabularies are not paths and are left alone."""
    kind = 0
    found: list[str] = []
    for inner in message:
        if inner.number == 1 and inner.wire == VARINT:
            kind = inner.value
        elif inner.number == 8 and kind == _DT_STRING and len(found) < 16 and _short(inner):
            found.append(message.text(inner))
    return found


def _short(inner: Field) -> bool:
    return inner.wire == LENGTH and inner.end - inner.start <= 4096


def leaves(path: str) -> bool:
    """Say whether a path written into a graph points out of the model's folder."""
    parts = path.replace("\\", "/").split("/")
    return path.startswith(("/", "\\", "~")) or ".." in parts or "://" in path or path[1:3] in (":\\", ":/")
