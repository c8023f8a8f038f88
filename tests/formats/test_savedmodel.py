"""The reader of TensorFlow graphs."""

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.onnx import is_onnx
from hallmarked.formats.savedmodel import GraphKind, Graphs, find_kind, leaves, read_graphs
from tests.formats.wire import function, graph, node, number, part, saved_model, text_constant

NODES = (node("a", "Const"), node("b", "AddV2", "a", "a"))
FUNCTION = function("f", node("c", "ReadFile", "a"))
OBJECTS = part(7, part(1, part(4, part(1, "_tf_keras_layer"), part(3, '{"class_name": "Lambda"}'))))
ASSETS = part(6, part(2, "vocab.txt"))
KERAS = part(1, number(2, 3), part(3, "root.layer"), part(4, "_tf_keras_layer"), part(5, '{"x": 1}'))
VALID = saved_model(graph(*NODES, functions=(FUNCTION,)), ASSETS, OBJECTS)


def read(data: bytes, wanted=lambda op: False) -> Graphs:
    return read_graphs(Blob.of_bytes("saved_model.pb", data), Budget(len(data)), wanted)


def test_a_saved_model_is_read():
    """Operations of graph and functions, assets and descriptions of objects are found."""
    found = read(VALID, lambda op: op == "ReadFile")
    assert found.kind is GraphKind.SAVED_MODEL
    assert found.ops == {"Const": 1, "AddV2": 1, "ReadFile": 1}
    assert found.functions == {"f"}
    assert [(n.op, n.inputs) for n in found.nodes["f"]] == [("ReadFile", ["a"])]
    assert found.assets == ["vocab.txt"]
    assert found.metadata == [("_tf_keras_layer", b'{"class_name": "Lambda"}')]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (VALID, GraphKind.SAVED_MODEL),
        (part(2, part(2, part(1, NODES[0]))), GraphKind.SAVED_MODEL),
        (part(1, part(4, "train")) + part(2, graph(*NODES, functions=(FUNCTION,))), GraphKind.META_GRAPH),
        (part(2, graph(*NODES)), GraphKind.META_GRAPH),
        (graph(*NODES), GraphKind.GRAPH),
        (part(1, NODES[0]), GraphKind.GRAPH),
        (KERAS, GraphKind.KERAS_METADATA),
        (b"", None),
        (b"{}", None),
        (number(1, 1), None),
        (part(1, part(1, "x")), None),
        (VALID[:-1], None),
    ],
)
def test_messages_are_told_apart_by_content(data, kind):
    """The kind follows from the bytes; other bytes are none of them, and none is an ONNX model."""
    assert find_kind(Blob.of_bytes("x", data)) is kind
    assert not is_onnx(Blob.of_bytes("x", data))


def test_keras_metadata_gives_its_documents():
    """Each object's description is handed on."""
    assert read(KERAS).metadata == [("_tf_keras_layer", b'{"x": 1}')]


def test_functions_named_by_attributes_are_found():
    """An attribute that names a function may name an operation as well."""
    value = part(10, part(1, "PyFunc"))
    listed = part(1, part(9, part(1, "ReadFile")))
    assert read(graph(node("a", "MapDataset", f=value, fs=listed))).called == {"PyFunc", "ReadFile"}


def test_constant_paths_are_kept():
    """A constant text that leaves the folder is kept, another one is not."""
    found = read(graph(text_constant("p", "/etc/passwd"), text_constant("q", "plain")))
    assert [n.texts["value"] for n in found.nodes[""]] == [["/etc/passwd"]]


@pytest.mark.parametrize(
    ("path", "out"), [("/a", True), ("a/b", False), ("../a", True), ("a/../b", True), ("~/x", True)]
)
def test_paths_that_leave(path, out):
    """Absolute paths, parents, homes, addresses and drives leave the folder."""
    assert leaves(path) is out
    assert all(map(leaves, ("C:\\x", "s3://x", "\\\\host\\x")))


def test_other_bytes_are_refused():
    """What is none of the messages is a format error."""
    with pytest.raises(FormatError):
        read(b"not a graph")


@given(st.integers(0, len(VALID)))
def test_truncations_only_raise_format_errors(cut):
    """A shorter file is refused or read as a shorter message."""
    with contextlib.suppress(FormatError):
        read(VALID[:cut])


@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_mutations_only_raise_format_errors(source: random.Random, count: int):
    """Changed bytes give another inventory or a format error."""
    data = bytearray(VALID)
    for _ in range(count):
        data[source.randrange(len(data))] = source.randrange(256)
    with contextlib.suppress(FormatError):
        read(bytes(data), lambda op: True)


@given(st.binary(max_size=100))
def test_arbitrary_bytes_only_raise_format_errors(data):
    """Whatever the bytes, nothing but a format error escapes."""
    for raw in (data, part(1, node("a", "B")) + part(1, data), saved_model(graph(*NODES) + data)):
        with contextlib.suppress(FormatError):
            read(raw)
