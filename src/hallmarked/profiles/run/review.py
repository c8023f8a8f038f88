"""What became of planned runs: whether a plan was logged before training began, what changed since, what is due.

A pure function of statements and rule packs. Decisions that were made under earlier packs stay beside today's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from hallmarked.core.evidence import Attestation
from hallmarked.policy.fact import rows
from hallmarked.policy.requirement import decimal
from hallmarked.profiles.compute.formula import Estimate
from hallmarked.profiles.language import Text
from hallmarked.profiles.run.decide import VERIFIER, Decision, Filing, Stage, decide
from hallmarked.profiles.run.pack import NUMBERS, Pack
from hallmarked.profiles.run.project import Projection, facts_of, project
from hallmarked.profiles.run.sentence import say
from hallmarked.records.record import Signed, records
from hallmarked.records.result import Measured
from hallmarked.records.run_deviation import RunDeviation
from hallmarked.records.run_plan import RunPlan
from hallmarked.records.stage import Stage as LifeStage
from hallmarked.records.stage import Step


class Timing(StrEnum):
    """When a plan was logged, beside the first training step."""

    IN_TIME = "in-time"
    LATE = "late"
    LATE_PLAN = "late-plan"
    """After the day it plans for itself, and nobody states when training began."""
    NOT_BEGUN = "not-begun"


@dataclass(frozen=True, slots=True)
class Earlier:
    """A decision that was signed before, under the pack of then."""

    pack: str
    digest: str
    filing: str
    stage: str
    time: datetime
    source: str
    """Id of its statement."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """Something that is due."""

    due: datetime
    text: Text
    overdue: bool


@dataclass(frozen=True, slots=True)
class Review:
    """Where one planned run stands."""

    plan: Signed[RunPlan]
    timing: Timing
    began: datetime | None
    """When the first training step was, or is planned."""
    deviations: tuple[Signed[RunDeviation], ...]
    projection: Projection
    """As it was planned."""
    now: Projection
    """As far as it is known by now: what deviations state takes the place of what was planned."""
    decisions: tuple[Decision, ...]
    """Under the packs at hand, for what is known of the run now."""
    earlier: tuple[Earlier, ...]
    changed: tuple[str, ...]
    """Packs whose verdict is another one than the newest that was signed under that name."""
    reminders: tuple[Reminder, ...]

    @property
    def timing_text(self) -> Text:
        """When it was logged, as a sentence."""
        began = f"{self.began:%Y-%m-%d %H:%M} UTC" if self.began else ""
        return say(self.timing.value, logged=f"{self.plan.source.time:%Y-%m-%d %H:%M} UTC", began=began)

    @property
    def is_late(self) -> bool:
        """Whether it was logged after the first step."""
        return self.timing in {Timing.LATE, Timing.LATE_PLAN}


def review(attestations: Sequence[Attestation], packs: Sequence[Pack], now: datetime) -> tuple[Review, ...]:
    """Say where every planned run among statements stands, oldest plan first.

    Args:
        attestations: Statements with who signed them and when.
        packs: Rules to hold the plans against.
        now: When it is asked.

    Raises:
        InputError: When a plan's numbers make no sense together.
    """
    once: dict[str, Attestation] = {}
    for one in sorted(attestations, key=lambda each: each.time):
        once.setdefault(one.id, one)  # what was logged again was known since the first time
    attestations = tuple(once.values())
    deviations = records(RunDeviation, attestations)
    return tuple(
        _review(plan, [one for one in deviations if one.record.plan == plan.source.id], attestations, packs, now)
        for plan in records(RunPlan, attestations)
    )


def _review(
    plan: Signed[RunPlan],
    deviations: Sequence[Signed[RunDeviation]],
    attestations: Sequence[Attestation],
    packs: Sequence[Pack],
    now: datetime,
) -> Review:
    # Only whoever filed speaks for the run, or somebody who is trusted: strangers do not make a plan late.
    heard = [one for one in deviations if one.source.keyid == plan.source.keyid or one.source.role]
    stages = [
        one for one in records(LifeStage, attestations) if one.source.keyid == plan.source.keyid or one.source.role
    ]
    timing, began = _timing(plan, heard, stages)
    subject = plan.source.statement.subjects[0]
    projection = project(plan.record)
    known = _now(projection, heard)
    facts = facts_of(plan.record, known, subject, now)
    answered = replace(plan.record, further=_answers(plan.record, heard))
    decisions = tuple(decide(answered, facts, pack, now) for pack in packs)
    earlier = tuple(_earlier(plan.source.id, attestations))
    last = {one.pack: one.filing for one in earlier}
    changed = tuple(one.pack.id for one in decisions if last.get(one.pack.id, one.filing) != one.filing)
    due = tuple(
        sorted(remind(plan.record, decisions, now, filed=plan.source.time, deviations=heard), key=lambda r: r.due)
    )
    return Review(plan, timing, began, tuple(heard), projection, known, decisions, earlier, changed, tuple(due))


def _timing(
    plan: Signed[RunPlan], deviations: Sequence[Signed[RunDeviation]], stages: Sequence[Signed[LifeStage]]
) -> tuple[Timing, datetime | None]:
    logged, stated = plan.source.time, [one.record.began for one in deviations if one.record.began is not None]
    subject = plan.source.statement.subjects[0].digest
    # A model that was trained by this plan names the plan among what went in.
    stated += [
        one.record.since or one.record.time
        for one in stages
        if one.record.stage is Step.TRAINED and any(each.digest == subject for each in one.record.materials)
    ]
    if stated:
        first = min(stated)  # NOTE: a later statement cannot move the first step to a later day
        return (Timing.LATE if logged > first else Timing.IN_TIME), first
    if logged > plan.record.start:
        return Timing.LATE_PLAN, plan.record.start
    return Timing.NOT_BEGUN, None


def _now(projection: Projection, deviations: Sequence[Signed[RunDeviation]]) -> Projection:
    """Return what is known of the run now: what deviations measured takes the place of what was projected."""
    held = {one.metric: one for one in projection.measurements}
    for deviation in sorted(deviations, key=lambda one: one.source.time):
        held |= {one.metric: one for one in deviation.record.measurements if _is_sound(one)}
    counted, operations = held.get("run.operations"), projection.operations
    if counted is not None and counted not in projection.measurements:
        low, high = counted.interval or (counted.value, counted.value)
        operations = Estimate(_whole(counted.value), (_whole(low), _whole(high)), ())
    return replace(projection, operations=operations, measurements=tuple(held.values()))


def _is_sound(one: Measured) -> bool:
    """Say whether a measurement says what it should: nonsense must not clear a run."""
    if one.metric not in NUMBERS:
        return True
    numbers = [decimal(text) for text in (one.value, *one.interval)]
    return all(number is not None and number >= 0 for number in numbers)


def _whole(text: str) -> int:
    """Return a sound number as a whole one."""
    return int(decimal(text) or 0)


def _answers(plan: RunPlan, deviations: Sequence[Signed[RunDeviation]]) -> Mapping[str, str]:
    """Return the answers to the questions of stage two, those that were given later with them."""
    prefix, answers = "further.", dict(plan.further)
    for one in sorted(deviations, key=lambda each: each.source.time):
        changed = [change for change in one.record.changes if change.field.startswith(prefix)]
        answers |= {change.field.removeprefix(prefix): change.now for change in changed}
    return answers


def _earlier(plan: str, attestations: Sequence[Attestation]) -> Iterator[Earlier]:
    for one in sorted(attestations, key=lambda each: each.time):
        predicate = one.statement.predicate
        verifier = predicate.get("verifier")
        if not isinstance(verifier, Mapping) or verifier.get("id") != VERIFIER:
            continue
        if plan not in {_id(row) for row in rows(predicate.get("inputAttestations"))}:
            continue
        for row in rows(predicate.get("decisions")):
            name, filing, stage = (str(row.get(key, "")) for key in ("name", "outcome", "stage"))
            yield Earlier(name, _id(row).removeprefix("sha256:"), filing, stage, one.time, one.id)


def _id(row: Mapping[str, Any]) -> str:
    digest = row.get("digest")
    return f"sha256:{digest.get('sha256', '')}" if isinstance(digest, Mapping) else ""


def remind(
    plan: RunPlan,
    decisions: Sequence[Decision],
    now: datetime,
    *,
    filed: datetime | None = None,
    deviations: Sequence[Signed[RunDeviation]] = (),
) -> Iterator[Reminder]:
    """Yield what is due, and from whom. Nobody is reminded of a run that no pack covers.

    Args:
        plan: What is planned.
        decisions: What it comes to.
        now: When it is asked.
        filed: When the plan was logged; None when it was not.
        deviations: What was stated since.
    """
    who, covered = plan.speaks, [one for one in decisions if one.filing is not Filing.NOTHING]
    for one in covered:
        if filed is None:
            day = f"{plan.start:%Y-%m-%d}"
            yield Reminder(plan.start, say("remind-file", who=who, pack=one.pack.title, day=day), now > plan.start)
        if one.stage is Stage.INCOMPLETE:
            missing = say("remind-factors", who=who, missing=", ".join(one.missing))
            yield Reminder(plan.start, missing, now > plan.start)
        if one.questions:
            asked = say("remind-questions", who=who, questions=", ".join(one.questions))
            yield Reminder(plan.start, asked, now > plan.start)
    if not covered or filed is None:
        return
    if now >= plan.start and not any(one.record.began for one in deviations):
        yield Reminder(plan.start, say("remind-began", who=who, day=f"{plan.start:%Y-%m-%d}"), True)
    if plan.end is not None and now >= plan.end and not any(one.record.ended for one in deviations):
        yield Reminder(plan.end, say("remind-ended", who=who, day=f"{plan.end:%Y-%m-%d}"), True)


def shares(plan: RunPlan) -> Mapping[str, Decimal]:
    """Return the part of the run that is each filer's."""
    return {filer.name: Decimal(filer.share) for filer in plan.filers}
