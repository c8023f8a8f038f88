"""Joblib's framing: where instructions resume after raw array data."""

from __future__ import annotations

import io
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.pickle.joblib import JoblibReading
from hallmarked.formats.pickle.reader import Reader
from hallmarked.formats.pickle.stream import Evaluation, evaluate
from hallmarked.formats.pickle.values import Array, Span

joblib = pytest.importorskip("joblib")
np = pytest.importorskip("numpy")


def dump(value: Any) -> bytes:
    stream = io.BytesIO()
    joblib.dump(value, stream)
    return stream.getvalue()


def read(data: bytes) -> tuple[Evaluation, JoblibReading, Reader]:
    blob, reading = Blob.of_bytes("x", data), JoblibReading(Budget(len(data)))
    reader = Reader(blob.open(), blob.size)
    return reading.evaluate_next(reader), reading, reader


ARRAYS = {
    "float": np.arange(7.0),
    "matrix": np.asfortranarray(np.ones((3, 4))),
    "structured": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8", (2,))]),
    "text": np.array(["ab", "c"]),
    "dates": np.array(["2020-01-01"], dtype="M8[D]"),
    "empty": np.zeros((0, 3)),
    "bool": np.array(True),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_raw_array_data_are_found(name: str) -> None:
    """The data between the instructions are exactly the array's bytes, and reading goes on behind them."""
    array = ARRAYS[name]
    data = dump([array, "behind"])
    result, reading, reader = read(data)
    assert result.error is None
    assert reader.at_end
    assert reading.arrays == 1
    found, behind = result.root
    assert behind == "behind"
    assert isinstance(found, Array)
    assert isinstance(found.data, Span)
    raw = data[found.data.offset : found.data.offset + found.data.length]
    assert raw == array.tobytes("F" if array.flags.f_contiguous else "C")


def test_object_arrays_are_pickles_within() -> None:
    """An array of objects is a nested pickle whose imports are listed with the others."""
    result, _, reader = read(dump({"a": np.array([{"x": 1}, None], dtype=object), "b": 2}))
    assert result.error is None
    assert reader.at_end
    assert result.root.get("b") == 2
    assert ("numpy._core.multiarray", "_reconstruct") in [call.target() for call in result.trace.calls]


def test_a_wrapper_made_in_protocol_0_style_is_a_wrapper() -> None:
    """The reader recognises the wrapper by its class, however it was created, and so do we."""
    body = (
        b"ccopy_reg\n_reconstructor\n(cjoblib.numpy_pickle\nNumpyArrayWrapper\nc__builtin__\nobject\nNtR"
        b"(dVdtype\ncnumpy\ndtype\n(Vu1\nI0\nI1\ntRsVshape\n(I3\ntsVorder\nVC\nsb"
    )
    result, reading, reader = read(body + b"abc" + b".")
    assert result.error is None
    assert reading.arrays == 1
    assert reader.at_end
    assert evaluate(Blob.of_bytes("x", body + b"abc."), Budget(1)).error is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"\xff" * 4, b"\xff\xff.\xff", 1),
        lambda data: data[:-40],
        lambda data: data.replace(b"K\x07\x85", b"K\x77\x85"),
        lambda data: data.replace(b"f8", b"f9", 1),
        lambda data: data.replace(b"shape", b"shapo", 1),
    ],
)
def test_broken_framing_is_an_error(change: Any) -> None:
    """Padding, sizes or types that joblib would not write make the rest of the file meaningless."""
    data = dump(np.arange(7.0))
    assert change(data) != data
    result, _, reader = read(change(data))
    assert result.error is not None or not reader.at_end


@given(st.data())
@settings(max_examples=60)
def test_truncated_and_mutated_files_never_escape(draw: st.DataObject) -> None:
    """Damage gives an error that is kept, never an exception; a cut file is always an error."""
    data = dump({"a": np.arange(5), "o": np.array([None, "x"], dtype=object)})
    cut = draw.draw(st.integers(0, len(data) - 1))
    assert read(data[:cut])[0].error is not None
    mutated = bytearray(data)
    mutated[cut] = draw.draw(st.integers(0, 255))
    read(bytes(mutated))


def test_plain_pickles_are_read_as_ever() -> None:
    """A file without wrappers is read the same way as by the plain machine."""
    data = pickle.dumps({"a": [1, 2]}, 4)
    result, reading, _ = read(data)
    assert reading.arrays == 0
    assert result.root.get("a") == [1, 2]
