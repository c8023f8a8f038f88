"""Inventories of tensors, for each format of weights."""

import numpy as np
import pytest

from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.tensor import (
    Tensor,
    by_dtype,
    distinct,
    gguf_tensors,
    npy_tensors,
    onnx_tensors,
    safetensors_tensors,
    tflite_tensors,
)
from tests.formats.test_gguf import write
from tests.formats.test_npy import save
from tests.formats.test_safetensors import info, pack
from tests.formats.test_tflite import REAL


def read(reader, data: bytes, path: str = "folder/m"):
    return reader(Blob.of_bytes(path, data), Budget(len(data)))


def test_safetensors():
    """Names, lower-case data types, shapes and places in the file."""
    data = pack({"a": info(dtype="BF16", shape=[1, 3], data_offsets=[0, 6])}, b"abcdef")
    [tensor] = read(safetensors_tensors, data)
    assert (tensor.name, tensor.dtype, tensor.shape, tensor.count) == ("a", "bf16", (1, 3), 3)
    assert data[tensor.offset : tensor.offset + tensor.nbytes] == b"abcdef"


def test_gguf():
    """Shapes are turned into row-major order, block types keep their names."""
    data = write([], [("w", [64, 2], 2, 0, 72), ("x", [8], 340, 96, 9)])
    known, unknown = read(gguf_tensors, data)
    assert (known.dtype, known.shape, known.nbytes) == ("q4_0", (2, 64), 72)
    assert known.offset + 72 <= len(data)
    assert (unknown.dtype, unknown.nbytes) == ("type340", None)
    assert read(gguf_tensors, write(version=1)) == []


def test_onnx():
    """Initialisers count, constants do not; places outside are resolved beside the file."""
    onnx = pytest.importorskip("onnx")
    from tests.formats.test_onnx import external, model, weight  # noqa: PLC0415 -- needs the library above

    constant = onnx.helper.make_node("Constant", [], ["k"], value=weight("held"))
    data = model(
        [constant], [weight(raw=b"12345678"), external("w.bin", offset="4"), external("../../x")]
    ).SerializeToString()
    inside, beside, outside = read(onnx_tensors, data)
    assert data[inside.offset : inside.offset + 8] == b"12345678"
    assert (beside.path, beside.offset, beside.dtype) == ("folder/w.bin", 4, "f32")
    assert outside.offset is None


def test_npy():
    """An array is one tensor; columns first or objects have no plain bytes."""
    [plain] = read(npy_tensors, save(np.ones((2, 3), "f4")), "folder/w.npy")
    assert (plain.name, plain.dtype, plain.shape, plain.nbytes) == ("w", "f32", (2, 3), 24)
    assert read(npy_tensors, save(np.asfortranarray(np.ones((2, 3)))))[0].offset is None
    assert read(npy_tensors, save(np.array([{}], "O")))[0].offset is None


def test_tflite():
    """Constant tensors of a converted model lie where the table says."""
    tensors = read(tflite_tensors, (REAL / "linear.tflite").read_bytes())
    assert ((3, 4), "f32", 48) in [(t.shape, t.dtype, t.nbytes) for t in tensors]


def test_tied_tensors_count_once():
    """Two names for the same bytes are one tensor; empty ones and those without a place are kept."""
    one = Tensor("a", "f32", (2,), "m", 8, 8)
    tied, other = Tensor("b", "f32", (2,), "m", 8, 8), Tensor("c", "f32", (2,), "m", None, 8)
    empty = Tensor("d", "f32", (0,), "m", 8, 0)
    assert distinct([one, tied, other, other, empty, empty]) == [one, other, other, empty, empty]
    assert list(by_dtype([one, Tensor("x", "bf16", (3,), "m", 0, 6), one])) == [("bf16", 3), ("f32", 4)]


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("h.0.attn.bias", (1, 1, 1024, 1024), True),
        ("h.0.attn.masked_bias", (), True),
        ("bn1.running_mean", (64,), True),
        ("bn1.num_batches_tracked", (), True),
        ("embeddings.position_ids", (1, 512), True),
        ("running_mean.weight", (64,), False),
        ("pos_embed", (1, 256, 256), False),
        ("conv.weight", (1, 1, 7, 7), False),
        ("attention.bias", (1, 2, 64, 64), False),
        ("scale", (), False),
    ],
)
def test_buffers(name: str, shape: tuple[int, ...], expected: bool):
    """Masks by their shape and statistics by their name are told from parameters."""
    assert Tensor(name, "f32", shape, "m", None, None).is_buffer is expected
