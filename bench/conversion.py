"""Conversion beside what people run otherwise: ``torch.load(weights_only=True, mmap=True)`` and ``save_file``."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import safetensors.torch
import torch

from bench.table import markdown
from hallmarked.artifacts.source import open_artifact
from hallmarked.formats.blob import Budget
from hallmarked.transforms.conversion import convert, separate_ties
from hallmarked.transforms.rewrite import write_tensors
from hallmarked.transforms.safetensors_file import lay_out
from hallmarked.transforms.statedict import find_weights
from hallmarked.transforms.torchfile import Source, read_checkpoint

ROUNDS = 7


def conversion(scratch: Path) -> str:
    """Measure both, bare and with the evidence that a conversion leaves; warm cache, best of several rounds."""
    path = scratch / "half_gigabyte.pt"
    torch.manual_seed(7)
    torch.save({f"layer{i}.weight": torch.randn(1000, 1024) for i in range(123)}, path)
    methods: dict[str, Callable[[Path, Path], None]] = {
        "torch.load(mmap=True) + save_file": _peer,
        "read, plan and copy": _bare,
        "torch.load(mmap=True) + save_file, then fsync and the same digests": _peer_with_evidence,
        "convert (fsync, digests of files and of each tensor before and after)": _full,
    }
    best = dict.fromkeys(methods, float("inf"))
    written: dict[str, str] = {}
    for _ in range(ROUNDS):
        for name, method in methods.items():
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                target = Path(folder) / "half_gigabyte.safetensors"
                start = time.perf_counter()
                method(path, target)
                best[name] = min(best[name], time.perf_counter() - start)
                if name not in written:
                    written[name] = hashlib.sha256(target.read_bytes()).hexdigest()[:16]
    size = path.stat().st_size / 1e6
    path.unlink()
    rows = [[name, f"{seconds:.3f}", written[name]] for name, seconds in best.items()]
    return markdown([f"method ({size:.0f} MB, 123 tensors)", f"seconds (best of {ROUNDS})", "result (sha256)"], rows)


def _peer(source: Path, target: Path) -> None:
    tensors = torch.load(source, weights_only=True, mmap=True)
    safetensors.torch.save_file(tensors, target, metadata={"format": "pt"})


def _bare(source: Path, target: Path) -> None:
    artifact = open_artifact(source)
    with Source(artifact, source.name, source.stat().st_size, target.parent) as opened:
        checkpoint = read_checkpoint(opened, Budget(opened.blob.size))
        tensors, _ = separate_ties(find_weights(checkpoint.root).tensors)
        with target.open("wb") as out:
            write_tensors(out.fileno(), checkpoint, tensors, lay_out(tensors, {"format": "pt"}))


def _peer_with_evidence(source: Path, target: Path) -> None:
    _peer(source, target)
    with target.open("rb") as stream:
        os.fsync(stream.fileno())
    before = torch.load(source, weights_only=True, mmap=True)
    after = safetensors.torch.load_file(target)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        files = [pool.submit(_hash_file, path) for path in (source, target)]
        pairs = list(pool.map(lambda name: (_hash_tensor(before[name]), _hash_tensor(after[name])), before))
        assert all(one == other for one, other in pairs)
        assert all(file.result() for file in files)


def _full(source: Path, target: Path) -> None:
    convert(open_artifact(source), target.parent, vouch=lambda _: [])


def _hash_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _hash_tensor(tensor: torch.Tensor) -> str:
    return hashlib.sha256(tensor.numpy()).hexdigest()
