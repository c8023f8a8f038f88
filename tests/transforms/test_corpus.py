"""Every benign torch file of the benchmark's corpus converts to what torch and the reference writer make of it."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hallmarked.artifacts.source import open_artifact
from hallmarked.core.errors import FormatError
from hallmarked.transforms.conversion import convert

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

SCRIPT = Path(__file__).parents[2] / "bench" / "corpus.py"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    subprocess.run([sys.executable, SCRIPT, folder, "torch", "transformers"], check=True, capture_output=True)
    return folder


def load(path: Path) -> Any:
    """What torch makes of a file without running code; None when it refuses or cannot."""
    try:
        return torch.load(path, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, AttributeError):
        return None


def weights(loaded: Any) -> dict[str, Any] | None:
    """The tensors by name that somebody who knows these files would take."""
    for key in ("state_dict", "model"):
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            return weights(loaded[key])
    if not isinstance(loaded, dict):
        return None
    return {name: value.detach() for name, value in loaded.items() if isinstance(value, torch.Tensor)}


def reference(tensors: dict[str, Any], tied: dict[str, str]) -> bytes | None:
    """What the reference writer makes of them; None when it cannot."""
    try:
        kept = {
            name: value if value.is_quantized or value.layout != torch.strided else value.contiguous().clone()
            for name, value in tensors.items()
            if name not in tied
        }
        written: bytes = safetensors_torch.save(kept, {"format": "pt"} | tied)
    except (KeyError, ValueError, RuntimeError, NotImplementedError):
        return None
    return written


def contents(data: bytes) -> tuple[list[str], Any, bytes]:
    """Order of the names, header and tensors; the reference writes metadata in no fixed order."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    return list(header), header, data[end:]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_results_are_those_of_torch_and_the_reference_writer(corpus: Path, tmp_path: Path) -> None:
    """Where torch loads weights that the format can hold, the result has the same bytes; elsewhere it is refused."""
    rows = [row for row in json.loads((corpus / "corpus.json").read_text()) if row["kind"] not in {"data", "pickle"}]
    compared = refused = 0
    for number, row in enumerate(rows):
        loaded = load(corpus / row["path"])
        tensors = weights(loaded)
        out = tmp_path / str(number)
        try:
            conversion = convert(
                open_artifact(corpus / row["path"]), out, vouch=lambda _: [], paths=[Path(row["path"]).name]
            )
        except FormatError:
            assert not tensors or reference(tensors, {}) is None, row["path"]
            assert os.listdir(out) == []
            refused += 1
            continue
        if loaded is None:
            continue
        assert tensors is not None, row["path"]
        tied: dict[str, str] = {}
        for names in conversion.tied.values():
            tied |= names
        assert all(torch.equal(tensors[gone], tensors[kept]) for gone, kept in tied.items()), row["path"]
        expected = reference(tensors, tied)
        assert expected is not None, row["path"]
        assert contents((out / conversion.files[0].name).read_bytes()) == contents(expected), row["path"]
        compared += 1
    assert compared > 60
    assert refused > 15
