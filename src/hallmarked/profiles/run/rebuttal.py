"""Compare again what a rebuttal compares, from the statements it cites and from nothing else.

Values with intervals are compared by the bounds that speak against the argument: ours at its worse end with theirs at
its better one. A statement that is not at hand is named, and its comparison settles nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hallmarked.core.evidence import Attestation
from hallmarked.policy.fact import Fact, Facts
from hallmarked.policy.requirement import Operator, Outcome, Requirement, decimal, judge
from hallmarked.profiles.language import Text
from hallmarked.profiles.run.sentence import say
from hallmarked.records.run_rebuttal import Comparison, RunRebuttal


class Standing(StrEnum):
    """What a comparison, or a rebuttal, comes to."""

    FAILS = "fails"
    """The evidence says otherwise."""
    MISSING = "missing"
    """Cited evidence is not at hand, or says nothing of it."""
    UNSETTLED = "unsettled"
    """The evidence is too weak to tell."""
    HOLDS = "holds"


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison, made again."""

    comparison: Comparison
    standing: Standing
    reason: Text
    """One sentence."""
    ours: str = ""
    """What was measured of this model; empty when it is not at hand."""
    theirs: str = ""
    independent: bool = False
    """Whether somebody trusted who is not the maker measured ours."""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A rebuttal, made again."""

    standing: Standing
    compared: tuple[Compared, ...]
    missing: tuple[str, ...]
    """Ids of statements that are cited and not at hand."""


def recompute(rebuttal: RunRebuttal, attestations: Sequence[Attestation], time: datetime) -> Recomputed:
    """Compare again all that a rebuttal compares.

    Args:
        rebuttal: The argument.
        attestations: Statements at hand.
        time: When it is asked.
    """
    held = {one.id: one for one in attestations}
    compared = tuple(_compare(one, held, time) for one in rebuttal.comparisons)
    cited = dict.fromkeys(id_ for one in rebuttal.comparisons for id_ in (one.ours, one.theirs))
    order = list(Standing)
    worst = min((one.standing for one in compared), key=order.index, default=Standing.MISSING)
    return Recomputed(worst, compared, tuple(id_ for id_ in cited if id_ not in held))


def _compare(one: Comparison, held: dict[str, Attestation], time: datetime) -> Compared:
    ours, theirs = held.get(one.ours), held.get(one.theirs)
    if ours is None or theirs is None:
        cited = one.ours if ours is None else one.theirs
        whose: Text | str = say("this-model") if ours is None else one.other
        return Compared(one, Standing.MISSING, say("not-at-hand", id=f"{cited[:23]}…", whose=whose))
    if not any(subject.name == one.other for subject in theirs.statement.subjects):
        names = ", ".join(subject.name for subject in theirs.statement.subjects)[:100]
        reason = say("about-another", other=one.other, names=names or say("about-no-name"))
        return Compared(one, Standing.MISSING, reason)
    if _digests(ours) & _digests(theirs):
        return Compared(one, Standing.MISSING, say("about-this", other=one.other))
    found, beside = _fact(one, ours), _fact(one, theirs)
    if found is None or beside is None:
        silent: Text | str = say("this-model") if found is None else one.other
        return Compared(one, Standing.MISSING, say("says-nothing", whose=silent, metric=one.metric))
    return _judge(one, ours, found, beside, time)


def _judge(one: Comparison, ours: Attestation, found: Fact, beside: Fact, time: datetime) -> Compared:
    shown = _shown(found), _shown(beside)
    independent = ours.role not in {"", "maker"}
    bound = _bound(beside, one.relation)
    if bound is None:
        return Compared(
            one, Standing.UNSETTLED, say("no-number", metric=one.metric, other=one.other), *shown, independent
        )
    if one.least and (beside.n is None or beside.n < one.least):
        reason = say("few-examples", metric=one.metric, other=one.other, least=f"{one.least:,}")
        return Compared(one, Standing.UNSETTLED, reason, *shown, independent)
    asked = Requirement(one.metric, one.metric, Operator(one.relation), bound, one.slice, one.least)
    judged = judge(asked, Facts([ours]), time)
    standing = {Outcome.MET: Standing.HOLDS, Outcome.FAILS: Standing.FAILS}.get(judged.outcome, Standing.UNSETTLED)
    if standing is Standing.FAILS and beside.interval is not None:
        kind = Requirement(
            one.metric, one.metric, Operator(one.relation), _other_bound(beside, one.relation), one.slice
        )
        # What only the other's interval speaks against is not refuted.
        if judge(kind, Facts([ours]), time).outcome is not Outcome.FAILS:
            standing = Standing.UNSETTLED
    said = {"metric": one.metric, "relation": one.relation, "ours": shown[0], "theirs": shown[1], "other": one.other}
    reason = say(f"compared-{standing.value}", **said)
    return Compared(one, standing, reason, *shown, independent)


def _fact(one: Comparison, source: Attestation) -> Fact | None:
    wanted = tuple(sorted(one.slice.items()))
    return next((fact for fact in Facts([source]).find(one.metric) if fact.place == wanted), None)


def _bound(fact: Fact, relation: str) -> str | None:
    """Return the end of the other's interval that speaks against the argument."""
    if decimal(fact.value) is None:
        return None
    if fact.interval is None:
        return fact.value
    return fact.interval[0] if relation.startswith("<") else fact.interval[1]


def _other_bound(fact: Fact, relation: str) -> str:
    assert fact.interval is not None
    return fact.interval[1] if relation.startswith("<") else fact.interval[0]


def _shown(fact: Fact) -> str:
    bounds = f" ({fact.interval[0]} to {fact.interval[1]})" if fact.interval else ""
    return f"{fact.value}{bounds}{f', n = {fact.n:,}' if fact.n is not None else ''}"


def _digests(source: Attestation) -> set[tuple[str, str]]:
    return {pair for subject in source.statement.subjects for pair in subject.digest.items()}
