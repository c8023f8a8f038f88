"""Hold what is claimed against what is stated, by the one evaluator of requirements, and say how it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from hallmarked.cards.known import Known
from hallmarked.cards.status import Standing, Status, worst_first
from hallmarked.core.text import name_part
from hallmarked.policy.fact import Fact, check_of
from hallmarked.policy.known import is_evaluated
from hallmarked.policy.requirement import THIRD_PARTY, Judged, Outcome, Requirement, judge

STATUS: Mapping[Outcome, Status] = {
    Outcome.MET: Status.SUPPORTED,
    Outcome.FAILS: Status.CONTRADICTED,
    Outcome.STALE: Status.STALE,
    Outcome.DISPUTED: Status.DISPUTED,
    Outcome.MISSING: Status.SELF_ASSERTED,
    Outcome.WRONG_ATTESTER: Status.SELF_ASSERTED,
    Outcome.UNDERPOWERED: Status.UNKNOWN,
}
"""What the outcome of a requirement means for whoever claims that it is met."""
UNKNOWN_SIGNER = "nobody who is known here signed that"


def hold(requirement: Requirement, known: Known, time: datetime, *names: str) -> tuple[tuple[Standing, ...], Judged]:
    """Say how a claim stands that a requirement is met.

    Args:
        requirement: What is claimed.
        known: What is stated.
        time: When it is judged.
        names: How a withdrawal may name the claim, beside its id and path.

    Returns:
        Every way in which it stands, the worst first, and what the evaluator came to.
    """
    judged = _judge(requirement, known, time)
    standings = worst_first(
        (
            Standing(STATUS[judged.outcome], judged.reason),
            *_contested(requirement, judged, known, time),
            *_old(judged, known),
            *withdrawn(known, requirement.id, requirement.path, *names),
        )
    )
    return standings, judged


def _judge(requirement: Requirement, known: Known, time: datetime) -> Judged:
    judged = judge(requirement, known.facts, time)
    if judged.outcome is not Outcome.MET or not is_own_word(judged):
        return judged
    # Whoever makes a thing cannot bear out what they say of it; somebody else may have stated the same.
    others = judge(replace(requirement, by=(THIRD_PARTY,)), known.facts, time)
    return others if others.outcome is Outcome.MET else _only_said(judged)


def _only_said(judged: Judged) -> Judged:
    known = any(fact.source.role for fact in judged.facts)
    reason = f"{judged.reason}, and {'nobody but its maker says so' if known else UNKNOWN_SIGNER}"
    return replace(judged, outcome=Outcome.WRONG_ATTESTER, reason=reason)


def is_own_word(judged: Judged) -> bool:
    """Say whether all that decided is the word of nobody known, or of the maker and no check that anyone can repeat.

    A statement may call itself a check, but no check comes to what evaluations measure.
    """
    return all(not fact.source.role or _is_maker_only(fact) for fact in judged.facts)


def _is_maker_only(fact: Fact) -> bool:
    return fact.source.role == "maker" and (not check_of(fact.source.statement) or is_evaluated(fact.path))


def _contested(requirement: Requirement, judged: Judged, known: Known, time: datetime) -> Iterator[Standing]:
    """Whoever contests a statement must not hide what it says: both are shown."""
    if judged.outcome is Outcome.DISPUTED:
        raw = judge(requirement, known.undisputed, time)
        if raw.outcome is Outcome.FAILS:
            yield Standing(STATUS[raw.outcome], raw.reason)
    elif judged.outcome is Outcome.FAILS:
        for fact in known.facts.find(requirement.path):
            dispute = known.facts.disputed(fact.source.id, fact.path, requirement.id)
            if dispute is not None:
                why = dispute.reason or "no reason is given"
                yield Standing(Status.DISPUTED, f"some of the evidence is disputed: {why}")
                return


def _old(judged: Judged, known: Known) -> Iterator[Standing]:
    if judged.outcome in {Outcome.MET, Outcome.FAILS, Outcome.UNDERPOWERED}:
        for fact in judged.facts:
            if reason := known.superseded(fact.source):
                yield Standing(Status.STALE, reason)
                return


def withdrawn(known: Known, *names: str) -> Iterator[Standing]:
    """Say that the owner took a claim back, when it was."""
    for name in names:
        if fact := known.withdrawals.get(name):
            reason = fact.slice.get("reason", "")
            who = fact.slice.get("by") or fact.source.signer or "its owner"
            yield Standing(Status.WITHDRAWN, f"{who} took it back{f': {reason}' if reason else ''}")
            return


def sentence(requirement: Requirement) -> str:
    """Write a requirement as a plain sentence, for claims whose author gave none."""
    value = requirement.value if isinstance(requirement.value, str) else ", ".join(requirement.value)
    if isinstance(requirement.slice, str):
        part = " for the worst part"
    else:
        part = name_part(requirement.slice)
        part = f" for {part}" if part else ""
    return f"{requirement.path}{part} is {requirement.op.say(value)}."
