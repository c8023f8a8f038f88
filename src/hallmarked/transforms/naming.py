"""What the results are called, and the indexes of weights that are cut into several files.

The index names for each tensor the file it is in: https://huggingface.co/docs/transformers/big_models
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.document import read_json

INDEX_SUFFIX = ".index.json"
WEIGHT_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".tar")


@dataclass(frozen=True, slots=True)
class Group:
    """Files that belong together: one, or the parts that an index names."""

    files: tuple[str, ...]
    index: str | None = None
    weight_map: Mapping[str, str] = field(default_factory=dict)
    """Tensor to file, as paths of the artifact."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What else the index says about the whole."""


def output_name(path: str) -> str:
    """Return where the result for a file goes, by the names that the ecosystem's loaders look for."""
    folder, name = posixpath.split(path)
    if name.endswith(INDEX_SUFFIX):
        return posixpath.join(folder, posixpath.basename(output_name(name.removesuffix(INDEX_SUFFIX))) + INDEX_SUFFIX)
    stem = next((name.removesuffix(suffix) for suffix in WEIGHT_SUFFIXES if name.endswith(suffix)), name)
    if stem.startswith("pytorch_model"):
        stem = stem.removeprefix("pytorch_")
    return posixpath.join(folder, f"{stem}.safetensors")


def read_index(blob: Blob, files: Iterable[str]) -> Group | None:
    """Read an index; None when the file is something else, or is about safetensors files already.

    Raises:
        FormatError: When it names files that are not in the artifact.
    """
    budget = Budget(blob.size)
    index = read_json(blob.read_all(budget), budget)
    names = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        return None
    if not names or any(name.endswith(".safetensors") for name in names.values()):
        return None
    known, folder = set(files), posixpath.dirname(blob.path)
    weight_map = {tensor: posixpath.join(folder, name) for tensor, name in names.items()}
    for part in dict.fromkeys(weight_map.values()):
        if part not in known:
            raise FormatError(f"it names {part}, which is not there")
    metadata = index.get("metadata")
    return Group(
        tuple(dict.fromkeys(weight_map.values())), blob.path, weight_map, metadata if isinstance(metadata, dict) else {}
    )


def rewrite_index(group: Group, holders: Mapping[str, str], gone: Mapping[str, str], total: int) -> bytes:
    """Return the index for the converted files.

    Args:
        group: The index as it was.
        holders: The source file of each tensor that was kept.
        gone: The source file of each name that was left out because another name holds the same tensor.
        total: Bytes of all tensors.

    Raises:
        FormatError: When the index and the files disagree.
    """
    for name, path in group.weight_map.items():
        if holders.get(name, gone.get(name)) != path:
            raise FormatError(f"{group.index} says that {name} is in {path}, which is not so")
    names = [*(name for name in group.weight_map if name in holders), *holders]
    weight_map = {name: posixpath.basename(output_name(holders[name])) for name in dict.fromkeys(names)}
    index = {"metadata": {**group.metadata, "total_size": total}, "weight_map": weight_map}
    return (json.dumps(index, indent=2, ensure_ascii=False) + "\n").encode()
