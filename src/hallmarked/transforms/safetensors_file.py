"""Write safetensors files byte for byte as the reference writer does.

Format: https://huggingface.co/docs/safetensors#format -- eight bytes of header length, a JSON header padded with spaces
to a multiple of eight, then the tensors without gaps, ordered by element type and name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from hallmarked.core.errors import FormatError
from hallmarked.transforms.tensor import Tensor

MAX_HEADER = 100_000_000
"""Longest header that readers accept, in bytes."""
METADATA = "__metadata__"
"""The one key of the header that is not a tensor."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A file before it is written."""

    header: bytes
    """Everything before the first tensor."""
    places: Mapping[str, int]
    """Offset in the file of each tensor, in the order they lie."""
    size: int
    """Bytes of the whole file."""


def lay_out(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Layout:
    """Decide where each tensor goes.

    Raises:
        FormatError: When a name cannot be written, or the header would be longer than readers accept.
    """
    entries: dict[str, object] = {METADATA: dict(sorted(metadata.items()))} if metadata else {}
    places: dict[str, int] = {}
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (-item[1].dtype.rank, item[0])):
        if name == METADATA:
            raise FormatError(f"a tensor is named {METADATA}, which the format keeps for itself")
        places[name], start, end = end, end, end + tensor.size
        entries[name] = {"dtype": tensor.dtype.code, "shape": list(tensor.shape), "data_offsets": [start, end]}
    try:
        text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise FormatError("the name of a tensor is not valid Unicode") from error
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise FormatError(f"the names and shapes need a header of {len(text):,} bytes, readers accept {MAX_HEADER:,}")
    header = len(text).to_bytes(8, "little") + text
    return Layout(header, {name: len(header) + start for name, start in places.items()}, len(header) + end)
