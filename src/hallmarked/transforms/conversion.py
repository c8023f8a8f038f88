"""Convert pickled weights to safetensors without executing or importing anything.

The pickle is evaluated on symbols, which says where the bytes of each tensor lie; those bytes are copied. What cannot
be told for certain is refused with its reason.

Format: https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hallmarked.core.artifact import Artifact
from hallmarked.core.errors import FormatError, InputError
from hallmarked.core.evidence import Statement
from hallmarked.formats.blob import Blob, Budget
from hallmarked.transforms.bytecopy import sha256, write_all
from hallmarked.transforms.naming import INDEX_SUFFIX, Group, output_name, read_index, rewrite_index
from hallmarked.transforms.provenance import describe_build
from hallmarked.transforms.rewrite import rewrite
from hallmarked.transforms.safetensors_file import lay_out
from hallmarked.transforms.staging import Staging
from hallmarked.transforms.statedict import Dropped, find_weights
from hallmarked.transforms.tensor import Tensor
from hallmarked.transforms.torchfile import Source, is_checkpoint, read_checkpoint

Vouch = Callable[[str], Sequence[str]]
"""Given the path of a file, says why it is not proven; nothing when it is."""


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that was written."""

    name: str
    """Relative to the folder of the results."""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class TensorRecord:
    """One tensor, before and after."""

    file: str
    """The file it was written to."""
    name: str
    dtype: str
    shape: tuple[int, ...]
    source_sha256: str
    """Digest of its elements in row order, read from the source."""
    sha256: str
    """Digest of its bytes, read back from the result."""

    @property
    def equal(self) -> bool:
        """Whether both are the same."""
        return self.source_sha256 == self.sha256


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was done."""

    files: Sequence[OutputFile]
    tensors: Sequence[TensorRecord]
    tied: Mapping[str, Mapping[str, str]]
    """Per source file: names that were left out because another name holds the same tensor, with that name."""
    dropped: Mapping[str, Sequence[Dropped]]
    """Per source file: what was left out because it is not a tensor of the weights."""
    refused: Mapping[str, str]
    """Files that look like weights and were not converted, with the reason."""
    statement: Statement
    """SLSA provenance; the caller signs it."""


@dataclass(slots=True)
class _Part:
    """One converted file, before it gets its name."""

    path: str
    input_sha256: str
    output: OutputFile
    records: list[TensorRecord]
    tensors: Mapping[str, Tensor]
    tied: Mapping[str, str]
    dropped: Sequence[Dropped]


@dataclass(slots=True)
class _Run:
    artifact: Artifact
    staging: Staging
    vouch: Vouch
    select: str | None
    parts: list[_Part] = field(default_factory=list)
    indexes: list[OutputFile] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)


def convert(
    artifact: Artifact, out_dir: Path, *, vouch: Vouch, paths: Sequence[str] = (), select: str | None = None
) -> Conversion:
    """Convert weights of an artifact to safetensors files in a folder.

    Args:
        artifact: Where the weights are.
        out_dir: Where the results go, under the names that loaders look for; nothing there is overwritten.
        vouch: Says for a path why its pickle is not proven; only proven ones are converted.
        paths: Files or indexes to convert; all that look like weights when empty.
        select: Key of the part that is meant, when a checkpoint holds several sets of tensors.

    Raises:
        InputError: When there is nothing to convert, or something would be overwritten.
        FormatError: When a file named in ``paths`` cannot be converted without guessing.
        BackendError: When a file cannot be read or written.
    """
    refused: dict[str, str] = {}
    with Staging(out_dir) as staging:
        run = _Run(artifact, staging, vouch, select)
        for group in _groups(artifact, paths, refused):
            try:
                _convert_group(run, group)
            except FormatError as error:
                if paths:
                    raise
                refused[group.index or group.files[0]] = str(error)
        if not run.parts:
            reasons = "; ".join(refused.values())
            raise InputError(f"nothing in {artifact.name} can be converted" + (f" ({reasons})" if reasons else ""))
        conversion = _conclude(run, refused, {"paths": list(paths), "select": select})
        staging.commit()
    return conversion


def _groups(artifact: Artifact, paths: Sequence[str], refused: dict[str, str]) -> Iterator[Group]:
    """Yield what belongs together: the parts that an index names, and single files."""
    sizes = {file.path: file.size for file in artifact.files}
    for path in paths:
        if path not in sizes:
            raise InputError(f"no file {path} in {artifact.name}")
    taken: set[str] = set()
    for path in [path for path in paths or sizes if path.endswith(INDEX_SUFFIX)]:
        blob = _blob(artifact, path, sizes[path])
        try:
            group = read_index(blob, sizes)
        except FormatError as error:
            if paths:
                raise FormatError(f"{path}: {error}") from error
            refused[path] = f"{path}: {error}"
            continue
        if group is not None:
            taken.update(group.files)
            yield group
        elif paths:
            raise FormatError(f"{path} is not an index of pickled weights")
    for path in paths or sizes:
        if path in taken or path.endswith(INDEX_SUFFIX):
            continue
        if paths or is_checkpoint(_blob(artifact, path, sizes[path]), Budget(sizes[path])):
            yield Group((path,))


def _blob(artifact: Artifact, path: str, size: int) -> Blob:
    return Blob(path, size, lambda: artifact.open(path))


def _convert_group(run: _Run, group: Group) -> None:
    """Convert files that belong together; when one is refused, none of them is kept."""
    parts: list[_Part] = []
    try:
        for path in group.files:
            try:
                parts.append(_convert_file(run, path))
            except FormatError as error:
                raise FormatError(f"{path}: {error}", offset=error.offset) from error
        if group.index is not None:
            index = _write_index(run, group, parts)
            with run.artifact.open(group.index) as stream:
                run.inputs[group.index] = sha256(iter(lambda: memoryview(stream.read(1 << 20)), memoryview(b"")))
            run.indexes.append(index)
    except FormatError:
        for part in parts:
            run.staging.discard(part.output.name)
        raise
    run.parts += parts
    run.inputs |= {part.path: part.input_sha256 for part in parts}


def _convert_file(run: _Run, path: str) -> _Part:
    reasons = run.vouch(path)
    if reasons:
        raise FormatError(f"its pickle is not proven: {reasons[0]}")
    name = output_name(path)
    run.staging.refuse_existing(name)
    size = next(file.size for file in run.artifact.files if file.path == path)
    with Source(run.artifact, path, size, run.staging.folder) as source:
        budget = Budget(size)
        checkpoint = read_checkpoint(source, budget)
        weights = find_weights(checkpoint.root, run.select)
        tensors, tied = separate_ties(weights.tensors)
        budget.expand(sum(tensor.size for tensor in tensors.values()))
        layout = lay_out(tensors, {"format": "pt"} | {gone: kept for gone, kept in tied.items() if gone != "format"})
        target = run.staging.create(name)
        try:
            digests = rewrite(target, source, checkpoint, tensors, layout)
        except FormatError:
            run.staging.discard(name)
            raise
        finally:
            os.close(target)
    records = [
        TensorRecord(name, key, tensors[key].dtype.code, tensors[key].shape, digests.before[key], digests.after[key])
        for key in layout.places
    ]
    output = OutputFile(name, layout.size, digests.result)
    return _Part(path, digests.source, output, records, tensors, tied, weights.dropped)


def separate_ties(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Keep the first of the names that mean the very same elements; return the others with the name that is kept.

    A model registers a weight where it belongs before other modules share it, so the first name is the one that
    loaders expect in a file. Views that merely overlap are all kept, each with its own copy.
    """
    kept: dict[str, Tensor] = {}
    tied: dict[str, str] = {}
    first: dict[object, str] = {}
    for name, tensor in tensors.items():
        identity = tensor.identity
        if identity is not None and identity in first:
            tied[name] = first[identity]
            continue
        first[identity] = name
        kept[name] = tensor
    return kept, tied


def _write_index(run: _Run, group: Group, parts: Sequence[_Part]) -> OutputFile:
    assert group.index is not None
    holders: dict[str, str] = {}
    for part in parts:
        for name in part.tensors:
            if holders.setdefault(name, part.path) != part.path:
                raise FormatError(f"{name} is both in {holders[name]} and in {part.path}")
    gone = {name: part.path for part in parts for name in part.tied}
    total = sum(tensor.size for part in parts for tensor in part.tensors.values())
    content = rewrite_index(group, holders, gone, total)
    name = output_name(group.index)
    target = run.staging.create(name)
    try:
        write_all(target, memoryview(content), 0)
        os.fsync(target)
    finally:
        os.close(target)
    return OutputFile(name, len(content), sha256(iter([memoryview(content)])))


def _utf8(text: str) -> str:
    """Make a text writable: pickles may hold halves of characters."""
    return text.encode("utf-8", "backslashreplace").decode()


def _conclude(run: _Run, refused: Mapping[str, str], parameters: Mapping[str, Any]) -> Conversion:
    files = sorted([*(part.output for part in run.parts), *run.indexes], key=lambda file: file.name)
    tensors = [record for part in run.parts for record in part.records]
    tied = {part.path: part.tied for part in run.parts if part.tied}
    refused = {path: _utf8(reason) for path, reason in refused.items()}
    dropped = {
        part.path: [Dropped(_utf8(d.name), _utf8(d.what), _utf8(d.reason)) for d in part.dropped]
        for part in run.parts
        if part.dropped
    }
    report = {
        "tensors": [
            {
                "file": t.file,
                "name": t.name,
                "dtype": t.dtype,
                "shape": list(t.shape),
                "sourceSha256": t.source_sha256,
                "sha256": t.sha256,
                "equal": t.equal,
            }
            for t in tensors
        ],
        "tied": {path: dict(names) for path, names in tied.items()},
        "dropped": {
            path: [{"name": d.name, "what": d.what, "reason": d.reason} for d in entries]
            for path, entries in dropped.items()
        },
        "refused": dict(refused),
    }
    outputs = {file.name: file.sha256 for file in files}
    return Conversion(files, tensors, tied, dropped, refused, describe_build(outputs, run.inputs, parameters, report))
