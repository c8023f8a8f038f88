"""Torch: state dicts in both file layouts, checkpoints, shards, whole modules, TorchScript, quantised weights."""

from __future__ import annotations

import argparse
import collections
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

DTYPES = [
    "float64",
    "float32",
    "float16",
    "bfloat16",
    "complex64",
    "complex128",
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint16",
    "uint32",
    "uint64",
    "float8_e4m3fn",
    "float8_e5m2",
    "float8_e4m3fnuz",
    "float8_e5m2fnuz",
]


class TiedModel(nn.Module):
    """A language-model head that shares its weight with the embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.block = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.head = nn.Linear(16, 50, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        out: torch.Tensor = self.head(self.block(self.embed(tokens)))
        return out


def _convolutional() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 10))


def _recurrent() -> nn.Module:
    return nn.ModuleDict(
        {"embed": nn.Embedding(30, 8), "rnn": nn.LSTM(8, 8, 2, bidirectional=True), "out": nn.Linear(16, 2)}
    )


def _transformer() -> nn.Module:
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), 3)


def _dense() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.LayerNorm(16), nn.Linear(16, 2))


ARCHITECTURES = {
    "convolutional": _convolutional,
    "recurrent": _recurrent,
    "transformer": _transformer,
    "dense": _dense,
    "tied": TiedModel,
}


def _by_dtype(name: str) -> dict[str, torch.Tensor]:
    dtype = getattr(torch, name)
    values = torch.arange(24).reshape(4, 6) % 2 if name == "bool" else torch.arange(24).reshape(4, 6)
    return {"weight": values.to(dtype), "bias": values[0].to(dtype), "scalar": values[0, 1].to(dtype)}


def _views() -> dict[str, torch.Tensor]:
    base = torch.arange(120, dtype=torch.float32)
    grid = base[:60].reshape(3, 4, 5)
    return {
        "whole": base,
        "slice": base[10:20],
        "strided": base[::3],
        "grid": grid,
        "transposed": grid.permute(2, 0, 1),
        "column": grid[:, :, 1],
        "channels_last": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
    }


def _expanded() -> dict[str, torch.Tensor]:
    row = torch.randn(7)
    return {"expanded": row.expand(3, 7), "row": row, "empty": torch.empty(0, 5), "scalar": torch.tensor(3.5)}


def _state_dicts() -> Iterator[tuple[str, Any]]:
    for name, build in ARCHITECTURES.items():
        yield name, build().state_dict()
    for name in DTYPES:
        yield f"dtype_{name}", _by_dtype(name)
    yield "views", _views()
    yield "expanded", _expanded()
    yield "parameters", dict(_dense().named_parameters())
    yield "buffers", {"a": nn.Buffer(torch.randn(3)), "b": nn.Parameter(torch.randn(2), requires_grad=False)}
    yield "half", {key: value.half() for key, value in _transformer().state_dict().items()}
    yield "brain_float", {key: value.bfloat16() for key, value in _transformer().state_dict().items()}
    yield "single_tensor", torch.randn(4, 4)
    yield "list_of_tensors", [torch.randn(2), torch.randn(3, 3)]
    yield "lora", collections.OrderedDict((f"base_model.layer.{i}.lora_A.weight", torch.randn(4, 16)) for i in range(8))


def _checkpoints() -> Iterator[tuple[str, Any]]:
    model = _dense()
    for label, optimizer in (
        ("adam", torch.optim.AdamW(model.parameters())),
        ("sgd", torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)),
    ):
        model(torch.randn(2, 8)).sum().backward()
        optimizer.step()
        yield (
            f"checkpoint_{label}",
            {
                "epoch": 3,
                "global_step": 1200,
                "loss": 0.25,
                "state_dict": model.state_dict(),
                "optimizer_state_dict": optimizer.state_dict(),
                "lr_schedulers": [torch.optim.lr_scheduler.StepLR(optimizer, 5).state_dict()],
                "config": {"layers": 2, "name": "dense", "dropout": 0.1, "betas": (0.9, 0.999), "tags": {"a", "b"}},
            },
        )
    yield (
        "checkpoint_args",
        {"args": argparse.Namespace(lr=0.1, path="data"), "model": model.state_dict(), "best": torch.tensor(0.9)},
    )
    yield "checkpoint_rng", {"model": model.state_dict(), "rng_state": torch.get_rng_state(), "numpy": np.float64(0.5)}
    yield (
        "checkpoint_prefix",
        {"state_dict": {f"module.{key}": value for key, value in model.state_dict().items()}, "arch": "dense"},
    )
    yield "checkpoint_ema", {"model": model.state_dict(), "ema": {k: v.clone() for k, v in model.state_dict().items()}}
    adam = torch.optim.Adam(model.parameters())
    model(torch.randn(2, 8)).sum().backward()
    adam.step()
    yield "optimizer", adam.state_dict()
    yield "scheduler", torch.optim.lr_scheduler.CosineAnnealingLR(adam, 10).state_dict()


def _quantised() -> Iterator[tuple[str, Any]]:
    values = torch.randn(4, 6)
    per_channel = torch.quantize_per_channel(
        values, torch.ones(4) / 10, torch.zeros(4, dtype=torch.int64), 0, torch.qint8
    )
    yield "quantised", {"tensor": torch.quantize_per_tensor(values, 0.1, 3, torch.quint8), "channel": per_channel}
    yield "sparse", {"listed": values.to_sparse(), "rows": values.to_sparse_csr()}


def _shards(folder: Path) -> Iterator[tuple[str, str]]:
    sharded = folder / "sharded"
    sharded.mkdir(exist_ok=True)
    state = list(_transformer().state_dict().items())
    half, weight_map = len(state) // 2, {}
    for number, part in enumerate((state[:half], state[half:]), 1):
        name = f"pytorch_model-{number:05}-of-00002.bin"
        torch.save(dict(part), sharded / name)
        weight_map.update(dict.fromkeys(dict(part), name))
        yield f"sharded/{name}", "state-dict"
    total = sum(tensor.numel() * tensor.element_size() for _, tensor in state)
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (sharded / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2))
    yield "sharded/pytorch_model.bin.index.json", "data"


def write(folder: Path) -> Iterator[tuple[str, str]]:
    """Write the family's files and yield their names and kinds."""
    torch.manual_seed(7)
    torch.backends.quantized.engine = torch.backends.quantized.supported_engines[-1]
    for kind, objects in (("state-dict", _state_dicts()), ("checkpoint", _checkpoints()), ("checkpoint", _quantised())):
        for name, value in objects:
            torch.save(value, folder / f"{name}.pt")
            yield f"{name}.pt", kind
            torch.save(value, folder / f"{name}.legacy.bin", _use_new_zipfile_serialization=False)
            yield f"{name}.legacy.bin", kind
    for protocol in (3, 4, 5):
        torch.save(_dense().state_dict(), folder / f"dense.protocol{protocol}.pth", pickle_protocol=protocol)
        yield f"dense.protocol{protocol}.pth", "state-dict"
    for name, model in {"module_dense": _dense(), "module_own_class": TiedModel()}.items():
        torch.save(model, folder / f"{name}.pt")
        yield f"{name}.pt", "module"
    for name, build in {"convolutional": _convolutional, "dense": _dense}.items():
        torch.jit.save(torch.jit.script(build()), folder / f"script_{name}.pt")
        yield f"script_{name}.pt", "torchscript"
    yield from _shards(folder)
