"""Which tensors a file of weights holds, and where their bytes lie, for every format that tells without being loaded.

Names of data types are those of safetensors in lower case (``f32``, ``bf16``, ``i64``); GGUF's block types keep theirs
(``q4_k``). Shapes are in row-major order throughout.
"""

from __future__ import annotations

import math
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.gguf import TYPES, read_gguf, unread_variant
from hallmarked.formats.npy import read_npy
from hallmarked.formats.onnx import DTYPES, read_onnx
from hallmarked.formats.safetensors import read_safetensors
from hallmarked.formats.tflite import read_tflite

_BUFFERS = frozenset(
    ("running_mean", "running_var", "num_batches_tracked", "position_ids", "inv_freq", "masked_bias", "attn_mask")
)
"""Last parts of names under which PyTorch's layers, and models built on them, keep what is no parameter."""
_LEAST_MASK = 32


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a file of weights."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    path: str
    """The file its bytes are in, from the folder of the artifact."""
    offset: int | None
    """Of its first byte in that file; ``None`` when its bytes do not lie there plainly, in row-major order."""
    nbytes: int | None

    @property
    def count(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def is_buffer(self) -> bool:
        """It is stored beside the parameters but is none: statistics of a layer, a table of positions, a mask.

        A mask is one square for every batch and head alike, larger than any kernel of a convolution.
        """
        is_mask = len(self.shape) == 4 and self.shape[:2] == (1, 1) and self.shape[2] == self.shape[3] >= _LEAST_MASK
        return is_mask or self.name.rpartition(".")[2] in _BUFFERS


def safetensors_tensors(blob: Blob, budget: Budget) -> list[Tensor]:
    """Return the tensors of a safetensors file.

    Raises:
        FormatError: When it is broken.
    """
    header = read_safetensors(blob, budget)
    return [
        Tensor(e.name, e.dtype.lower(), e.shape, blob.path, header.data_offset + e.start, e.end - e.start)
        for e in header.entries
    ]


def gguf_tensors(blob: Blob, budget: Budget) -> list[Tensor]:
    """Return the tensors of a GGUF file; none of a variant that is not read.

    Raises:
        FormatError: When it is broken.
    """
    if unread_variant(blob):
        return []
    header = read_gguf(blob, budget)
    return [
        Tensor(
            t.name,
            TYPES[t.type][0].lower() if t.type in TYPES else f"type{t.type}",
            tuple(reversed(t.shape)),
            blob.path,
            header.data_offset + t.offset,
            t.nbytes,
        )
        for t in header.tensors
    ]


def onnx_tensors(blob: Blob, budget: Budget) -> list[Tensor]:
    """Return the weights of an ONNX model; constants inside of nodes are part of its program and left out.

    Raises:
        FormatError: When it is broken.
    """
    found = []
    for tensor in read_onnx(blob, budget).tensors:
        if not tensor.initializer:
            continue
        dtype = DTYPES[tensor.dtype][0].lower() if tensor.dtype in DTYPES else "text"
        path, offset = blob.path, tensor.raw[0] if tensor.raw else None
        if tensor.location is not None:
            beside = posixpath.normpath(posixpath.join(posixpath.dirname(blob.path), tensor.location))
            inside = not beside.startswith(("../", "/")) and beside != ".."
            path, offset = (beside, tensor.offset) if inside else (blob.path, None)
        found.append(Tensor(tensor.name, dtype, tensor.shape, path, offset, tensor.nbytes))
    return found


def npy_tensors(blob: Blob, budget: Budget) -> list[Tensor]:
    """Return the one array of a NumPy file; of an array of objects nothing is known but its shape.

    Raises:
        FormatError: When it is broken.
    """
    array = read_npy(blob, budget)
    name = posixpath.basename(blob.path.rsplit("!", 1)[-1]).removesuffix(".npy")
    plain = not array.dtype.has_objects and not (array.fortran_order and len(array.shape) > 1)
    offset = array.data_offset if plain else None
    return [Tensor(name, array.dtype.name.lower(), array.shape, blob.path, offset, array.nbytes)]


def tflite_tensors(blob: Blob, budget: Budget) -> list[Tensor]:
    """Return the constant tensors of a TensorFlow Lite model.

    Raises:
        FormatError: When it is broken.
    """
    model = read_tflite(blob, budget)
    return [Tensor(t.name, t.dtype.lower() or "other", t.shape, blob.path, t.offset, t.nbytes) for t in model.tensors]


def distinct(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return the tensors without those that are other names for the same bytes (tied weights)."""
    seen: set[tuple[object, ...]] = set()
    kept = []
    for tensor in tensors:
        place = (tensor.path, tensor.offset, tensor.dtype, tensor.shape)
        if tensor.offset is not None and tensor.nbytes:
            if place in seen:
                continue
            seen.add(place)
        kept.append(tensor)
    return kept


def by_dtype(tensors: Sequence[Tensor]) -> Iterator[tuple[str, int]]:
    """Return the number of elements of each data type, sorted by name."""
    counts: dict[str, int] = {}
    for tensor in tensors:
        counts[tensor.dtype] = counts.get(tensor.dtype, 0) + tensor.count
    yield from sorted(counts.items())
