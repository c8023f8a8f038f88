"""TensorFlow Lite and ExecuTorch programs: structure and bounds, operators from elsewhere, programs for backends."""

from __future__ import annotations

from collections.abc import Iterator

from hallmarked.checks.serialization.contract import Seen
from hallmarked.checks.serialization.payload import find_payloads
from hallmarked.checks.serialization.savedmodel import known_operations
from hallmarked.core.evidence import Finding, Gap, Level, Location, Measurement, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.executorch import backends, read_executorch
from hallmarked.formats.tflite import read_tflite

EXT_CUSTOM = Rule(
    "EXT001",
    Level.WARNING,
    "The program uses operators that do not belong to its runtime",
    "They come from a library that is linked in or loaded first: find out which one, and who made it.",
)
EXT_REACH = Rule(
    "EXT002",
    Level.WARNING,
    "The program calls TensorFlow operations that reach files, servers or Python",
    "Convert the model again without these operations.",
)
EXT_DELEGATE = Rule(
    "EXT003",
    Level.NOTE,
    "The program holds programs compiled for a backend",
    "They are not read here; trust them as far as you trust who compiled them.",
)
EXT_PAYLOAD = Rule(
    "EXT004",
    Level.WARNING,
    "The description of the program contains text that looks like code or a fetching link",
    "Nothing runs by loading the file, but code has no purpose there: ask who wrote it, or convert the model again.",
)

RULES = (EXT_CUSTOM, EXT_REACH, EXT_DELEGATE, EXT_PAYLOAD)

_LITE_RUNTIME = frozenset(
    (
        "TFLite_Detection_PostProcess",
        "AudioSpectrogram",
        "Mfcc",
        "NumericVerify",
        "RandomUniform",
        "RandomStandardNormal",
    )
)
"""Operators found by name that come with TensorFlow Lite."""
_FLEX = "Flex"
"""TensorFlow's own operations are called through names with this beginning."""
_NAMESPACES = frozenset({"aten", "prim", "prims", "executorch_prim", "dim_order_ops", "quantized_decomposed"})
"""Operators that come with ExecuTorch."""


def examine_tflite(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a TensorFlow Lite model.

    Raises:
        FormatError: When something points outside, or a tensor's bytes do not match its shape.
    """
    model = read_tflite(blob, budget)
    flex = {name.removeprefix(_FLEX) for name in model.custom if name.startswith(_FLEX)}
    reaching = sorted(op for op in flex if known_operations().get(op) not in ("", "checkpoint", None))
    if reaching:
        names = ", ".join(reaching)
        yield Finding.of(EXT_REACH, f"{blob.path} calls {names}.", Location(blob.path), operations=names)
        yield Gap(f"What {names} in {blob.path} would do depends on more than the file.")
    foreign = sorted(
        name
        for name in model.custom - _LITE_RUNTIME
        if not name.startswith(_FLEX) or name.removeprefix(_FLEX) not in known_operations()
    )
    yield from _foreign(blob, foreign)
    for what in find_payloads(model.description):
        yield Finding.of(
            EXT_PAYLOAD, f"The description of {blob.path} contains {what}.", Location(blob.path), kind=what
        )
    yield Measurement("operators", str(model.operators), slice={"path": blob.path})


def examine_executorch(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine an ExecuTorch program.

    Raises:
        FormatError: When something points outside or an index names nothing.
    """
    program = read_executorch(blob, budget)
    yield from _foreign(blob, sorted(op for op in program.operators if op.split("::", 1)[0] not in _NAMESPACES))
    for backend, count in backends(program):
        message = f"{blob.path} holds {count} programs for the backend {backend[:80]!r}."
        yield Finding.of(EXT_DELEGATE, message, Location(blob.path), backend=backend[:200])
        yield Gap(f"The programs for {backend[:80]!r} in {blob.path} are not read.")
    if program.external:
        yield Gap(f"{program.external} tensors of {blob.path} are in another file, which the caller names.")
    yield Measurement("operators", str(len(program.operators)), slice={"path": blob.path})


def _foreign(blob: Blob, foreign: list[str]) -> Iterator[Finding | Gap]:
    if foreign:
        names = ", ".join(name[:80] for name in foreign[:8]) + (", …" if len(foreign) > 8 else "")
        message = f"{blob.path} uses {len(foreign)} operators from elsewhere: {names}."
        yield Finding.of(EXT_CUSTOM, message, Location(blob.path), operators=",".join(foreign)[:2000])
        yield Gap(f"What {names} in {blob.path} does is not in the file.")
