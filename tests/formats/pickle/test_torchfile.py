"""PyTorch's legacy layout, and tensors as its pickles describe them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.pickle.dtype import read_dtype
from hallmarked.formats.pickle.stream import evaluate
from hallmarked.formats.pickle.tensor import BoundsError, TensorRef, read_storage, read_tensor
from hallmarked.formats.pickle.torchfile import LegacyFile, evaluate_legacy
from hallmarked.formats.pickle.values import Call, Global, Persistent

torch = pytest.importorskip("torch")


def save(value: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def read(data: bytes) -> LegacyFile:
    return evaluate_legacy(Blob.of_bytes("x", data), Budget(len(data)))


def tensors(file: LegacyFile) -> list[TensorRef]:
    calls = file.evaluations[3].trace.calls
    return [read_tensor(call) for call in calls if "tensor" in (call.target() or ("", ""))[1]]


def test_storages_are_found_to_the_last_byte() -> None:
    """Every storage's offset and size is known, and their data are the tensors' bytes."""
    state = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.arange(4, dtype=torch.int16), "e": torch.zeros(0)}
    data = save(state)
    file = read(data)
    assert file.error is None
    assert file.end == len(data)
    for tensor, real in zip(tensors(file), state.values(), strict=True):
        start, size = file.storages[tensor.storage.key]
        assert data[start : start + size] == real.numpy().tobytes()
        assert tensor.shape == tuple(real.shape)
        assert tensor.stride == real.stride()
        assert tensor.dtype == str(real.dtype).removeprefix("torch.")
        assert tensor.contiguous


def test_views_share_storages() -> None:
    """Views of one tensor refer to one storage with offset and strides."""
    base = torch.arange(12.0).reshape(3, 4)
    found = tensors(read(save([base, base[1:, 2:], base.t()])))
    assert len({tensor.storage.key for tensor in found}) == 1
    assert (found[1].offset, found[1].shape, found[1].stride) == (6, (2, 2), (4, 1))
    assert not found[2].contiguous


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + b"\0",
        lambda data: data[:-1],
        lambda data: data.replace(b"\x06\0\0\0\0\0\0\0", b"\x07\0\0\0\0\0\0\0", 1),
        lambda data: data.replace(b"M\xe9\x03", b"M\xe8\x03", 1),
        lambda data: data.replace(b"\x8a\nl", b"\x8a\nm", 1),
    ],
)
def test_files_that_do_not_add_up_are_errors(change: Any) -> None:
    """Magic, version, storage sizes and the end of the file must all agree."""
    data = save({"a": torch.arange(6.0)})
    assert change(data) != data
    assert read(change(data)).error is not None


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_damage_never_escapes(draw: st.DataObject) -> None:
    """A cut file is an error; a mutated one never raises."""
    data = save({"a": torch.arange(6.0), "p": torch.nn.Parameter(torch.ones(2))})
    place = draw.draw(st.integers(0, len(data) - 1))
    assert read(data[:place]).error is not None
    read(data[:place] + bytes([draw.draw(st.integers(0, 255))]) + data[place + 1 :])


def storage(count: Any = 12, kind: str = "FloatStorage", key: Any = "0", location: Any = "cpu") -> Persistent:
    return Persistent(("storage", Global("torch", kind, 0, 2), key, location, count), 0)


def tensor(*args: Any, name: str = "_rebuild_tensor_v2") -> Call:
    return Call("reduce", Global("torch._utils", name, 0, 2), args, 0)


@pytest.mark.parametrize(
    ("offset", "shape", "stride"),
    [
        (0, (3, 4), (4, 1)),
        (0, (), ()),
        (11, (), ()),
        (0, (1000, 12), (0, 1)),
        (12, (0, 5), (5, 1)),
        (0, (4, 3), (1, 4)),
    ],
)
def test_tensors_inside_of_their_storage(offset: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> None:
    """Contiguous, transposed, broadcast, scalar and empty views of twelve elements are fine."""
    assert read_tensor(tensor(storage(), offset, shape, stride, False, None)).shape == shape


@pytest.mark.parametrize(
    ("offset", "shape", "stride"),
    [
        (0, (13,), (1,)),
        (1, (3, 4), (4, 1)),
        (12, (), ()),
        (13, (0,), (1,)),
        (0, (2,), (1 << 59,)),
        (0, (1 << 40, 1 << 40), (1, 1)),
    ],
)
def test_tensors_outside_of_their_storage(offset: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> None:
    """Elements beyond the end are refused, whatever the numbers would overflow to."""
    with pytest.raises(FormatError):
        read_tensor(tensor(storage(), offset, shape, stride, False, None))
    if shape != (1 << 40, 1 << 40):
        with pytest.raises(BoundsError):
            read_tensor(tensor(storage(), offset, shape, stride, False, None))


@pytest.mark.parametrize(
    "args",
    [
        (-1, (1,), (1,)),
        (0, (-1,), (1,)),
        (0, (1,), (-1,)),
        (0, (1, 1), (1,)),
        (0, [1], (1,)),
        (True, (1,), (1,)),
        (0, (1.0,), (1,)),
        (0,),
    ],
)
def test_odd_geometry_is_refused(args: tuple[Any, ...]) -> None:
    """Negative, unequal or non-integer sizes are refused."""
    with pytest.raises(FormatError):
        read_tensor(tensor(storage(), *args))


@pytest.mark.parametrize(
    "value",
    [storage(count=-1), storage(count="1"), storage(kind="NoStorage"), storage(key=7), storage(location="../x"),
     Persistent("0", 0), Persistent(("module", 1, 2, 3, 4), 0), Persistent(("storage",), 0)],
)  # fmt: skip
def test_odd_storages_are_refused(value: Persistent) -> None:
    """Only the shape that PyTorch writes is a storage."""
    with pytest.raises(FormatError):
        read_storage(value)


DTYPES = {
    "double": (b"cnumpy\ndtype\n(Vf8\nI0\nI1\ntR(I3\nV<\nNNNI-1\nI-1\nI0\ntb.", True),
    "unknown name": (b"cnumpy\ndtype\n(Vx8\nI0\nI1\ntR.", False),
    "other class": (b"cnumpy\ndtypo\n(Vf8\nI0\nI1\ntR.", False),
    "shared": (b"cnumpy\ndtype\n(Vf8\nI0\nI0\ntR(I3\nV<\nNNNI-1\nI-1\nI0\ntb.", False),
    "pointers announced as numbers": (b"cnumpy\ndtype\n(VO8\nI0\nI1\ntR(I3\nV|\nNNNI-1\nI-1\nI0\ntb.", False),
    "numbers announced as pointers": (b"cnumpy\ndtype\n(Vf8\nI0\nI1\ntR(I3\nV<\nNNNI-1\nI-1\nI63\ntb.", False),
    "two sizes": (b"cnumpy\ndtype\n(VS4\nI0\nI1\ntR(I3\nV|\nNNNI400\nI1\nI0\ntb.", False),
    "field outside": (
        b"cnumpy\ndtype\n(VV8\nI0\nI1\ntR(I3\nV|\nN(Va\nt(dVa\n(cnumpy\ndtype\n(Vf8\nI0\nI1\ntRI4\ntsI8\nI1\nI0\ntb.",
        False,
    ),
    "field inside": (
        b"cnumpy\ndtype\n(VV8\nI0\nI1\ntR(I3\nV|\nN(Va\nt(dVa\n(cnumpy\ndtype\n(Vf8\nI0\nI1\ntRI0\ntsI8\nI1\nI0\ntb.",
        True,
    ),
    "hidden pointer in a field": (
        b"cnumpy\ndtype\n(VV8\nI0\nI1\ntR(I3\nV|\nN(Va\nt(dVa\n(cnumpy\ndtype\n(VO8\nI0\nI1\ntRI0\ntsI8\nI1\nI0\ntb.",
        False,
    ),
    "second state": (
        b"cnumpy\ndtype\n(Vf8\nI0\nI1\ntR(I3\nV<\nNNNI-1\nI-1\nI0\ntb(I3\nV<\nNNNI-1\nI-1\nI0\ntb.",
        False,
    ),
}


@pytest.mark.parametrize("name", DTYPES)
def test_data_types_must_agree_with_themselves(name: str) -> None:
    """Names, sizes, flags and fields of a numpy data type must not contradict each other: numpy trusts them."""
    stream, good = DTYPES[name]
    root = evaluate(Blob.of_bytes("x", stream), Budget(1)).require()
    if good:
        assert read_dtype(root).itemsize == 8
    else:
        with pytest.raises(FormatError):
            read_dtype(root)
