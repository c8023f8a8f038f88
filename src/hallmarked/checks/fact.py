"""What the bytes say about a model: how large it is, what it is, what it is for, what it was made from.

Measurements (the check that compares a card with the files relies on these names):

=========================== ==========================================================================================
``parameters.total``        elements of all parameters of the sets that stand for the model (see ``weights``); what is
                            stored beside them but learned by no optimiser (masks, running statistics) is left out
``parameters.<dtype>``      the same by data type: ``f32``, ``bf16``, ``i8``, ``q4_k``
``parameters.non_embedding`` the same without tables of words and positions
``tensors.total``           tensors of these sets, by name
``buffers.total``           elements of the tensors that are no parameters
``tensors.tied``            of these, names for the bytes of another one; their elements count once
``model.architecture``      class (``architectures``), or the family a GGUF file names
``model.type``              ``model_type``, or the family a GGUF file names
``model.library``           library the files are for: ``transformers``, ``diffusers``, ``sentence-transformers``,
                            ``peft``, ``timm``, ``scikit-learn``, ``gguf``, ``onnx``, ``tflite``, ``tensorflow``,
                            ``pytorch``; of safetensors alone nothing is known
``model.base``              what the configuration says it was made from
``model.adapter``           kind of an adapter (``peft_type``)
``model.code``              code that ``auto_map`` loads
``model.vocabulary``, ``model.hidden_size``, ``model.layers``, ``model.context``, ``model.dtype``,
``model.quantization``, ``model.tied_embeddings``, ``model.labels``  as the configuration says
``tokenizer.type``, ``tokenizer.vocabulary``  of the tokenizer
``base.tensors.total``      tensors of the model, when a base was given
``base.tensors.identical``  of these, bit-identical to the base's (name, data type, shape, bytes)
``base.tensors.same_shape`` of these, of the same name and shape as the base's
=========================== ==========================================================================================

A measurement without a slice speaks of the whole model. One with ``path`` in its slice speaks of that set of weights
(``parameters.total``, ``tensors.total``, with its ``format``) or is what that file says. Numbers of files and bytes are
measured by the inventory.

A name may have one component more or less than in the base (``bert.embeddings…`` and ``embeddings…``), as libraries
write them when a head is put on a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import BinaryIO

from hallmarked.checks.configuration import read_configuration
from hallmarked.checks.weights import RULES, Weights, WeightSet, find_weights, open_file
from hallmarked.core.artifact import Artifact, File
from hallmarked.core.check import Extent
from hallmarked.core.evidence import Finding, Gap, Item, Measurement
from hallmarked.formats.blob import Budget
from hallmarked.formats.gguf import is_gguf, read_gguf, unread_variant
from hallmarked.formats.savedmodel import GraphKind, find_kind
from hallmarked.formats.tensor import Tensor, by_dtype, distinct

_CHUNK = 1 << 20
_EMBEDDINGS = frozenset({"wte", "wpe", "token_embd", "position_embd", "token_types"})


class FactCheck:
    """What is this model, measured from its bytes?"""

    id = "facts"
    version = "1"
    title = "What is this model, measured from its bytes?"
    rules = RULES
    needs_socket = False
    extent = Extent.ARTIFACT

    def applies(self, artifact: Artifact) -> bool:
        """Apply to everything that has files; a data set gives few facts."""
        return bool(artifact.files)

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Measure weights, configuration and, when a base was given, what is the same in both."""
        weights = find_weights(artifact)
        yield from weights.problems
        yield from _weights(weights)
        problems: list[Finding | Gap] = []
        measured = list(read_configuration(artifact, problems))
        yield from measured
        yield from problems
        named = {item.value for item in measured if item.metric == "model.library"}
        yield from _runtimes(artifact, weights, named)
        if artifact.base is not None:
            yield from _compare(artifact, weights.tensors, artifact.base)


def _weights(weights: Weights) -> Iterator[Measurement]:
    for found in weights.sets:
        part = {"path": found.path, "format": found.format}
        yield Measurement("parameters.total", str(found.parameters), slice=part)
        yield Measurement("tensors.total", str(len(found.tensors)), slice=part)
    tensors = weights.tensors
    if not weights.chosen:
        return
    single = distinct(tensors)
    trained = [tensor for tensor in single if not tensor.is_buffer]
    total = sum(tensor.count for tensor in trained)
    yield Measurement("parameters.total", str(total), n=len(trained))
    yield Measurement("tensors.total", str(len(tensors)))
    if len(single) < len(tensors):
        yield Measurement("tensors.tied", str(len(tensors) - len(single)))
    if len(trained) < len(single):
        yield Measurement("buffers.total", str(sum(tensor.count for tensor in single) - total))
    for dtype, count in by_dtype(trained):
        yield Measurement(f"parameters.{dtype}", str(count))
    others = sum(tensor.count for tensor in trained if not _is_embedding(tensor.name))
    if others != total:
        yield Measurement("parameters.non_embedding", str(others))


def _is_embedding(name: str) -> bool:
    return any("embedding" in part or part.startswith("embed") or part in _EMBEDDINGS for part in name.split("."))


def _runtimes(artifact: Artifact, weights: Weights, named: set[str]) -> Iterator[Measurement]:
    """Say what the files themselves are for, where no configuration names a library."""
    for found in weights.sets:
        if found.format in ("gguf", "onnx", "tflite") or (found.format == "pytorch" and not named):
            yield Measurement("model.library", found.format, slice={"path": found.path})
        if found.format == "gguf":
            yield from _gguf(artifact, found)
    for file in artifact.files:
        named_so = file.path.rsplit("/", 1)[-1] == "saved_model.pb"
        if named_so and find_kind(open_file(artifact, file)) is GraphKind.SAVED_MODEL:
            yield Measurement("model.library", "tensorflow", slice={"path": file.path})


def _gguf(artifact: Artifact, found: WeightSet) -> Iterator[Measurement]:
    sizes = {file.path: file.size for file in artifact.files}
    blob = open_file(artifact, File(found.files[0], sizes[found.files[0]]))
    if not is_gguf(blob) or unread_variant(blob):
        return
    metadata = read_gguf(blob, Budget(blob.size)).metadata
    part = {"path": found.path}
    family = metadata.get("general.architecture")
    if isinstance(family, str):
        yield Measurement("model.architecture", family[:500], slice=part)
        yield Measurement("model.type", family[:500], slice=part)
        for metric, key in (
            ("context", "context_length"),
            ("hidden_size", "embedding_length"),
            ("layers", "block_count"),
        ):
            value = metadata.get(f"{family}.{key}")
            if type(value) is int:
                yield Measurement(f"model.{metric}", str(value), slice=part)
    kind, words = metadata.get("tokenizer.ggml.model"), metadata.get("tokenizer.ggml.tokens")
    if isinstance(kind, str):
        yield Measurement("tokenizer.type", kind[:500], slice=part)
    if isinstance(words, tuple):
        yield Measurement("tokenizer.vocabulary", str(len(words)), slice=part)


def _compare(artifact: Artifact, tensors: Sequence[Tensor], base: Artifact) -> Iterator[Item]:
    found = find_weights(base)
    others = _by_name(found.tensors)
    same_shape = identical = unclear = 0
    with _Bytes(artifact) as ours, _Bytes(base) as theirs:
        for tensor in sorted(tensors, key=lambda t: (t.path, t.offset or 0)):
            other = _counterpart(tensor.name, others)
            if other is None or other.shape != tensor.shape:
                continue
            same_shape += 1
            if other.dtype != tensor.dtype:
                continue
            if tensor.offset is None or other.offset is None or tensor.nbytes is None:
                unclear += 1
            elif other.nbytes == tensor.nbytes:
                identical += _are_equal(ours, tensor, theirs, other)
    if not found.chosen:
        yield Gap("no tensors were found in the base that was given")
        return
    if unclear:
        yield Gap(f"{unclear} tensors do not lie in one piece, so they were not compared with the base")
    yield Measurement("base.tensors.total", str(len(tensors)))
    yield Measurement("base.tensors.identical", str(identical), n=len(tensors))
    yield Measurement("base.tensors.same_shape", str(same_shape), n=len(tensors))


def _by_name(tensors: Sequence[Tensor]) -> Mapping[str, Tensor]:
    names = {tensor.name.partition(".")[2]: tensor for tensor in tensors if "." in tensor.name}
    return {**names, **{tensor.name: tensor for tensor in tensors}}


def _counterpart(name: str, others: Mapping[str, Tensor]) -> Tensor | None:
    return others.get(name) or others.get(name.partition(".")[2])


def _are_equal(ours: _Bytes, tensor: Tensor, theirs: _Bytes, other: Tensor) -> bool:
    assert tensor.offset is not None
    assert other.offset is not None
    assert tensor.nbytes is not None
    for done in range(0, tensor.nbytes, _CHUNK):
        size = min(_CHUNK, tensor.nbytes - done)
        left = ours.read(tensor.path, tensor.offset + done, size)
        if len(left) < size or left != theirs.read(other.path, other.offset + done, size):
            return False
    return True


class _Bytes:
    """Reads ranges of an artifact's files, with one file open at a time: shards may be many."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact, self._path, self._stack = artifact, "", ExitStack()
        self._stream: BinaryIO | None = None
        self._paths = {file.path for file in artifact.files}

    def __enter__(self) -> _Bytes:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read(self, path: str, offset: int, size: int) -> bytes:
        """Return a range of a file; nothing when there is no such file."""
        if path not in self._paths:
            return b""
        if self._stream is None or path != self._path:
            self._stack.close()
            self._stream, self._path = self._stack.enter_context(self._artifact.open(path)), path
        self._stream.seek(offset)
        return self._stream.read(size)
