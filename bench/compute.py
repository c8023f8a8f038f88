"""Training operations by our formula and by ``6 N D``, beside what torch's own counter counts in forward and backward.

``python -m bench.compute`` prints the tables. Models are built from configurations by ``transformers`` on torch's meta
device, which holds shapes and no numbers, so that large ones can be counted too. Torch knows nothing of the fused
attention of processors and counts it as nothing; here it is told, with its own formula for fused attention.
"""

from __future__ import annotations

import importlib
import importlib.util
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from bench.table import markdown
from hallmarked.profiles.compute.architecture import read_architecture
from hallmarked.profiles.compute.formula import Kernel, Recomputation, Schedule, estimate_training, rule_of_thumb

MISSING = [name for name in ("torch", "transformers") if importlib.util.find_spec(name) is None]
TARGET = 0.05


@dataclass(frozen=True, slots=True)
class Case:
    """A model, and how it is trained."""

    name: str
    model: str
    """Class of transformers, without ``ForCausalLM`` and the like."""
    settings: dict[str, int]
    sequence: int
    target: int = 0
    fused: bool = False
    again: bool = False
    """Compute every layer again in the backward pass."""


def cases() -> Iterator[Case]:
    """Yield the configurations: widths from 256, short and long sequences, every kind of transformer."""
    for width, layers in ((256, 4), (384, 6), (512, 8), (768, 12), (1024, 24)):
        for length in (128, 512):
            bert = {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": width // 64}
            yield Case(f"BERT {layers}x{width}", "Bert", {**bert, "intermediate_size": 4 * width}, length)
        for length in (256, 1024):
            gpt = {"n_embd": width, "n_layer": layers, "n_head": width // 64, "n_positions": 1024}
            fused = width == 512  # which needs that no scores are dropped
            yield Case(
                f"GPT-2 {layers}x{width}", "GPT2", {**gpt, "attn_pdrop": 0} if fused else gpt, length, fused=fused
            )
    for width, layers, heads, kv, ff, words in (
        (256, 4, 4, 2, 688, 8_000),
        (512, 8, 8, 2, 1408, 32_000),
        (1024, 16, 16, 4, 2816, 32_000),
        (2048, 16, 32, 8, 8192, 128_256),
        (4096, 32, 32, 8, 14336, 128_256),
    ):
        for length in (512, 4096):
            yield Case(f"Llama {layers}x{width}", "Llama", _llama(width, layers, heads, kv, ff, words), length)
        settings = _llama(width, layers, heads, kv, ff, words)
        yield Case(f"Llama {layers}x{width}", "Llama", settings, 2048, fused=True, again=True)
    for width, layers, ff, heads in ((256, 4, 1024, 4), (512, 6, 2048, 8), (768, 12, 3072, 12), (1024, 24, 4096, 16)):
        t5 = {"d_model": width, "num_layers": layers, "num_decoder_layers": layers, "d_ff": ff, "num_heads": heads}
        yield Case(f"T5 {layers}x{width}", "T5", {**t5, "d_kv": 64}, 512, 128)
        yield Case(f"T5 {layers}x{width}", "T5", {**t5, "d_kv": 64}, 512, 512)


def _llama(width: int, layers: int, heads: int, kv: int, ff: int, words: int) -> dict[str, int]:
    return {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv,
        "intermediate_size": ff,
        "vocab_size": words,
    }


@dataclass(frozen=True, slots=True)
class Row:
    """One configuration, counted."""

    case: Case
    counted: int
    known: int
    """Our estimate when it is told how attention is computed."""
    unknown: int
    thumb: int
    inside: bool
    """Whether what was counted lies in our interval when we are told, and when we are not."""
    inside_unknown: bool
    width: float
    """Width of the interval when we are not told, in parts of the estimate."""


def measure(case: Case) -> Row:
    """Count one configuration, and estimate it."""
    counted, configuration = importlib.import_module("bench.compute_count").count(case)
    architecture = read_architecture(configuration)
    tokens = case.sequence + case.target
    again = Recomputation.FULL if case.again else Recomputation.NONE
    kernel = Kernel.FUSED if case.fused else Kernel.PLAIN
    told = estimate_training(architecture, Schedule(tokens, case.sequence, case.target, kernel, again))
    open_ = estimate_training(architecture, Schedule(tokens, case.sequence, case.target, Kernel.UNKNOWN, again))
    return Row(
        case,
        counted,
        told.operations,
        open_.operations,
        rule_of_thumb(architecture, tokens),
        told.interval[0] <= counted <= told.interval[1],
        open_.interval[0] <= counted <= open_.interval[1],
        (open_.interval[1] - open_.interval[0]) / open_.operations,
    )


def report() -> str:
    """Measure all of it, and write it as Markdown."""
    if MISSING:
        return f"Not measured: {' and '.join(MISSING)} are not installed, whose counter this is held against.\n"
    rows = [measure(case) for case in cases()]
    table = markdown(
        (
            "configuration",
            "tokens",
            "attention",
            "torch counts",
            "ours",
            "not told",
            "6ND",
            "inside",
            "inside, not told",
        ),
        [_row(row) for row in rows],
    )
    return f"{table}\n{_summary(rows)}"


def _row(row: Row) -> tuple[str, ...]:
    case = row.case
    tokens = f"{case.sequence}+{case.target}" if case.target else str(case.sequence)
    how = ("fused" if case.fused else "plain") + (", layers again" if case.again else "")
    errors = (f"{value / row.counted - 1:+.2%}" for value in (row.known, row.unknown, row.thumb))
    yes = ("no", "yes")
    return (case.name, tokens, how, f"{row.counted:.4e}", *errors, yes[row.inside], yes[row.inside_unknown])


def _summary(rows: list[Row]) -> str:
    lines = []
    for name, values in (
        ("ours, told how attention is computed", [row.known for row in rows]),
        ("ours, not told", [row.unknown for row in rows]),
        ("6ND", [row.thumb for row in rows]),
    ):
        errors = [abs(value / row.counted - 1) for value, row in zip(values, rows, strict=True)]
        near = sum(error <= TARGET for error in errors)
        shown = (f"{statistics.median(errors):.2%}", f"{max(errors):.2%}", f"{near} of {len(rows)}")
        lines.append((name, *shown))
    inside = sum(row.inside for row in rows), sum(row.inside_unknown for row in rows)
    widths = statistics.median(row.width for row in rows)
    return markdown(("error against torch", "median", "largest", "within 5 %"), lines) + (
        f"\nInside the interval: {inside[0]} of {len(rows)} told, {inside[1]} of {len(rows)} not told"
        f" (whose median width is {widths:.1%} of the estimate).\n"
    )


if __name__ == "__main__":
    print(report())
