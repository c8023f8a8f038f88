"""Tensors of PyTorch checkpoints and NumPy archives, without loading them."""

import contextlib
import io
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.checkpoint import is_npz, is_torch, npz_tensors, torch_tensors

torch = pytest.importorskip("torch")


def save(thing: object, *, zipped: bool = True) -> bytes:
    out = io.BytesIO()
    torch.save(thing, out, _use_new_zipfile_serialization=zipped)
    return out.getvalue()


def read(data: bytes):
    return torch_tensors(Blob.of_bytes("m.bin", data), Budget(len(data)))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict_is_read(zipped):
    """Names, types and shapes agree with torch, and the bytes lie where they are said to."""
    weight = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    state = {"layer.weight": weight, "half": torch.ones(3, dtype=torch.bfloat16), "ids": torch.arange(4)}
    data = save(state, zipped=zipped)
    assert is_torch(Blob.of_bytes("x", data))
    found = {t.name: t for t in read(data)}
    assert {n: (t.dtype, t.shape) for n, t in found.items()} == {
        "layer.weight": ("f32", (2, 3)),
        "half": ("bf16", (3,)),
        "ids": ("i64", (4,)),
    }
    held = found["layer.weight"]
    assert data[held.offset : held.offset + held.nbytes] == weight.numpy().tobytes()


@pytest.mark.parametrize("zipped", [True, False])
def test_views_and_ties(zipped):
    """A part of a storage begins inside of it, a transposed view has no plain bytes, tied names share theirs."""
    base = torch.arange(6, dtype=torch.float32)
    state = {"whole": base, "part": base[2:4], "turned": base.reshape(2, 3).T, "same": base}
    found = {t.name: t for t in read(save(state, zipped=zipped))}
    assert found["part"].offset == found["whole"].offset + 8
    assert found["turned"].offset is None
    assert found["same"].offset == found["whole"].offset


def test_the_model_is_taken_out_of_a_training_checkpoint():
    """Weights under a usual key count, the optimizer's state does not."""
    module = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    both = {"model": module.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    assert {t.name for t in read(save(both))} == {"weight", "bias"}
    assert {t.name for t in read(save({"encoder": module.state_dict(), "epoch": 1}))} == {
        "encoder.weight",
        "encoder.bias",
    }
    assert read(save(optimizer.state_dict())) == []


def test_parameters_are_tensors():
    """A parameter is read like its tensor."""
    assert [t.shape for t in read(save({"p": torch.nn.Parameter(torch.ones(3))}))] == [(3,)]


def test_npz():
    """Arrays of an archive are named by their members, stored or compressed."""
    for write in (np.savez, np.savez_compressed):
        out = io.BytesIO()
        write(out, a=np.ones(3, "f4"), b=np.arange(2))
        data = out.getvalue()
        blob = Blob.of_bytes("m.npz", data)
        assert is_npz(blob)
        assert not is_torch(blob)
        found = {t.name: t for t in npz_tensors(blob, Budget(len(data)))}
        assert {n: (t.dtype, t.shape) for n, t in found.items()} == {"a": ("f32", (3,)), "b": ("i64", (2,))}
        if write is np.savez:
            assert data[found["a"].offset :][:12] == np.ones(3, "f4").tobytes()
        else:
            assert found["a"].offset is None


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x02}.", b"{}", bytes(100)])
def test_other_bytes_are_not_checkpoints(data):
    """What is neither layout is not claimed."""
    assert not is_torch(Blob.of_bytes("x", data))
    assert not is_npz(Blob.of_bytes("x", data))


STATE = {"w": torch.ones(2, 2), "b": torch.zeros(2)}
FILES = [save(STATE), save(STATE, zipped=False)]


@given(st.randoms(use_true_random=False), st.integers(1, 4), st.sampled_from(FILES), st.floats(0, 1))
def test_damage_only_raises_format_errors(source: random.Random, count: int, whole: bytes, cut: float):
    """Changed and shortened files give another inventory or a format error."""
    data = bytearray(whole)
    for _ in range(count):
        data[source.randrange(len(data))] = source.randrange(256)
    for raw in (bytes(data), whole[: int(len(whole) * cut)]):
        is_torch(Blob.of_bytes("x", raw))
        with contextlib.suppress(FormatError):
            read(raw)
