"""The reader of TensorFlow Lite models."""

import contextlib
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.tflite import Lite, is_tflite, read_tflite
from tests.formats.flat import build

REAL = Path(__file__).parents[1] / "assets" / "tensorflow"
I32 = 4


def model(tensors=None, operators=None, codes=None, buffers=None, **extra):
    """Write a model with one tensor of two floats and one custom operator, unless told otherwise."""
    tensors = [{0: (I32, [2]), 1: (1, 0), 2: (4, 1), 3: "w"}] if tensors is None else tensors
    operators = [{0: (4, 0), 1: (I32, [0, -1]), 2: (I32, [0])}] if operators is None else operators
    codes = [{0: (1, 32), 1: "Mine", 3: (4, 32)}] if codes is None else codes
    buffers = [{}, {0: (1, [0] * 8)}] if buffers is None else buffers
    graph = {0: tensors, 1: (I32, [0]), 2: (I32, [0]), 3: operators, 4: "main"}
    return build({0: (4, 3), 1: codes, 2: [graph], 3: "text", 4: buffers, **extra.get("root", {})}, b"TFL3")


def read(data: bytes) -> Lite:
    return read_tflite(Blob.of_bytes("m.tflite", data), Budget(len(data)))


def test_a_model_is_read():
    """Custom operators, tensors with data and the description come back."""
    found = read(model())
    assert found.custom == {"Mine"}
    assert found.description == "text"
    assert [(t.name, t.dtype, t.shape, t.nbytes) for t in found.tensors] == [("w", "F32", (2,), 8)]


def test_real_models_are_read():
    """Files of TensorFlow's converter are read, with the operators taken from TensorFlow."""
    found = read((REAL / "linear.tflite").read_bytes())
    assert [(t.shape, t.nbytes) for t in found.tensors if t.dtype == "F32"] == [((3, 4), 48)]
    assert not found.custom
    assert "FlexTensorListReserve" in read((REAL / "flex.tflite").read_bytes()).custom
    assert is_tflite(Blob.of_bytes("x", model()))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0\0TFL3",
        model(codes=[]),
        model(operators=[{0: (4, 5)}]),
        model(operators=[{1: (I32, [1])}]),
        model(operators=[{2: (I32, [-2])}]),
        model(operators=[{9: (8, 1 << 40), 10: (8, 5)}]),
        model(tensors=[{0: (I32, [3]), 2: (4, 1)}]),
        model(tensors=[{0: (I32, [-2]), 2: (4, 1)}]),
        model(tensors=[{0: (I32, [2]), 2: (4, 9)}]),
        model(buffers=[{}, {1: (8, 1 << 40), 2: (8, 8)}]),
        model(root={6: [{0: "m", 1: (4, 7)}]}),
    ],
)
def test_what_points_nowhere_is_refused(data):
    """Missing codes, tensors and buffers, ranges outside and wrong sizes are format errors."""
    with pytest.raises(FormatError):
        read(data)


VALID = (REAL / "linear.tflite").read_bytes()


@given(st.randoms(use_true_random=False), st.integers(1, 4), st.integers(0, len(VALID)))
def test_damage_only_raises_format_errors(source: random.Random, count: int, cut: int):
    """Changed and shortened files give another inventory or a format error."""
    data = bytearray(VALID)
    for _ in range(count):
        data[source.randrange(len(data))] = source.randrange(256)
    for raw in (bytes(data), VALID[:cut]):
        with contextlib.suppress(FormatError):
            read(raw)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_only_raise_format_errors(data):
    """Whatever the bytes, nothing but a format error escapes."""
    for raw in (data, b"\x08\0\0\0TFL3" + data):
        with contextlib.suppress(FormatError):
            read(raw)
