"""Examining Keras configurations."""

from __future__ import annotations

import contextlib
import json
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.serialization.contract import FileVerdict, Seen
from hallmarked.checks.serialization.hdf5 import examine_hdf5
from hallmarked.checks.serialization.keras import examine_keras, examine_keras_config, looks_like_config
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Level
from tests.checks.serialization.examining import blobs, examine, examine_members, references, rules, verdict


def judge(config: object) -> list[Seen]:
    return examine(examine_keras_config, json.dumps(config).encode())


def layer(name: str, config: object = None, module: str | None = "keras.layers", registered: str | None = None) -> Any:
    """A layer inside of a model, as Keras 3 writes it."""
    inner = {
        "class_name": name,
        "config": {} if config is None else config,
        "module": module,
        "registered_name": registered,
    }
    model = {"name": "m", "layers": [inner]}
    return {"class_name": "Sequential", "config": model, "module": "keras", "registered_name": "Sequential"}


def function(name: object, module: str | None = "builtins", registered: str | None = None) -> Any:
    value = {"class_name": "function", "config": name, "module": module, "registered_name": registered}
    return layer("Dense", {"activation": value})


@pytest.mark.parametrize(
    "config",
    [
        layer("Dense", {"units": 1, "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}}}),
        layer("Functional", module="keras.src.models.functional", registered="Functional"),
        layer("Bidirectional", {"layer": {"class_name": "LSTM", "config": {}, "module": "keras.layers"}}),
        layer("BatchNormalizationV1", module=None),
        layer("StringLookup", {"vocabulary": ["a", "b"]}),
        layer("TextVectorization", {"vocabulary": None, "standardize": "lower_and_strip_punctuation"}),
        function("relu"),
        function("gelu", "keras.activations"),
        layer("Adam", {"learning_rate": float("nan")}, "keras.optimizers"),
        {"class_name": "__tensor__", "config": {"value": [1], "dtype": "float32"}},
        {"keras_version": "3.15.1", "date_saved": "2026-01-01"},
    ],
)
def test_classes_of_keras_are_proven(config: object) -> None:
    """Layers, functions and data of Keras itself need no word, in old and new spellings."""
    assert judge(config) == []


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        (layer("Lambda", {"function": {"class_name": "__lambda__", "config": {"code": "4wEA"}}}), "KRS001"),
        (layer("Lambda", {"function": ["4wEAAAA=", None, None], "function_type": "lambda"}, None), "KRS001"),
        (layer("Lambda", {"function": "4wEA", "function_type": "raw"}, None), "KRS001"),
        (layer("TimeDistributed", {"layer": layer("Lambda", {"output_shape": ["4wEA", None, None]})}), "KRS001"),
        (layer("Dense", {"activation": {"class_name": "__lambda__", "config": {"value": "x"}}}), "KRS001"),
        (layer("system", {}, "os"), "KRS003"),
        (layer("Popen", {}, "subprocess"), "KRS003"),
        (function("system", "os"), "KRS003"),
        (function("run", "subprocess", "run"), "KRS003"),
        (function("eval"), "KRS003"),
        (function("relu", "builtins", "exec"), "KRS003"),
        (function("get_file", "keras.utils", "get_file"), "KRS003"),
        (function("load_model", "keras.models"), "KRS003"),
        (function("enable_unsafe_deserialization", "keras.config"), "KRS003"),
        (layer("TFOpLambda", {"function": "io.write_file"}, None), "KRS003"),
        (layer("TFOpLambda", {"function": "py_function"}, None), "KRS003"),
        (layer("TorchModuleWrapper", {"module": "UEsD"}), "KRS004"),
        (layer("StringLookup", {"vocabulary": "/etc/passwd"}), "KRS006"),
        (layer("TextVectorization", {"vocabulary": "https://example.org/x"}), "KRS006"),
        (layer("IntegerLookup", {"vocabulary": "../../secret"}), "KRS006"),
        (layer("TFSMLayer", {"filepath": "/tmp/model"}), "KRS006"),
    ],
)
def test_hostile_configurations_are_errors(config: object, rule: str) -> None:
    """Code in the file, dangerous names and files outside of the folder are errors."""
    seen = judge(config)
    assert rule in {item.rule for item in seen if isinstance(item, Finding) and item.level == Level.ERROR}
    assert verdict(seen) == FileVerdict.UNPROVEN


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        (layer("MyLayer", {}, "my_package.layers", "my_package>MyLayer"), "KRS005"),
        (layer("Dense", {}, "keras.layers", "pkg>Dense"), "KRS005"),
        (layer("Dense", {}, "evil.layers"), "KRS005"),
        (layer("MyLayer", {}, None), "KRS005"),
        (layer("TokenEmbedding", {}, "keras_hub.layers"), "KRS005"),
        (function("my_activation", "__main__", "my_activation"), "KRS005"),
        (function("my_activation"), "KRS005"),
        (function("os", "keras.src.utils.io"), "KRS005"),
        (layer("Dense", {"activation": "pkg>act"}), "KRS005"),
        (layer("TFOpLambda", {"function": "math.multiply"}, None), "KRS005"),
        (layer("Lambda", {"function": "my_function", "function_type": "function"}, None), "KRS002"),
        (layer("FlaxLayer"), "KRS004"),
    ],
)
def test_what_is_not_known_is_a_warning_and_a_gap(config: object, rule: str) -> None:
    """Custom objects cannot be vouched for, and are no error."""
    seen = judge(config)
    assert rules(seen) == [rule]
    assert {item.level for item in seen if isinstance(item, Finding)} == {Level.WARNING}
    assert verdict(seen) == FileVerdict.UNPROVEN


def test_files_beside_are_named_to_the_router() -> None:
    """A vocabulary in a neighbouring file is a warning and a reference."""
    seen = judge(layer("StringLookup", {"vocabulary": "vocab.txt"}))
    assert (rules(seen), references(seen)) == (["KRS007"], ["vocab.txt"])


def test_broken_configurations_are_malformed() -> None:
    """Text that is no configuration, or that two readers understand differently, is refused."""
    for text in (b"1", b"{", b'{"class_name": 1, "config": {}}', b'{"class_name": "Dense", "class_name": "Lambda"}'):
        with pytest.raises(FormatError):
            examine(examine_keras_config, text)


def test_members_of_an_archive() -> None:
    """Both configurations are judged, and every other member is handed on."""
    lambda_ = {"class_name": "__lambda__", "config": {}}
    seen = examine_members(
        examine_keras,
        {
            "config.json": json.dumps(layer("Dense")).encode(),
            "metadata.json": json.dumps({"x": lambda_}).encode(),
            "model.weights.h5": b"\x89HDF",
            "assets/a.txt": b"a",
        },
    )
    assert rules(seen) == ["KRS001"]
    assert blobs(seen) == {"file!model.weights.h5": b"\x89HDF", "file!assets/a.txt": b"a"}
    assert verdict(examine_members(examine_keras, {"x": b""})) == FileVerdict.UNPROVEN


def test_what_looks_like_a_configuration() -> None:
    """Configurations are recognised by content."""
    assert looks_like_config(b' {"class_name": "Model"}')
    assert looks_like_config(b'{"class\\u005fname": "Model"}')
    assert not looks_like_config(b'{"a": 1}')
    assert not looks_like_config(b'a "class_name"')


names = st.sampled_from(["class_name", "config", "module", "registered_name", "function", "vocabulary", "x"])
leaves = st.sampled_from(
    [None, 1, "Dense", "Lambda", "function", "__lambda__", "os", "TFOpLambda", "__typespec__", "a>b", ["4w"]]
)


@settings(deadline=None, max_examples=150)
@given(st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5)))
def test_any_tree_gets_an_answer(config: object) -> None:
    """Configurations of any shape are judged or refused, never anything else."""
    with contextlib.suppress(FormatError):
        judge(config)


@pytest.mark.slow
def test_models_written_by_keras(tmp_path: Path) -> None:
    """Models saved by Keras are proven in both forms, and with a Lambda or a custom function they are not."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras = pytest.importorskip("keras")
        layers = keras.layers
        image, rows = layers.Input((8, 8, 1)), layers.Input((8, 4))
        x = layers.Conv2D(2, 3, activation="relu", kernel_regularizer="l2")(image)
        x = layers.Flatten()(layers.MaxPooling2D()(layers.BatchNormalization()(x)))
        x = layers.Dense(3, activation="softmax")(layers.Dropout(0.1)(x)) * 2 + 1
        y = layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(rows, rows) + rows)
        y = layers.Dense(2, activation=keras.activations.gelu)(keras.ops.mean(y, axis=1))
        z = layers.Lambda(lambda value: value * 2)(rows)
        recurrent = [
            layers.Input((None,)),
            layers.Embedding(9, 4),
            layers.Bidirectional(layers.LSTM(4)),
            layers.Dense(1),
        ]
        models = {
            "convolution": keras.Model(image, x),
            "attention": keras.Model(rows, y),
            "recurrent": keras.Sequential(recurrent),
            "lambda": keras.Model(rows, z),
        }
        for name, model in models.items():
            rate = keras.optimizers.schedules.CosineDecay(1e-3, 10)
            model.compile(optimizer=keras.optimizers.AdamW(rate), loss="mse", metrics=["accuracy", keras.metrics.AUC()])
            model.save(tmp_path / f"{name}.keras")
            model.save(tmp_path / f"{name}.h5")
    for name in models:
        with zipfile.ZipFile(tmp_path / f"{name}.keras") as archive:
            new = examine_members(examine_keras, {member: archive.read(member) for member in archive.namelist()})
        weights = examine(examine_hdf5, blobs(new)["file!model.weights.h5"])
        old = examine(examine_hdf5, (tmp_path / f"{name}.h5").read_bytes())
        expected = ["KRS001"] if name == "lambda" else []
        assert (rules(new), rules(old), weights) == (expected, expected, []), name
        assert (verdict(old) == FileVerdict.PROVEN) == (name != "lambda")
