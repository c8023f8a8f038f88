"""Operations of a training run from what was logged of it, and held against what the architecture says.

``accelerators x seconds x peak x utilisation`` counts what the hardware could have done, and needs to know how much of
that it did. Where nobody measured it, the range that large runs have reported is taken (some are collected in
https://arxiv.org/abs/2204.02311, table 3), and the interval says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files

from hallmarked.core.errors import InputError
from hallmarked.policy.requirement import decimal
from hallmarked.profiles.compute.architecture import Architecture
from hallmarked.profiles.compute.formula import Estimate, Kernel, Recomputation, Schedule, estimate_training
from hallmarked.profiles.compute.sentence import say
from hallmarked.profiles.language import Text

USUAL = (Decimal("0.2"), Decimal("0.4"), Decimal("0.6"))
"""Utilisation where it was not measured: least, estimate, most."""
SPREAD = Decimal("0.1")
"""How far a utilisation that was stated may be off, in parts of it: it is mostly the mean of a few steps."""


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One kind of hardware."""

    name: str
    peak: Decimal
    """Operations per second that it can do at most."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a run on the same hardware."""

    accelerators: int
    hours: Decimal
    peak: Decimal
    """Operations per second of one accelerator, at most."""
    utilisation: Decimal | None = None
    """The part of its peak that it did; None when nobody measured it."""

    def __post_init__(self) -> None:
        if not 1 <= self.accelerators <= 10**9:
            raise InputError("a run uses from 1 to 1,000,000,000 accelerators")
        if not (0 < self.hours <= 10**7 and 0 < self.peak <= Decimal("1e24")):
            raise InputError("a run takes more than 0 hours, on accelerators with a peak above 0")
        if self.utilisation is not None and not 0 < self.utilisation <= 1:
            raise InputError("the utilisation of hardware lies between 0 and 1")

    @property
    def most(self) -> Decimal:
        """Operations that the hardware could have done."""
        return self.accelerators * self.hours * 3600 * self.peak

    @property
    def share(self) -> tuple[Decimal, Decimal, Decimal]:
        """The part of its peak that it did: least, estimate, most."""
        if self.utilisation is None:
            return USUAL
        spread = self.utilisation * SPREAD
        return self.utilisation - spread, self.utilisation, min(self.utilisation + spread, Decimal(1))


@cache
def accelerators() -> Mapping[str, Accelerator]:
    """Return the accelerators whose peak is known, by id."""
    table = tomllib.loads((files("hallmarked.profiles.compute") / "accelerator.toml").read_text("utf-8"))
    return {id_: Accelerator(row["name"], Decimal(row["peak"])) for id_, row in table["accelerator"].items()}


def peak_of(given: str) -> Decimal:
    """Return the peak rate of one accelerator from its id or from a number of operations per second.

    Raises:
        InputError: When it is neither.
    """
    known = accelerators().get(given.strip().lower())
    number = known.peak if known else decimal(given)
    if number is None or not 0 < number <= Decimal("1e24"):
        names = ", ".join(accelerators())
        raise InputError(
            f"{given[:60]!r} is no accelerator that is known ({names}) and no peak rate in operations per second"
        )
    return number


def estimate_from_hours(segments: tuple[Segment, ...]) -> Estimate:
    """Estimate operations from hardware and hours.

    Raises:
        InputError: When there is no segment.
    """
    if not segments:
        raise InputError("a log of hardware has at least one segment")
    low, middle, high = (sum((one.most * one.share[at] for one in segments), Decimal(0)) for at in range(3))
    assumed = []
    if any(one.utilisation is None for one in segments):
        assumed.append(say("utilisation-usual", low=str(USUAL[0]), high=str(USUAL[2])))
    if any(one.utilisation is not None for one in segments):
        assumed.append(say("utilisation-stated"))
    return Estimate(int(middle), (int(low), int(high)), (("hardware", int(middle)),), tuple(assumed))


def estimate_from_steps(
    architecture: Architecture, steps: int, tokens_per_step: int, sequence: int, **how: Kernel | Recomputation
) -> Estimate:
    """Estimate operations from the steps that were taken.

    Args:
        architecture: What was trained.
        steps: How many.
        tokens_per_step: Tokens of one step on all hardware.
        sequence: Tokens of one sequence.
        how: ``kernel`` and ``recomputation``, as in :class:`Schedule`.

    Raises:
        InputError: When a number makes no sense.
    """
    if steps < 1 or tokens_per_step < 1:
        raise InputError("a log of steps has at least one step, of at least one token")
    return estimate_training(architecture, Schedule(steps * tokens_per_step, sequence, **how))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two estimates of one run."""

    agree: bool
    """Whether their intervals meet."""
    ratio: str
    """The second as a multiple of the first, rounded."""
    reason: Text
    """What that means, in one sentence."""


def compare(planned: Estimate, logged: Estimate) -> Comparison:
    """Hold what a log says against what the architecture says.

    Args:
        planned: From the architecture.
        logged: From the log.
    """
    ratio = Decimal(logged.operations) / Decimal(planned.operations)
    shown = f"{ratio:.2f}" if Decimal("0.1") <= ratio < 1000 else f"{ratio:.2e}"
    if planned.interval[0] <= logged.interval[1] and logged.interval[0] <= planned.interval[1]:
        return Comparison(True, shown, say("agree"))
    return Comparison(False, shown, say("more" if ratio > 1 else "fewer"))
