"""Headers are written byte for byte as the reference writer does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.safetensors import read_safetensors
from hallmarked.transforms.safetensors_file import lay_out
from hallmarked.transforms.tensor import DTYPES, Tensor

NUMPY_TYPES = [name for name in DTYPES if hasattr(np, name)]
NAMES = st.text(st.characters(codec="utf-8"), max_size=8).filter(lambda name: name != "__metadata__")


def tensor(dtype: str, shape: tuple[int, ...]) -> Tensor:
    """A view whose header entry is all that matters."""
    return Tensor("0", DTYPES[dtype], 0, shape, (0,) * len(shape))


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        NAMES,
        st.tuples(st.sampled_from(NUMPY_TYPES), st.lists(st.integers(0, 4), max_size=3)),
        min_size=1,
        max_size=8,
    ),
    st.dictionaries(NAMES, NAMES, max_size=1),  # the reference writes several in no fixed order
)
def test_the_header_is_the_reference_writers(
    entries: dict[str, tuple[str, list[int]]], metadata: dict[str, str]
) -> None:
    """Any names, types and shapes give the header that the reference library writes; our own reader accepts it."""
    reference = pytest.importorskip("safetensors.numpy")
    arrays = {name: np.zeros(shape, dtype) for name, (dtype, shape) in entries.items()}
    layout = lay_out({name: tensor(dtype, tuple(shape)) for name, (dtype, shape) in entries.items()}, metadata)
    written = reference.save(arrays, metadata or None)
    assert written.startswith(layout.header)
    assert len(written) == layout.size
    read = read_safetensors(Blob.of_bytes("x", written), Budget(len(written)))
    assert {entry.name: entry.start + read.data_offset for entry in read.entries} == dict(layout.places)


def test_all_types_of_torch_that_the_format_has_are_ordered_as_in_the_reference() -> None:
    """Types that numpy lacks (bfloat16, the 8-bit floats) take the place that the reference gives them."""
    torch, reference = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch")
    zeros = {name: torch.zeros(3 * dtype.size, dtype=torch.uint8) for name, dtype in DTYPES.items()}
    tensors = {name: raw.view(getattr(torch, name)) for name, raw in zeros.items()}
    layout = lay_out({name: tensor(name, (3,)) for name in DTYPES}, {"format": "pt"})
    assert reference.save(tensors, {"format": "pt"}).startswith(layout.header)


@pytest.mark.parametrize("name", ["__metadata__", "\ud800"])
def test_names_that_cannot_be_written_are_refused(name: str) -> None:
    """The format's own key and half of a surrogate pair are not names."""
    with pytest.raises(FormatError):
        lay_out({name: tensor("float32", (1,))}, {})


def test_a_header_that_no_reader_accepts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of the readers holds for the writer."""
    monkeypatch.setattr("hallmarked.transforms.safetensors_file.MAX_HEADER", 50)
    with pytest.raises(FormatError, match="header"):
        lay_out({"weight": tensor("float32", (1,))}, {})
