"""Results get the names that loaders look for, and indexes stay true."""

from __future__ import annotations

import json

import pytest

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob
from hallmarked.transforms.naming import Group, output_name, read_index, rewrite_index


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("pytorch_model.bin", "model.safetensors"),
        ("pytorch_model-00001-of-00002.bin", "model-00001-of-00002.safetensors"),
        ("pytorch_model.fp16.bin", "model.fp16.safetensors"),
        ("pytorch_model.bin.index.json", "model.safetensors.index.json"),
        ("unet/diffusion_pytorch_model.bin", "unet/diffusion_pytorch_model.safetensors"),
        ("adapter_model.bin", "adapter_model.safetensors"),
        ("last.ckpt", "last.safetensors"),
        ("v1.5", "v1.5.safetensors"),
    ],
)
def test_names(path: str, result: str) -> None:
    """The ecosystem's names map to the ecosystem's names, others change only their ending."""
    assert output_name(path) == result


def index(**weight_map: str) -> Blob:
    """An index as it lies beside its parts."""
    content = {"metadata": {"total_size": 1, "by": "x"}, "weight_map": weight_map}
    return Blob.of_bytes("d/pytorch_model.bin.index.json", json.dumps(content).encode())


def test_an_index_names_its_parts() -> None:
    """Parts are found beside the index, in the order in which they are named."""
    group = read_index(index(b="2.bin", a="1.bin", c="2.bin"), ["d/1.bin", "d/2.bin", "x"])
    assert group is not None
    assert group.files == ("d/2.bin", "d/1.bin")


@pytest.mark.parametrize("name", ["2.bin", "../1.bin", "/1.bin"])
def test_an_index_must_not_name_other_files(name: str) -> None:
    """A part that is missing, or outside of the folder, is an error."""
    with pytest.raises(FormatError, match="not there"):
        read_index(index(a="1.bin", b=name), ["d/1.bin"])


@pytest.mark.parametrize("weight_map", [{}, {"a": 1}, {"a": "1.safetensors"}, ["a"], None])
def test_other_indexes_are_left_alone(weight_map: object) -> None:
    """What is no index of pickled weights is not taken for one."""
    text = json.dumps({"weight_map": weight_map}).encode()
    assert read_index(Blob.of_bytes("x.index.json", text), ["1.safetensors"]) is None
    assert read_index(Blob.of_bytes("x.index.json", b"[]"), []) is None


def test_an_index_is_rewritten() -> None:
    """Files get their new names, left-out names go, the rest of the index stays."""
    group = read_index(index(a="1.bin", b="2.bin", tied="1.bin"), ["d/1.bin", "d/2.bin"])
    assert group is not None
    text = rewrite_index(group, {"a": "d/1.bin", "b": "d/2.bin", "more": "d/2.bin"}, {"tied": "d/1.bin"}, 7)
    assert json.loads(text) == {
        "metadata": {"total_size": 7, "by": "x"},
        "weight_map": {"a": "1.safetensors", "b": "2.safetensors", "more": "2.safetensors"},
    }


def test_an_index_that_lies_is_refused() -> None:
    """A tensor that is not where the index says would be missing after loading."""
    with pytest.raises(FormatError, match="says that a is in 1"):
        rewrite_index(Group(("1",), "i", {"a": "1"}), {"b": "1"}, {}, 0)
