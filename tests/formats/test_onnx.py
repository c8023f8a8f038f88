"""The ONNX reader, against models written by the library."""

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.onnx import DTYPES, Onnx, is_onnx, read_onnx
from hallmarked.formats.savedmodel import find_kind

onnx = pytest.importorskip("onnx")


def read(data: bytes) -> Onnx:
    return read_onnx(Blob.of_bytes("m.onnx", data), Budget(len(data)))


def model(nodes=None, initializers=(), **fields):
    helper, kinds = onnx.helper, onnx.TensorProto
    info = [helper.make_tensor_value_info(name, kinds.FLOAT, [2]) for name in ("x", "y")]
    nodes = nodes if nodes is not None else [helper.make_node("Add", ["x", "w"], ["y"], name="add")]
    graph = helper.make_graph(nodes, "g", [info[0]], [info[1]], initializers)
    return helper.make_model(graph, producer_name="tests", **fields)


def weight(name="w", dims=(2,), raw=bytes(8), kind=1):
    return onnx.TensorProto(name=name, dims=dims, data_type=kind, raw_data=raw)


def external(location="w.bin", dims=(2,), **entries):
    tensor = onnx.TensorProto(name="w", dims=dims, data_type=1, data_location=1)
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


VALID = model([onnx.helper.make_node("Add", ["x", "w"], ["y"])], [weight()]).SerializeToString()


def test_a_model_is_read():
    """Producer, operator sets, operators and tensors come back as written."""
    found = read(VALID)
    assert found.producer == "tests"
    assert "" in found.opsets
    assert found.operators == {("", "Add"): 1}
    assert [(t.name, t.shape, t.nbytes, t.initializer) for t in found.tensors] == [("w", (2,), 8, True)]
    start, end = found.tensors[0].raw
    assert VALID[start:end] == bytes(8)


def test_models_are_recognised_by_content():
    """A model is an ONNX model whatever it is called, and other bytes are not."""
    assert is_onnx(Blob.of_bytes("x", VALID))
    assert find_kind(Blob.of_bytes("x", VALID)) is None
    for other in (b"", b"{}", bytes(64), b"PK\x03\x04" + bytes(60), VALID[:-1]):
        assert not is_onnx(Blob.of_bytes("x", other))


@pytest.mark.parametrize("number", DTYPES)
def test_dtype_sizes_are_those_of_the_library(number):
    """The table of data types agrees with the library."""
    dtype = onnx.helper.tensor_dtype_to_np_dtype(number)
    bits = DTYPES[number][1]
    if bits >= 8:
        assert dtype.itemsize * 8 == bits
    else:
        assert str(bits) in dtype.name


def test_nested_graphs_functions_and_training_are_walked():
    """Operators and tensors in branches, functions and constants are found."""
    helper = onnx.helper
    branch = helper.make_graph([helper.make_node("Neg", ["a"], ["b"])], "branch", [], [], [weight("inner")])
    outer = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    constant = helper.make_node("Constant", [], ["k"], value=weight("held"))
    function = helper.make_function("own", "F", ["a"], ["b"], [helper.make_node("Abs", ["a"], ["b"])], [])
    made = model([outer, constant, helper.make_node("F", ["x"], ["z"], domain="own")], functions=[function])
    made.training_info.add().algorithm.node.append(helper.make_node("Exp", ["a"], ["b"]))
    found = read(made.SerializeToString())
    assert {name for _, name in found.operators} == {"If", "Neg", "Constant", "F", "Abs", "Exp"}
    assert ("own", "F") in found.functions
    assert [(t.name, t.initializer) for t in found.tensors] == [("inner", True), ("inner", True), ("held", False)]


def test_external_data_is_located():
    """Location, offset and length are read; without a length the shape gives it."""
    tensor = read(model([], [external(offset="16", length="8")]).SerializeToString()).tensors[0]
    assert (tensor.location, tensor.offset, tensor.length) == ("w.bin", 16, 8)
    assert read(model([], [external()]).SerializeToString()).tensors[0].length == 8


@pytest.mark.parametrize(
    "tensor",
    [
        weight(raw=bytes(7)),
        weight(dims=(-1, -8)),
        weight(dims=(1 << 40, 1 << 40)),
        external(length="9"),
        external(offset="-1"),
        external(offset="1e3"),
        external(offset="9" * 30),
    ],
)
def test_tensors_that_do_not_match_are_refused(tensor):
    """Bytes, lengths and offsets that contradict the shape are a format error."""
    with pytest.raises(FormatError):
        read(model([], [tensor]).SerializeToString())


def test_deep_graphs_are_a_limit():
    """Graphs within graphs end in a format error, never in a RecursionError."""
    data = b""
    for _ in range(300):
        attribute = b"\x32" + _varint(len(data)) + data  # AttributeProto.g
        node = b"\x2a" + _varint(len(attribute)) + attribute  # NodeProto.attribute
        data = b"\x0a" + _varint(len(node)) + node  # GraphProto.node
    with pytest.raises(FormatError):
        read(b"\x3a" + _varint(len(data)) + data)


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


@given(st.integers(0, len(VALID) - 1))
def test_truncations_only_raise_format_errors(cut):
    """A shorter file is refused or read as a shorter message, never a crash."""
    is_onnx(Blob.of_bytes("x", VALID[:cut]))
    with contextlib.suppress(FormatError):
        read(VALID[:cut])


@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_mutations_only_raise_format_errors(source: random.Random, count: int):
    """Changed bytes give another inventory or a format error."""
    data = bytearray(VALID)
    for _ in range(count):
        data[source.randrange(len(data))] = source.randrange(256)
    is_onnx(Blob.of_bytes("x", bytes(data)))
    with contextlib.suppress(FormatError):
        read(bytes(data))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_only_raise_format_errors(data):
    """Whatever the bytes, nothing but a format error escapes."""
    for raw in (data, b"\x3a" + _varint(len(data)) + data):
        is_onnx(Blob.of_bytes("x", raw))
        with contextlib.suppress(FormatError):
            read(raw)
