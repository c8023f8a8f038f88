"""Transformers: the training arguments that its trainer leaves beside the weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import accelerate  # noqa: F401 -- without it the arguments cannot be made
import torch
from transformers import TrainingArguments


def write(folder: Path) -> Iterator[tuple[str, str]]:
    """Write the family's files and yield their names and kinds."""
    for protocol in (2, 4):
        name = f"training_args.protocol{protocol}.bin"
        torch.save(
            TrainingArguments(output_dir="out", report_to=[], use_cpu=True), folder / name, pickle_protocol=protocol
        )
        yield name, "module"
