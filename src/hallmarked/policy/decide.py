"""Decide: hold everything a context demands against what is stated, and say why for every single requirement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hallmarked.core.evidence import Attestation, Level, Verdict
from hallmarked.core.evidence import Outcome as Overall
from hallmarked.policy.context import Context, Demand
from hallmarked.policy.fact import Fact, Facts
from hallmarked.policy.harm import Version, in_force
from hallmarked.policy.requirement import TRUSTED, Judged, Operator, Outcome, Requirement, counts, judge
from hallmarked.records.record import Invalid
from hallmarked.records.waiver import Waiver

_WAIVERS = "record.waiver"
_PLURAL = {Level.ERROR: "errors", Level.WARNING: "warnings", Level.NOTE: "notes"}


@dataclass(frozen=True, slots=True)
class Excuse:
    """A waiver that counts, and the statement that holds it."""

    waiver: Waiver
    source: Attestation


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one requirement of a context came to."""

    judged: Judged
    """With ``waived`` in place of an outcome that somebody waived."""
    raw: Outcome
    """What it came to without regard to waivers."""
    excuse: Excuse | None = None
    """The waiver, when there is one that counts and is needed."""
    demand: Demand | None = None
    """What asks for it; None for what a context demands of every check."""

    @property
    def outcome(self) -> Outcome:
        """What it came to."""
        return self.judged.outcome

    @property
    def id(self) -> str:
        """The requirement's id."""
        return self.judged.requirement.id

    @property
    def sentence(self) -> str:
        """Which requirement it is, and why it came to that."""
        return self.judged.reason if self.demand is None else f"{self.id}: {self.judged.reason}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a context decides of the evidence at one time."""

    context: Context
    time: datetime
    rulings: tuple[Ruling, ...]
    """What every check came to, then every requirement in the order of the context."""
    harms: tuple[Version, ...] = ()
    """The definitions of harms that were in force."""
    until: datetime | None = None
    """The earliest moment at which it could change although nothing new is stated."""

    @property
    def outcome(self) -> Overall:
        """``pass`` when all is met or waived, ``fail`` when anything fails, else ``unknown``."""
        if any(ruling.outcome is Outcome.FAILS for ruling in self.rulings):
            return Overall.FAIL
        if self.rulings and all(ruling.outcome.passes for ruling in self.rulings):
            return Overall.PASS
        return Overall.UNKNOWN

    @property
    def reasons(self) -> tuple[str, ...]:
        """One sentence for each requirement that does not let it pass; what fails comes first."""
        bad = [ruling for ruling in self.rulings if not ruling.outcome.passes]
        bad.sort(key=lambda ruling: ruling.outcome is not Outcome.FAILS)
        return tuple(ruling.sentence for ruling in bad)

    @property
    def evidence(self) -> tuple[str, ...]:
        """Ids of the statements that requirements were held against, and of waivers, each once."""
        excuses = (ruling.excuse.source.id for ruling in self.rulings if ruling.excuse is not None)
        return tuple(dict.fromkeys((*(id_ for ruling in self.rulings for id_ in ruling.judged.evidence), *excuses)))

    @property
    def demanded(self) -> tuple[Ruling, ...]:
        """What the requirements came to that the context spells out."""
        return tuple(ruling for ruling in self.rulings if ruling.demand is not None)

    @property
    def verdict(self) -> Verdict:
        """The outcome with its reasons and the policy's digest."""
        return Verdict(self.outcome, self.context.name, self.reasons, {"sha256": self.context.digest})


def decide(facts: Facts, context: Context, time: datetime) -> Decision:
    """Judge everything that a context demands.

    Args:
        facts: What is stated.
        context: What is demanded.
        time: For when it is decided, UTC.
    """
    excuses = _excuses(facts, context, time)
    rulings = [_rule(_judge_check(check, context, facts, time), None, excuses) for check in _checks(context, facts)]
    rulings += [_rule(_judge_demand(demand, context, facts, time), demand, excuses) for demand in context.demands]
    changes = [version for of in context.harms.values() for version in of]
    moments = [ruling.judged.until for ruling in rulings]
    moments += [ruling.excuse.waiver.until for ruling in rulings if ruling.excuse is not None]
    moments += [moment for version in changes for moment in (version.begin, version.end)]
    coming = [moment for moment in moments if moment is not None and moment >= time]
    harms = tuple(version for version in changes if version.holds(time))
    return Decision(context, time, tuple(rulings), harms, min(coming, default=None))


def _checks(context: Context, facts: Facts) -> list[str]:
    """Return the checks that are judged: those that ran, and those that should have."""
    ran = [
        check
        for check in facts.checks()
        if check in context.required
        or any(fact.current and counts(fact.source.role, (TRUSTED,)) for fact in facts.find(f"check.{check}"))
    ]
    return [*ran, *(check for check in context.required if check not in ran)]


def _judge_check(check: str, context: Context, facts: Facts, time: datetime) -> Judged:
    """Judge what a context demands of every check: nothing at or above a level, and to have come to its end."""

    def held(part: str, value: str) -> Judged:
        asked = Requirement(f"check.{check}", f"check.{check}.{part}", Operator.EQUAL, value, by=(TRUSTED,))
        return judge(asked, facts, time)

    counted = [held(_PLURAL[level], "0") for level in reversed(Level) if level.rank >= context.fail_on.rank]
    failed = [judged for judged in counted if judged.outcome is Outcome.FAILS]
    if failed:
        count = sum(int(judged.facts[0].value) for judged in failed)
        found = f"{count} finding{'s' if count > 1 else ''} of level {context.fail_on} or higher"
        return replace(failed[0], reason=f"{check}: {found}")
    finished = held("finished", "yes")
    if context.may_be_unknown is not None and check not in context.may_be_unknown:
        counted.append(finished)
    worst = min(counted, key=lambda judged: judged.outcome.rank)
    if worst.outcome is Outcome.MET and finished.outcome is not Outcome.MET:
        return replace(worst, reason=f"{check}: not everything could be established, which this context accepts")
    return replace(worst, reason=f"{check}: {_why(worst)}")


def _why(judged: Judged) -> str:
    """Say why a check came to something, in its own words when it has some."""
    if not judged.facts:
        return "did not run"
    if judged.outcome is Outcome.MISSING:
        return str(judged.facts[0].source.statement.predicate.get("reason", "unknown"))
    return "no finding at the threshold" if judged.outcome is Outcome.MET else judged.reason


def _judge_demand(demand: Demand, context: Context, facts: Facts, time: datetime) -> Judged:
    """Judge a requirement, and what other contexts ask for under its id: the worst counts."""
    judged = [_judge_one(each, context, facts, time) for each in (demand, *demand.beside)]
    worst = min(judged, key=lambda one: one.outcome.rank)
    return replace(worst, until=min((one.until for one in judged if one.until), default=None))


def _judge_one(demand: Demand, context: Context, facts: Facts, time: datetime) -> Judged:
    if not demand.threshold:
        return judge(demand.requirement, facts, time)
    version = in_force(context.harms, demand.harm, time)
    if version is None:
        reason = f"no definition of {demand.harm} is in force on {time:%Y-%m-%d}, so that there is no threshold"
        return Judged(demand.requirement, Outcome.MISSING, reason)
    return judge(replace(demand.requirement, value=version.thresholds[demand.threshold]), facts, time)


def _rule(judged: Judged, demand: Demand | None, excuses: Sequence[Excuse]) -> Ruling:
    excuse = next((each for each in excuses if each.waiver.requirement == judged.requirement.id), None)
    if judged.outcome is Outcome.MET or excuse is None:
        return Ruling(judged, judged.outcome, None, demand)
    return Ruling(replace(judged, outcome=Outcome.WAIVED), judged.outcome, excuse, demand)


def _excuses(facts: Facts, context: Context, time: datetime) -> list[Excuse]:
    """Return the waivers that count: for this context, these bytes and this time, by somebody who may."""
    newest: dict[tuple[str, str], Excuse] = {}
    for fact in _waivers(facts.find(_WAIVERS), context):
        try:
            waiver = Waiver.of_predicate(fact.source.statement.predicate)
        except Invalid:
            continue
        if waiver.context == context.name:
            newest[fact.source.keyid, waiver.requirement] = Excuse(waiver, fact.source)
    standing = [excuse for excuse in newest.values() if excuse.waiver.stands(time)]
    return sorted(standing, key=lambda excuse: excuse.waiver.until, reverse=True)


def _waivers(found: Iterable[Fact], context: Context) -> Iterable[Fact]:
    # NOTE: with nobody in ``waived_by`` nobody counts, whereas an empty ``by`` means everybody.
    return (fact for fact in found if fact.current and fact.source.role and fact.source.role in context.waived_by)
