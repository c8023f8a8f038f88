"""ONNX models: files they open, operators from elsewhere, compiled programs inside, text payloads."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources

from hallmarked.checks.serialization.contract import Reference, Seen
from hallmarked.checks.serialization.payload import find_payloads
from hallmarked.core.evidence import Finding, Gap, Level, Location, Measurement, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.onnx import Onnx, OnnxTensor, read_onnx

ONX_ADDRESS = Rule(
    "ONX001",
    Level.ERROR,
    "The model makes its reader use an address in memory",
    "Do not load this file: no exporter writes this, and a reader that follows it reads memory it should not.",
)
ONX_CUSTOM = Rule(
    "ONX002",
    Level.WARNING,
    "The model uses operators that are not part of ONNX",
    "They come from a library that has to be loaded first: find out which one, and who made it.",
)
ONX_PYTHON = Rule(
    "ONX003",
    Level.WARNING,
    "The model calls Python code of the program that loads it",
    "Ask what the code is, or export the model again without Python operators.",
)
ONX_PAYLOAD = Rule(
    "ONX004",
    Level.WARNING,
    "The description of the model contains text that looks like program code or a fetching link",
    "Nothing runs by loading the file, but code has no purpose there: ask who wrote it, or export the model again.",
)

RULES = (ONX_ADDRESS, ONX_CUSTOM, ONX_PYTHON, ONX_PAYLOAD)

_ADDRESS = "_ORT_MEM_ADDR_"
"""ONNX Runtime marks tensors of its own process with this location; in a file it points anywhere."""
_PYTHON = frozenset({"PyOp", "PythonOp", "PythonOpGrad", "PyCustomOp", "TritonOp", "PyFunc", "NumpyFunc"})
_RUNTIME = frozenset(
    {
        "com.microsoft",
        "com.microsoft.nchwc",
        "com.microsoft.dml",
        "com.microsoft.experimental",
        "com.ms.internal.nhwc",
        "org.pytorch.aten",
    }
)
"""Domains whose operators are built into ONNX Runtime."""


def examine_onnx(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine an ONNX model.

    Raises:
        FormatError: When it is broken or a tensor does not match its shape.
    """
    model = read_onnx(blob, budget)
    yield from _references(blob, model.tensors)
    yield from _operators(blob, model)
    for node in model.compiled:
        if node.embedded:
            yield Gap(f"{blob.path} holds a program compiled for a device, which is not read.", Location(blob.path))
        else:
            yield Reference(node.target, Location(blob.path))
            yield Gap(f"{blob.path} opens the compiled program {node.target[:200]!r}, which is not read.")
    for key, text in dict.fromkeys(model.texts):
        for what in dict.fromkeys((*find_payloads(text, key), *find_payloads(key))):
            message = f"The text {key[:80]!r} of {blob.path} contains {what}."
            yield Finding.of(ONX_PAYLOAD, message, Location(blob.path), key=key[:200], kind=what)
    yield Measurement("operators", str(sum(model.operators.values())), slice={"path": blob.path})


def _references(blob: Blob, tensors: list[OnnxTensor]) -> Iterator[Finding | Reference]:
    """Name each file once with the furthest range, so that a model of many tensors gives few references."""
    ranges: dict[str, tuple[int, int | None]] = {}
    for tensor in tensors:
        if tensor.location is None:
            continue
        if _ADDRESS in tensor.location:
            message = (
                f"Tensor {tensor.name[:80]!r} of {blob.path} is said to lie at the memory address {tensor.offset}."
            )
            yield Finding.of(ONX_ADDRESS, message, Location(blob.path), tensor=tensor.name[:200])
            continue
        _, end = ranges.get(tensor.location, (0, 0))
        reach = None if tensor.length is None else tensor.offset + tensor.length
        # Without a length the reader takes what follows the offset, so at least the offset must exist.
        ranges[tensor.location] = (0, max(end or 0, tensor.offset if reach is None else reach))
    for location, (_, end) in ranges.items():
        yield Reference(location, Location(blob.path), 0, end)


def _operators(blob: Blob, model: Onnx) -> Iterator[Finding | Gap]:
    python = sorted({name for _, name in model.operators if name in _PYTHON})
    if python:
        names = ", ".join(python)
        message = f"The model in {blob.path} calls Python with {names}."
        yield Finding.of(ONX_PYTHON, message, Location(blob.path), operators=names)
        yield Gap(f"What {names} in {blob.path} would do depends on more than the file.")
    foreign = sorted(f"{d}::{n}" for d, n in model.operators if n not in _PYTHON and not _is_known(d, n, model))
    if foreign:
        names = ", ".join(name[:80] for name in foreign[:8]) + (", …" if len(foreign) > 8 else "")
        message = f"The model in {blob.path} uses {len(foreign)} operators that ONNX does not have: {names}."
        yield Finding.of(ONX_CUSTOM, message, Location(blob.path), operators=",".join(foreign)[:2000])
        yield Gap(f"What {names} in {blob.path} does is not in the file.")


def _is_known(domain: str, name: str, model: Onnx) -> bool:
    standard = "." if domain in ("", "ai.onnx") else domain
    return domain in _RUNTIME or (domain, name) in model.functions or (standard, name) in standard_operators()


@cache
def standard_operators() -> frozenset[tuple[str, str]]:
    """Return (domain, name) of all operators of the standard; the default domain is a dot."""
    text = resources.files(__package__).joinpath("onnx_ops.txt").read_text("utf-8")
    pairs = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return frozenset((domain, name) for domain, name in pairs)
