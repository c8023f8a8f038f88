"""Which files of an artifact together are one copy of its weights, and which copy stands for the model.

People publish the same weights several times: as safetensors and as a pickle, in several precisions, for several
runtimes. Counting all of them would count the model twice, so files are put into *sets* and one set per part is chosen:

1. A set is what one index (``weight_map``) names; or the pieces ``…-00001-of-00004…`` of one name; or a single file.
2. A part is a folder with a set of its own: the folders that ``model_index.json`` or ``modules.json`` name, beside the
   root; when none of these has weights, the one folder with the largest set.
3. Of the sets in a folder the first format of ``FORMATS`` that is there counts, and of that the set with most elements
   (the shortest, then smallest path, when several have as many).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hallmarked.core.artifact import Artifact, File
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Gap, Level, Location, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.checkpoint import is_torch, torch_tensors
from hallmarked.formats.document import read_json
from hallmarked.formats.gguf import is_gguf
from hallmarked.formats.onnx import is_onnx
from hallmarked.formats.safetensors import is_safetensors
from hallmarked.formats.tensor import (
    Tensor,
    distinct,
    gguf_tensors,
    onnx_tensors,
    safetensors_tensors,
    tflite_tensors,
)
from hallmarked.formats.tflite import is_tflite

_HEAD = 16
_READERS: Mapping[str, tuple[re.Pattern[bytes], Callable[[Blob], bool], Callable[[Blob, Budget], list[Tensor]]]] = {
    # The pattern passes over most files without opening them again.
    "safetensors": (re.compile(rb".{8}\{", re.DOTALL), is_safetensors, safetensors_tensors),
    "pytorch": (re.compile(rb"PK\x03\x04|\x80."), is_torch, torch_tensors),
    "gguf": (re.compile(rb"GGUF"), is_gguf, gguf_tensors),
    "onnx": (re.compile(rb"[\x08\x12\x1a\x22\x28\x32\x3a\x42\x72\xa2\xca\xd2]"), is_onnx, onnx_tensors),
    "tflite": (re.compile(rb".{4}TFL3", re.DOTALL), is_tflite, tflite_tensors),
}
FORMATS = tuple(_READERS)
"""Formats of weights, the one that stands for the model first. Plain arrays are data as often as weights."""

FCT_MISSING = Rule(
    "FCT001",
    Level.WARNING,
    "A part of the weights is missing",
    "Upload the missing file; without it the model cannot be loaded.",
)
FCT_ABSENT = Rule(
    "FCT002",
    Level.WARNING,
    "The index names tensors that are not in the weights",
    "Write the index again from the files; loaders fail or leave these tensors random.",
)
FCT_UNLISTED = Rule(
    "FCT003",
    Level.NOTE,
    "The weights hold tensors that the index does not name",
    "Write the index again from the files; loaders may pass these tensors over.",
)

RULES = (FCT_MISSING, FCT_ABSENT, FCT_UNLISTED)

_PIECE = re.compile(r"(?P<stem>.*?)[-_.](?P<number>\d{5})-of-(?P<total>\d{5})(?P<rest>\.[\w.]*)?")


@dataclass(slots=True)
class WeightSet:
    """Files that together are one copy of some weights."""

    format: str
    path: str
    """What it is known by: the index, or the first file."""
    files: tuple[str, ...]
    tensors: list[Tensor]

    @property
    def folder(self) -> str:
        """Folder of the index or the first file."""
        return posixpath.dirname(self.path)

    @property
    def parameters(self) -> int:
        """Number of elements of the parameters, those of tied tensors once."""
        return sum(tensor.count for tensor in distinct(self.tensors) if not tensor.is_buffer)


@dataclass(slots=True)
class Weights:
    """What was found."""

    sets: list[WeightSet] = field(default_factory=list)
    problems: list[Finding | Gap] = field(default_factory=list)
    chosen: list[WeightSet] = field(default_factory=list)
    """One set per part; together they are the model."""

    @property
    def tensors(self) -> list[Tensor]:
        """Tensors of the chosen sets."""
        return [tensor for chosen in self.chosen for tensor in chosen.tensors]


def open_file(artifact: Artifact, file: File) -> Blob:
    """Return a file of an artifact as a blob."""
    return Blob(file.path, file.size, lambda: artifact.open(file.path))


def read_document(artifact: Artifact, file: File, problems: list[Finding | Gap]) -> Any:
    """Return a JSON document; one that cannot be read becomes a gap and nothing."""
    try:
        budget = Budget(file.size)
        return read_json(open_file(artifact, file).read_all(budget), budget)
    except FormatError as error:
        problems.append(Gap(f"{file.path} cannot be read: {error}", Location(file.path)))
        return None


def find_weights(artifact: Artifact) -> Weights:
    """Read the tensors of all weights in an artifact and choose the sets that stand for the model."""
    weights = Weights()
    read: dict[str, tuple[str, list[Tensor]]] = {}
    documents: dict[str, Any] = {}
    for file in artifact.files:
        name = posixpath.basename(file.path)
        if name.endswith(".index.json") or file.path in ("model_index.json", "modules.json"):
            documents[file.path] = read_document(artifact, file, weights.problems)
        else:
            _read_tensors(artifact, file, read, weights.problems)
    grouped: set[str] = set()
    for path, document in documents.items():
        if isinstance(document, dict) and isinstance(document.get("weight_map"), dict):
            grouped |= _indexed(path, document["weight_map"], read, artifact, weights)
    weights.sets += _loose({path: found for path, found in read.items() if path not in grouped})
    weights.sets.sort(key=lambda s: s.path)
    weights.chosen = _choose(weights.sets, _parts(documents))
    return weights


def _read_tensors(
    artifact: Artifact, file: File, read: dict[str, tuple[str, list[Tensor]]], problems: list[Finding | Gap]
) -> None:
    blob = open_file(artifact, file)
    head = blob.head(_HEAD)
    for name, (beginning, claims, reader) in _READERS.items():
        if beginning.match(head) and claims(blob):
            try:
                tensors = reader(blob, Budget(file.size))
            except FormatError as error:
                problems.append(Gap(f"the tensors of {file.path} cannot be counted: {error}", Location(file.path)))
            else:
                if tensors:
                    read[file.path] = (name, tensors)
            return


def _indexed(
    path: str,
    weight_map: Mapping[str, Any],
    read: Mapping[str, tuple[str, list[Tensor]]],
    artifact: Artifact,
    weights: Weights,
) -> set[str]:
    """Make the set that an index names, and report where index and files differ."""
    present = {file.path for file in artifact.files}
    shards: dict[str, set[str]] = {}
    for tensor, shard in weight_map.items():
        shards.setdefault(posixpath.normpath(posixpath.join(posixpath.dirname(path), str(shard))), set()).add(tensor)
    tensors: list[Tensor] = []
    for shard, named in sorted(shards.items()):
        if shard not in present:
            message = f"{path} names {shard}, which is not there."
            weights.problems.append(Finding.of(FCT_MISSING, message, Location(path), file=shard[:500]))
        if shard not in read:
            continue
        held = {tensor.name for tensor in read[shard][1]}
        tensors += read[shard][1]
        for rule, names, where in (
            (FCT_ABSENT, named - held, f"named by {path} are not in {shard}"),
            (FCT_UNLISTED, held - named, f"in {shard} are not named by {path}"),
        ):
            if names:
                shown = ", ".join(name[:80] for name in sorted(names)[:3])
                message = f"{len(names)} tensors {where}, such as {shown}."
                weights.problems.append(Finding.of(rule, message, Location(shard), index=path))
    files = tuple(sorted(shards.keys() & read.keys()))
    if files:
        weights.sets.append(WeightSet(read[files[0]][0], path, files, tensors))
    return set(files)


def _loose(read: Mapping[str, tuple[str, list[Tensor]]]) -> Iterator[WeightSet]:
    """Make sets of the pieces of one name, and of single files."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for path in sorted(read):
        match = _PIECE.fullmatch(path)
        key = (match["stem"], match["total"], match["rest"] or "") if match else (path,)
        groups.setdefault(key, []).append(path)
    for paths in groups.values():
        yield WeightSet(read[paths[0]][0], paths[0], tuple(paths), [t for path in paths for t in read[path][1]])


def _parts(documents: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the folders that together are the model."""
    parts = {""}
    pipeline, modules = documents.get("model_index.json"), documents.get("modules.json")
    if isinstance(pipeline, dict):
        parts |= {name for name, value in pipeline.items() if isinstance(value, list) and value and value[0]}
    if isinstance(modules, list):
        parts |= {str(module.get("path", "")).strip("/") for module in modules if isinstance(module, dict)}
    return tuple(sorted(parts))


def _choose(sets: Sequence[WeightSet], parts: tuple[str, ...]) -> list[WeightSet]:
    best: dict[str, WeightSet] = {}
    for candidate in sets:
        current = best.get(candidate.folder)
        if current is None or _rank(candidate) < _rank(current):
            best[candidate.folder] = candidate
    chosen = [best[part] for part in parts if part in best]
    if not chosen and best:
        chosen = [min(best.values(), key=lambda s: (-s.parameters, len(s.path), s.path))]
    return chosen


def _rank(candidate: WeightSet) -> tuple[int, int, int, str]:
    return FORMATS.index(candidate.format), -candidate.parameters, len(candidate.path), candidate.path
