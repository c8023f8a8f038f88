"""Formats without pickle: safetensors, ONNX, Keras, skops, msgpack."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgpack
import numpy as np
import onnx
import safetensors.numpy
import skops.io
from onnx import helper
from sklearn import ensemble, linear_model

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras


def _onnx(folder: Path) -> Iterator[str]:
    random = np.random.default_rng(7)
    weight = onnx.numpy_helper.from_array(random.normal(size=(4, 2)).astype("f4"), "weight")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["input", "weight"], ["output"])],
        "matmul",
        [helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, [None, 2])],
        [weight],
    )
    model = helper.make_model(graph)
    onnx.save(model, folder / "matmul.onnx")
    external = {"save_as_external_data": True, "location": "matmul_external.data", "size_threshold": 0}
    onnx.save(model, folder / "matmul_external.onnx", **external)
    yield from ("matmul.onnx", "matmul_external.onnx")


def _keras(folder: Path) -> Iterator[str]:
    keras.utils.set_random_seed(7)
    dense = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dropout(0.1), keras.layers.Dense(2)]
    )
    image = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization(), keras.layers.Flatten()]
    )
    left, right = keras.Input((4,)), keras.Input((4,))
    joined = keras.layers.Dense(1)(keras.layers.Concatenate()([left, right]))
    for name, model in {"dense": dense, "image": image, "functional": keras.Model([left, right], joined)}.items():
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")
        model.save_weights(folder / f"{name}.weights.h5")
        yield from (f"{name}.keras", f"{name}.h5", f"{name}.weights.h5")


def write(folder: Path) -> Iterator[tuple[str, str]]:
    """Write the family's files and yield their names and kinds."""
    random = np.random.default_rng(7)
    tensors = {"weight": random.normal(size=(4, 2)).astype("f4"), "steps": np.arange(3), "mask": np.ones((2, 2), bool)}
    safetensors.numpy.save_file(tensors, folder / "weights.safetensors", {"format": "np"})
    (folder / "flax.msgpack").write_bytes(
        msgpack.packb(
            {
                "params": {
                    k: msgpack.ExtType(1, msgpack.packb([v.shape, v.dtype.name, v.tobytes()]))
                    for k, v in tensors.items()
                }
            }
        )
    )
    yield from (("weights.safetensors", "data"), ("flax.msgpack", "data"))
    features, target = random.normal(size=(40, 4)), np.arange(40) % 2
    for model in (linear_model.LogisticRegression(), ensemble.RandomForestClassifier(5, random_state=7)):
        skops.io.dump(model.fit(features, target), folder / f"{type(model).__name__}.skops")
        yield f"{type(model).__name__}.skops", "data"
    yield from ((name, "data") for name in _onnx(folder))
    yield from ((name, "data") for name in _keras(folder))
