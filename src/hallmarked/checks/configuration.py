"""What the configuration files beside weights say about a model, by the conventions of the libraries that read them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from hallmarked.checks.weights import read_document
from hallmarked.core.artifact import Artifact
from hallmarked.core.evidence import Finding, Gap, Measurement

NAMES = frozenset(
    (
        "config.json",
        "model_index.json",
        "adapter_config.json",
        "modules.json",
        "tokenizer.json",
        "open_clip_config.json",
    )
)
"""Files that the libraries look for under exactly these names."""

_SIZES: Mapping[str, tuple[str, ...]] = {
    "model.vocabulary": ("vocab_size", "n_vocab"),
    "model.hidden_size": ("hidden_size", "n_embd", "d_model", "dim"),
    "model.layers": ("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
    "model.context": ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length"),
}
"""Measurement, and the members that give it, the first one that is there."""


def read_configuration(artifact: Artifact, problems: list[Finding | Gap]) -> Iterator[Measurement]:
    """Yield what the configuration files say; what cannot be read is added to ``problems``.

    The files nearest to the root speak for the model: those deeper down describe its parts and are passed over, but for
    tokenizers.
    """
    found = [file for file in artifact.files if posixpath.basename(file.path) in NAMES]
    nearest = min((file.path.count("/") for file in found), default=0)
    for file in found:
        if file.path.count("/") > nearest:
            continue
        document = read_document(artifact, file, problems)
        name = posixpath.basename(file.path)
        for metric, value in dict.fromkeys(_facts(name, document)):
            yield Measurement(metric, value[:500], slice={"path": file.path})


def _facts(name: str, document: Any) -> Iterator[tuple[str, str]]:
    if name == "modules.json" and isinstance(document, list):
        kinds = [str(module.get("type", "")) for module in document if isinstance(module, dict)]
        if any(kind.startswith("sentence_transformers.") for kind in kinds):
            yield "model.library", "sentence-transformers"
    if not isinstance(document, dict):
        return
    if name == "tokenizer.json":
        yield from _tokenizer(document)
    elif name == "adapter_config.json":
        yield from _adapter(document)
    elif name == "model_index.json":
        yield "model.library", "diffusers"
        yield from _text("model.architecture", document.get("_class_name"))
    elif name == "config.json":
        yield from _config(document)


def _text(metric: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and value:
        yield metric, value


def _adapter(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if isinstance(document.get("peft_type"), str):
        yield "model.library", "peft"
        yield from _text("model.adapter", document["peft_type"])
    yield from _text("model.base", document.get("base_model_name_or_path"))


def _config(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    architectures = document.get("architectures")
    names = [name for name in architectures if isinstance(name, str)] if isinstance(architectures, list) else []
    for name in names:
        yield "model.architecture", name
    yield from _text("model.type", document.get("model_type"))
    yield from _libraries(document, bool(names))
    inner = document.get("text_config")
    layers = (document, inner) if isinstance(inner, dict) else (document,)
    for metric, members in _SIZES.items():
        values = (layer.get(member) for layer in layers for member in members)
        value = next((value for value in values if type(value) is int), None)
        if value is not None:
            yield metric, str(value)
    for member in ("dtype", "torch_dtype"):
        yield from _text("model.dtype", document.get(member))
    quantization = document.get("quantization_config")
    if isinstance(quantization, dict):
        yield from _text("model.quantization", quantization.get("quant_method"))
    if type(document.get("tie_word_embeddings")) is bool:
        yield "model.tied_embeddings", str(document["tie_word_embeddings"]).lower()
    labels = document.get("id2label")
    if isinstance(labels, dict):
        yield "model.labels", str(len(labels))
    yield from _text("model.base", document.get("_name_or_path"))
    remote = document.get("auto_map")
    if isinstance(remote, dict):
        for key, value in sorted(remote.items()):
            yield from _text("model.code", value if isinstance(value, str) else str(key))


def _libraries(document: Mapping[str, Any], has_architectures: bool) -> Iterator[tuple[str, str]]:
    """Say which library the file is for, by members that only that library writes."""
    if isinstance(document.get("_diffusers_version"), str):
        yield "model.library", "diffusers"
        yield from _text("model.architecture", document.get("_class_name"))
    if isinstance(document.get("pretrained_cfg"), dict):
        yield "model.library", "timm"
        yield from _text("model.architecture", document.get("architecture"))
    elif isinstance(document.get("transformers_version"), str) or (has_architectures and "model_type" in document):
        yield "model.library", "transformers"
    if isinstance(document.get("sklearn"), dict):
        yield "model.library", "scikit-learn"


def _tokenizer(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    model, added = document.get("model"), document.get("added_tokens")
    if not isinstance(model, dict):
        return
    yield from _text("tokenizer.type", model.get("type"))
    vocabulary = model.get("vocab")
    if isinstance(vocabulary, dict):
        words = set(vocabulary)
    elif isinstance(vocabulary, list):  # pairs of word and score
        words = {pair[0] for pair in vocabulary if isinstance(pair, list) and pair and isinstance(pair[0], str)}
    else:
        return
    if isinstance(added, list):
        contents = (token.get("content") for token in added if isinstance(token, dict))
        words |= {content for content in contents if isinstance(content, str)}
    yield "tokenizer.vocabulary", str(len(words))
