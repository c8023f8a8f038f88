"""What a plan comes to in numbers: operations with an interval, the peak of its hardware, and its context."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.policy.fact import Facts
from hallmarked.profiles.compute.architecture import Architecture, Stack
from hallmarked.profiles.compute.formula import Estimate, Kernel, Recomputation, Schedule, estimate_training
from hallmarked.profiles.compute.runlog import Comparison, Segment, compare, estimate_from_hours, peak_of
from hallmarked.profiles.compute.sentence import say
from hallmarked.records.result import Measured
from hallmarked.records.run_plan import Factor, Layers, RunPlan, Transformer

DIGITS = 4
"""Significant digits of projections: the rest is not known."""


@dataclass(frozen=True, slots=True)
class Projection:
    """What a plan comes to."""

    operations: Estimate | None
    """None when the plan does not say enough to tell."""
    method: str
    """``architecture``, ``hardware``, ``rule-of-thumb``, or empty."""
    hardware: Estimate | None
    """Of the hardware and the hours that are planned, where both are."""
    comparison: Comparison | None
    """The two held against each other, where both are there."""
    measurements: tuple[Measured, ...]
    """All that rules can ask for."""


def project(plan: RunPlan) -> Projection:
    """Project what a plan says.

    Raises:
        InputError: When its numbers make no sense together.
    """
    computed, method = _from_model(plan)
    hardware = _from_hardware(plan)
    comparison = compare(computed, hardware) if computed and hardware and method == "architecture" else None
    operations = computed or hardware
    if computed and hardware and comparison and not comparison.agree:
        operations = _hull(computed, hardware)
    method = method or ("hardware" if hardware else "")
    return Projection(operations, method, hardware, comparison, tuple(_measured(plan, operations, hardware)))


def facts_of(plan: RunPlan, projection: Projection, subject: Subject, time: datetime) -> Facts:
    """Return what a plan says as facts that rules are held against.

    Args:
        plan: What is planned.
        projection: What it comes to.
        subject: What its statement is about.
        time: When it is judged.
    """
    measured = [_row(one) for one in projection.measurements]
    statement = Statement((subject,), RunPlan.predicate_type(), {"measurements": measured})
    return Facts([Attestation(statement, "", time, "maker", plan.speaks)], subject)


def shorten(value: Decimal | int) -> str:
    """Write a number with as many digits as are known, as decimal text; small whole ones exactly."""
    if value == int(value) and -10_000_000 < value < 10_000_000:
        return str(int(value))
    return f"{Decimal(value):.{DIGITS - 1}e}".replace("e+", "e")


def architecture_of(given: Transformer) -> Architecture:
    """Return the architecture that a plan states.

    Raises:
        InputError: When its numbers make no sense.
    """
    return Architecture(
        given.vocabulary,
        _stack(given.encoder),
        _stack(given.decoder),
        given.tied,
        given.transform,
        given.positions,
    )


def describe_architecture(found: Architecture) -> Transformer:
    """Return an architecture as a plan states it."""
    return Transformer(
        vocabulary=found.vocabulary,
        encoder=_layers(found.encoder),
        decoder=_layers(found.decoder),
        tied=found.tied,
        transform=found.transform,
        positions=found.positions,
    )


def _stack(given: Layers | None) -> Stack | None:
    return None if given is None else Stack(**{each.name: getattr(given, each.name) for each in fields(Stack)})


def _layers(found: Stack | None) -> Layers | None:
    return None if found is None else Layers(**{each.name: getattr(found, each.name) for each in fields(Layers)})


def _from_model(plan: RunPlan) -> tuple[Estimate | None, str]:
    if not plan.tokens:
        return None, ""
    tokens = int(Decimal(plan.tokens) * Decimal(plan.epochs))
    if plan.architecture is not None:
        how = Kernel(plan.attention), Recomputation(plan.recomputation)
        schedule = Schedule(tokens, plan.sequence, plan.target, *how)
        return estimate_training(architecture_of(plan.architecture), schedule), "architecture"
    if plan.parameters:
        thumb = 6 * int(plan.parameters) * tokens
        return Estimate(
            thumb, (thumb // 2, thumb * 2), (("parameters", thumb),), (say("rule-of-thumb"),)
        ), "rule-of-thumb"
    return None, ""


def _from_hardware(plan: RunPlan) -> Estimate | None:
    given = plan.hardware
    if given is None or not given.hours:
        return None
    if given.count < 1:
        raise InputError("hardware.count is 0: a run needs at least one accelerator")
    share = Decimal(given.utilisation) if given.utilisation else None
    return estimate_from_hours((Segment(given.count, Decimal(given.hours), peak_of(given.accelerator), share),))


def _hull(one: Estimate, other: Estimate) -> Estimate:
    """Return an estimate whose interval covers both: which is right is not known."""
    low, high = min(one.interval[0], other.interval[0]), max(one.interval[1], other.interval[1])
    return Estimate(one.operations, (low, high), one.parts, (*one.assumptions, say("hull")))


def _measured(plan: RunPlan, operations: Estimate | None, hardware: Estimate | None) -> Iterator[Measured]:
    if operations is not None:
        yield _estimated("run.operations", operations)
    if hardware is not None:
        yield _estimated("run.operations_of_hardware", hardware)
    if plan.tokens:
        yield Measured(metric="run.tokens", value=str(int(Decimal(plan.tokens) * Decimal(plan.epochs))))
    parameters = architecture_of(plan.architecture).parameters if plan.architecture else int(plan.parameters or 0)
    if parameters:
        yield Measured(metric="run.parameters", value=str(parameters))
    yield Measured(metric="run.data", value=plan.data.value)
    if plan.hardware is not None:
        peak = plan.hardware.count * peak_of(plan.hardware.accelerator)
        yield Measured(metric="cluster.peak", value=format(peak, "f"), unit="operations/s")
        if plan.hardware.network:
            yield Measured(metric="cluster.network", value=plan.hardware.network, unit="Gbit/s")
        if plan.hardware.centres:
            yield Measured(metric="cluster.centres", value=str(plan.hardware.centres))
    for name in ("cbrn", "scale", "novelty"):
        factor: Factor | None = getattr(plan.factors, name, None)
        if factor is not None:
            yield Measured(metric=f"context.{name}", value="yes" if factor.answer else "no")


def _estimated(metric: str, made: Estimate) -> Measured:
    low, high = made.interval
    return Measured(metric=metric, value=str(made.operations), unit="operations", interval=(str(low), str(high)))


def _row(one: Measured) -> dict[str, object]:
    row: dict[str, object] = {"metric": one.metric, "value": one.value, "unit": one.unit}
    return row | ({"interval": list(one.interval)} if one.interval else {})
