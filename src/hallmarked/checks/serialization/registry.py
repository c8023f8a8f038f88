"""Which examiner reads which format: one table.

A format without an entry is reported as not examined, never passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from hallmarked.checks.serialization import (
    archive,
    document,
    flatbuffer,
    gguf,
    hdf5,
    keras,
    msgpack,
    native,
    nemo,
    npy,
    onnx,
    pickle,
    pmml,
    rds,
    safetensors,
    savedmodel,
    skops,
    torch,
    ubjson,
)
from hallmarked.checks.serialization.archive import Layout
from hallmarked.checks.serialization.contract import Examiner, Seen
from hallmarked.core.evidence import Rule
from hallmarked.formats.archive.compressed import CODECS
from hallmarked.formats.blob import Blob, Budget

_KERAS_PARTS = ("metadata.json", "model.weights.h5", "model.weights.npz", "model.weights.json")

ZIP_LAYOUTS: Sequence[Layout] = (
    Layout("torchscript", torch.is_torchscript, torch.examine_torchscript, torch.RULES),
    Layout("torch", torch.is_torch, torch.examine_torch, torch.RULES),
    Layout("npz", torch.is_npz, torch.examine_npz),
    Layout("keras", archive.has("config.json", _KERAS_PARTS), keras.examine_keras, keras.RULES),
    Layout("skops", archive.has("schema.json"), skops.examine_skops, skops.RULES),
)
"""Formats that are zip archives with certain members."""

TAR_LAYOUTS: Sequence[Layout] = (
    Layout("torch-tar", torch.is_torch_tar, torch.examine_torch_tar, torch.RULES),
    Layout("nemo", archive.has("model_config.yaml"), nemo.examine_nemo, nemo.RULES),
)
"""Formats that are tar archives with certain members."""


@dataclass(frozen=True, slots=True)
class Handler:
    """How a format is examined."""

    examine: Examiner
    rules: Sequence[Rule] = ()
    quiet: bool = False
    """True for ordinary documents, which get no verdict of their own unless something is found."""


def _zip(blob: Blob, budget: Budget) -> Iterator[Seen]:
    return archive.examine_zip(blob, budget, ZIP_LAYOUTS)


def _attached(blob: Blob, budget: Budget) -> Iterator[Seen]:
    return native.examine_attached(blob, budget, ZIP_LAYOUTS)


def _tar(blob: Blob, budget: Budget) -> Iterator[Seen]:
    return archive.examine_tar(blob, budget, TAR_LAYOUTS)


def _rules(layouts: Sequence[Layout]) -> tuple[Rule, ...]:
    return (*archive.RULES, *(rule for layout in layouts for rule in layout.rules))


HANDLERS: Mapping[str, Handler] = {
    "pickle": Handler(pickle.examine_pickle, pickle.RULES),
    "zip": Handler(_zip, _rules(ZIP_LAYOUTS)),
    "attached-zip": Handler(_attached, _rules(ZIP_LAYOUTS)),
    "tar": Handler(_tar, _rules(TAR_LAYOUTS)),
    "7z": Handler(archive.examine_7z, archive.RULES),
    **{codec: Handler(partial(archive.examine_compressed, codec=codec), archive.RULES) for codec in CODECS},
    "safetensors": Handler(safetensors.examine_safetensors, safetensors.RULES),
    "gguf": Handler(gguf.examine_gguf, gguf.RULES),
    "onnx": Handler(onnx.examine_onnx, onnx.RULES),
    "savedmodel": Handler(savedmodel.examine_savedmodel, savedmodel.RULES),
    "npy": Handler(npy.examine_npy, (*npy.RULES, *pickle.RULES)),
    "hdf5": Handler(hdf5.examine_hdf5, (*hdf5.RULES, *keras.RULES)),
    "flatbuffer-executorch": Handler(flatbuffer.examine_executorch, flatbuffer.RULES),
    "flatbuffer-tflite": Handler(flatbuffer.examine_tflite, flatbuffer.RULES),
    "msgpack": Handler(msgpack.examine_msgpack, msgpack.RULES),
    "ubjson": Handler(ubjson.examine_ubjson, ubjson.RULES),
    "rds": Handler(rds.examine_rds, rds.RULES),
    "xml": Handler(pmml.examine_pmml, pmml.RULES),
    "json": Handler(document.examine_document, document.RULES, quiet=True),
    "text": Handler(document.examine_text, document.RULES, quiet=True),
    **{kind: Handler(partial(native.examine_program, kind=kind), native.RULES) for kind in native.KINDS},
    "script": Handler(native.examine_script, native.RULES, quiet=True),
    "llamafile": Handler(native.examine_bundle, native.RULES),
}
"""Format name, as ``formats.identify`` gives it, to examiner."""
