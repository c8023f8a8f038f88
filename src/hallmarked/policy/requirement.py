"""Hold one requirement against what is stated: the one comparison that every gate, claim, scope and profile uses.

Numbers with an interval are compared by the bound on the unsafe side. An interval that lies on the wrong side wholly
fails; one that spans the threshold settles nothing. Missing evidence is never a pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from hallmarked.core.evidence import Outcome as Verdict
from hallmarked.policy.fact import Fact, Facts

WORST = "worst"
THIRD_PARTY = "third_party"
"""Stands in ``by`` for everybody who is trusted and is not the maker."""


class Operator(StrEnum):
    """How a value is compared."""

    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    IN = "in"
    PRESENT = "present"
    ABSENT = "absent"

    @property
    def orders(self) -> bool:
        """Whether it compares sizes."""
        return self in {Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST}


class Outcome(StrEnum):
    """What a requirement came to; the earlier, the more it matters."""

    FAILS = "fails"
    """Valid evidence says otherwise."""
    DISPUTED = "disputed"
    """Somebody contests the evidence, and nobody has settled it."""
    MISSING = "missing"
    """There is no evidence."""
    WRONG_ATTESTER = "wrong_attester"
    """The evidence is signed by somebody whose word does not count here."""
    STALE = "stale"
    """The evidence is too old, or about other bytes."""
    UNDERPOWERED = "underpowered"
    """Too few things were looked at to tell."""
    WAIVED = "waived"
    """Not met, and somebody who may signed that it need not be for a time."""
    MET = "met"
    """The evidence satisfies everything that is asked."""

    @property
    def rank(self) -> int:
        """Place in the order in which people should look at outcomes."""
        return list(Outcome).index(self)

    @property
    def passes(self) -> bool:
        """Whether it lets something pass."""
        return self in {Outcome.MET, Outcome.WAIVED}


@dataclass(frozen=True, slots=True)
class Requirement:
    """What is asked of the evidence."""

    id: str
    path: str
    """Under which facts are looked for, see ``fact``."""
    op: Operator
    value: str | tuple[str, ...] = ""
    """What is compared with: decimal text or a word; several for ``in``; empty for ``present`` and ``absent``."""
    slice: Mapping[str, str] | str = field(default_factory=dict)
    """The part that is meant: empty for the whole, ``worst`` for the worst of all parts that are reported."""
    min_n: int = 0
    """How many things must have been looked at."""
    max_age: timedelta | None = None
    by: tuple[str, ...] = ()
    """Roles whose statements count; empty for all."""
    check: str = ""
    """For ``absent``: the check that must have looked, and finished."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a requirement came to, and why."""

    requirement: Requirement
    outcome: Outcome
    reason: str
    """One sentence."""
    facts: tuple[Fact, ...] = ()
    """What was looked at, what decided first."""

    @property
    def evidence(self) -> tuple[str, ...]:
        """Ids of the statements that were looked at, each once."""
        return tuple(dict.fromkeys(fact.source.id for fact in self.facts))


def judge(requirement: Requirement, facts: Facts, time: datetime) -> Judged:
    """Say what a requirement comes to.

    Of what somebody stated about the bytes at hand, any valid statement that says otherwise decides; then whatever is
    most in need of being looked at. With ``worst`` the worst part decides.

    Args:
        requirement: What is asked.
        facts: What is stated.
        time: When it is judged; decides what is too old.
    """
    if requirement.op is Operator.ABSENT:
        return _judge_absent(requirement, facts, time)
    found = _parts(requirement, facts.find(requirement.path))
    if not found:
        return Judged(requirement, Outcome.MISSING, f"nothing is stated about {_named(requirement)}")
    parts = [_judge_part(requirement, part, facts, time) for part in found]
    return min(parts, key=lambda judged: judged.outcome.rank)


def _parts(requirement: Requirement, found: Sequence[Fact]) -> list[list[Fact]]:
    """Group facts by the part they speak about; only the parts that are asked for."""
    if requirement.op is Operator.PRESENT and not requirement.slice:
        return [list(found)] if found else []
    if requirement.slice == WORST:
        groups: dict[object, list[Fact]] = {}
        for fact in found:
            if fact.slice:
                groups.setdefault(fact.place, []).append(fact)
        return list(groups.values())
    assert isinstance(requirement.slice, Mapping)
    wanted = tuple(sorted(requirement.slice.items()))
    if requirement.path.startswith(("card.", "record.")):  # their slices hold more than what is asked for
        same = [fact for fact in found if requirement.slice.items() <= fact.slice.items()]
    else:
        same = [fact for fact in found if fact.place == wanted]
    return [same] if same else []


def _judge_part(requirement: Requirement, part: Sequence[Fact], facts: Facts, time: datetime) -> Judged:
    heard = [fact for fact in part if counts(fact.source.role, requirement.by)]
    if not heard:
        who = " or ".join(role.replace("_", " ") for role in requirement.by)
        reason = f"{_said(part[-1])} was stated by {_who(part[-1])}, and only the word of {who} counts here"
        return Judged(requirement, Outcome.WRONG_ATTESTER, reason, tuple(part))
    known = [fact for fact in heard if fact.current] or heard
    judged = [_judge_fact(requirement, fact, facts, time) for fact in reversed(known)]
    # Whoever contests a statement must not silence it: what is disputed does not give way to another's word.
    for decisive in (Outcome.FAILS, Outcome.DISPUTED):
        if found := [one for one in judged if one.outcome is decisive]:
            return found[0]
    return max(judged, key=lambda one: one.outcome.rank)


def _judge_fact(requirement: Requirement, fact: Fact, facts: Facts, time: datetime) -> Judged:
    def result(outcome: Outcome, reason: str) -> Judged:
        return Judged(requirement, outcome, reason, (fact,))

    dispute = facts.disputed(fact.source.id, fact.path, requirement.id)
    if dispute is not None:
        return result(Outcome.DISPUTED, f"{_said(fact)} is disputed: {dispute.reason or 'no reason is given'}")
    outcome, reason = _compare(requirement, fact)
    if not fact.current:
        return result(Outcome.STALE, f"{_said(fact)} is about other bytes than the ones here now")
    if outcome is Outcome.MET and requirement.max_age is not None and time - fact.source.time > requirement.max_age:
        days = (time - fact.source.time).days
        return result(Outcome.STALE, f"{_said(fact)} was stated {days} days ago, and may be {requirement.max_age.days}")
    return result(outcome, reason)


def _compare(requirement: Requirement, fact: Fact) -> tuple[Outcome, str]:
    """Compare a value with what is asked, whoever said it and whenever."""
    op, said = requirement.op, _said(fact)
    if requirement.min_n and (fact.n is None or fact.n < requirement.min_n):
        looked = "without saying at how many" if fact.n is None else f"at {fact.n:,}"
        return Outcome.UNDERPOWERED, f"{said} comes from looking {looked}; {requirement.min_n:,} are asked for"
    if op is Operator.PRESENT:
        return Outcome.MET, f"{said} is stated"
    if op.orders:
        return _compare_sizes(requirement, fact)
    holds = _equals(requirement, fact)
    reason = f"{said} {'satisfies' if holds else 'is not'} {op} {_asked(requirement)}"
    return (Outcome.MET if holds else Outcome.FAILS), reason


def _compare_sizes(requirement: Requirement, fact: Fact) -> tuple[Outcome, str]:
    """Compare by the bound on the unsafe side."""
    op, said, asked = requirement.op, _said(fact), f"{requirement.op} {_asked(requirement)}"
    threshold, value = decimal(_asked(requirement)), decimal(fact.value)
    if threshold is None or value is None:
        return Outcome.FAILS, f"{said} is no number that could be compared with {asked}"
    low, high = _bounds(fact, value)
    unsafe, kind = (low, high) if op in {Operator.MORE, Operator.AT_LEAST} else (high, low)
    if _holds(op, unsafe, threshold):
        return Outcome.MET, f"{said} satisfies {asked}"
    if low != high and _holds(op, kind, threshold):
        return Outcome.UNDERPOWERED, f"{said} spans {_asked(requirement)}, so that it settles nothing about {asked}"
    return Outcome.FAILS, f"{said} is not {asked}"


def _equals(requirement: Requirement, fact: Fact) -> bool:
    options = requirement.value if isinstance(requirement.value, tuple) else (requirement.value,)
    number = decimal(fact.value)
    same = fact.value in options or (number is not None and number in {decimal(option) for option in options})
    return same != (requirement.op is Operator.UNEQUAL)


def _holds(op: Operator, value: Decimal, threshold: Decimal) -> bool:
    if op is Operator.LESS:
        return value < threshold
    if op is Operator.AT_MOST:
        return value <= threshold
    return value > threshold if op is Operator.MORE else value >= threshold


def _bounds(fact: Fact, value: Decimal) -> tuple[Decimal, Decimal]:
    """Return the interval of a value; the value itself when there is none, or one that makes no sense."""
    if fact.interval is None:
        return value, value
    low, high = decimal(fact.interval[0]), decimal(fact.interval[1])
    return (low, high) if low is not None and high is not None and low <= value <= high else (value, value)


def _judge_absent(requirement: Requirement, facts: Facts, time: datetime) -> Judged:
    """Nothing must be stated, by a check that looked and came to its end."""
    found = _parts(requirement, facts.find(requirement.path))
    present = [fact for part in found for fact in part if fact.current]
    if present:
        return Judged(requirement, Outcome.FAILS, f"{_said(present[-1])} is stated", tuple(present))
    ran = Requirement(
        requirement.id,
        f"check.{requirement.check}",
        Operator.IN,
        (Verdict.PASS.value, Verdict.FAIL.value),
        max_age=requirement.max_age,
        by=requirement.by,
    )
    judged = judge(ran, facts, time)
    if judged.outcome is Outcome.MET:
        reason = f"the check {requirement.check} looked, and stated nothing about {_named(requirement)}"
        return Judged(requirement, Outcome.MET, reason, judged.facts)
    # NOTE: a check that could not finish has not shown that there is nothing.
    outcome = Outcome.MISSING if judged.outcome is Outcome.FAILS else judged.outcome
    return Judged(requirement, outcome, judged.reason, judged.facts)


def counts(role: str, by: Sequence[str]) -> bool:
    """Say whether the word of a role counts."""
    return not by or role in by or (THIRD_PARTY in by and role not in {"", "maker"})


def decimal(text: str) -> Decimal | None:
    """Read decimal text; None when it is no finite number, or one too large to compare."""
    try:
        number = Decimal(text.strip()) if len(text) <= 100 else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() and abs(number.adjusted()) < 1000 else None


def _asked(requirement: Requirement) -> str:
    return requirement.value if isinstance(requirement.value, str) else ", ".join(requirement.value)


def _named(requirement: Requirement) -> str:
    if requirement.slice == WORST:
        return f"parts of {requirement.path}"
    assert isinstance(requirement.slice, Mapping)
    part = ", ".join(f"{key} {value}" for key, value in sorted(requirement.slice.items()))
    return f"{requirement.path} for {part}" if part else requirement.path


def _said(fact: Fact) -> str:
    part = ", ".join(f"{key} {value}" for key, value in fact.place)
    bounds = f" ({fact.interval[0]} to {fact.interval[1]})" if fact.interval else ""
    return f"{fact.path}{f' for {part}' if part else ''} = {fact.value}{fact.unit and ' ' + fact.unit}{bounds}"


def _who(fact: Fact) -> str:
    source = fact.source
    return f"{source.signer or 'an unknown signer'}{f' ({source.role})' if source.role else ''}"
