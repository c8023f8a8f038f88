"""Write one safetensors file from byte ranges, and digest both sides.

Format: https://huggingface.co/docs/safetensors#format
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from hallmarked.core.errors import FormatError
from hallmarked.transforms.bytecopy import copy_range, elements, read_range, sha256, write_all
from hallmarked.transforms.safetensors_file import Layout
from hallmarked.transforms.tensor import Tensor
from hallmarked.transforms.torchfile import Checkpoint, Source


@dataclass(frozen=True, slots=True)
class Digests:
    """SHA-256 of what was read and of what was written, in lower-case hex."""

    source: str
    """Of the whole source file."""
    result: str
    """Of the whole result, read back."""
    before: Mapping[str, str]
    """Of each tensor's elements in row order, read from the source."""
    after: Mapping[str, str]
    """Of each tensor's bytes, read back from the result."""


def rewrite(
    target: int, source: Source, checkpoint: Checkpoint, tensors: Mapping[str, Tensor], layout: Layout
) -> Digests:
    """Write a file to an open, empty one, bring it to the disk, read it back and compare.

    Raises:
        FormatError: When the source ends early, or changed meanwhile.
    """
    # Leaving the pool waits for it: no thread may read a descriptor that was closed and given to another file.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        whole = pool.submit(lambda: sha256(read_range(source.descriptor, 0, source.blob.size)))
        whole_tensors = [name for name in layout.places if tensors[name].contiguous]
        sources = pool.map(lambda name: _hash_source(checkpoint, tensors[name]), whole_tensors)
        before = write_tensors(target, checkpoint, tensors, layout)
        os.fsync(target)
        written = pool.submit(lambda: sha256(read_range(target, 0, layout.size)))
        results = pool.map(
            lambda name: sha256(read_range(target, layout.places[name], tensors[name].size)), layout.places
        )
        before |= dict(zip(whole_tensors, sources, strict=True))
        after = dict(zip(layout.places, results, strict=True))
    for name in layout.places:
        if before[name] != after[name]:
            raise FormatError(f"{name} changed while it was read")
    source.confirm_unchanged()
    return Digests(whole.result(), written.result(), before, after)


def write_tensors(target: int, checkpoint: Checkpoint, tensors: Mapping[str, Tensor], layout: Layout) -> dict[str, str]:
    """Write header and tensors to an open, empty file; return the digests of those that had to be gathered.

    Raises:
        FormatError: When the source ends early.
    """
    write_all(target, memoryview(layout.header), 0)
    gathered: dict[str, str] = {}
    for name, at in layout.places.items():
        tensor = tensors[name]
        source, base = checkpoint.places[tensor.storage]
        if tensor.contiguous:
            copy_range(source, base + tensor.start, target, at, tensor.size)
            continue
        digest, done = hashlib.sha256(), 0
        for block in elements(source, base, tensor):
            write_all(target, block, at + done)
            digest.update(block)
            done += len(block)
        gathered[name] = digest.hexdigest()
    return gathered


def _hash_source(checkpoint: Checkpoint, tensor: Tensor) -> str:
    source, base = checkpoint.places[tensor.storage]
    return sha256(elements(source, base, tensor))
