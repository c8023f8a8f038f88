"""Hold one requirement against what is stated: the one comparison that every gate, claim, scope and profile uses.

Numbers with an interval are compared by the bound on the unsafe side. An interval that lies on the wrong side wholly
fails; one that spans the threshold settles nothing. Missing evidence is never a pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from hallmarked.core.text import name_part
from hallmarked.ledger.verify import CLOCK_SKEW
from hallmarked.policy.fact import UNKNOWN, Fact, Facts

WORST = "worst"
THIRD_PARTY = "third_party"
"""Stands in ``by`` for everybody who is trusted and is not the maker."""
TRUSTED = "trusted"
"""Stands in ``by`` for everybody who is trusted."""
_LOOKING = frozenset({"hub", "auditor"})
"""Roles whose look at something nobody else's makes up for."""
_CALLED = {THIRD_PARTY: "somebody other than the maker", TRUSTED: "somebody who is trusted"}


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

    def say(self, value: str = "") -> str:
        """Say in words what is asked of something, to stand behind “is”: ``at least 0.90``."""
        return _OPERATORS[self].format(value)


_OPERATORS = {
    Operator.EQUAL: "{}",
    Operator.UNEQUAL: "other than {}",
    Operator.LESS: "less than {}",
    Operator.AT_MOST: "at most {}",
    Operator.MORE: "more than {}",
    Operator.AT_LEAST: "at least {}",
    Operator.IN: "one of {}",
    Operator.PRESENT: "stated",
    Operator.ABSENT: "not found",
}
_PLACES = frozenset({"line", "path", "source", "text", "written"})
"""Members of a slice that tell where something was read, and not what it is about."""


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
    until: datetime | None = None
    """The earliest moment at which it could come to something else although nothing new is stated."""

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
    # A part that only strangers speak of is none, where there are others: nobody unknown holds anything up.
    known = [part for part in found if any(fact.source.role or counts("", requirement.by) for fact in part)]
    parts = [_judge_part(requirement, part, facts, time) for part in known or found]
    decisive = min(parts, key=lambda judged: (judged.outcome.rank, _merit(judged)))
    return replace(decisive, until=min((part.until for part in parts if part.until), default=None))


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
        who = " or ".join(_CALLED.get(role, role) for role in requirement.by)
        reason = f"{_said(requirement, part[-1])}, stated by {_who(part[-1])}; only the word of {who} counts here"
        return Judged(requirement, Outcome.WRONG_ATTESTER, reason, tuple(part))
    known = [fact for fact in heard if fact.current] or heard
    judged = [_judge_fact(requirement, fact, facts, time) for fact in reversed(known)]
    # Whoever contests a statement must not silence it: what is disputed does not give way to another's word.
    for decisive in (Outcome.FAILS, Outcome.DISPUTED):
        if found := [one for one in judged if one.outcome is decisive]:
            return found[0]
    best = max(judged, key=lambda one: one.outcome.rank)
    if best.outcome is Outcome.MET:
        if requirement.path.startswith("check.") and (unseen := _unseen(judged)):
            return unseen
        # What says otherwise but is too little to fail it is still no agreement: nobody's weak doubt makes a pass.
        doubts = (one for one in judged if one.outcome is Outcome.UNDERPOWERED and not _agrees(requirement, one.facts))
        return next(doubts, best)
    return best


def _unseen(judged: Sequence[Judged]) -> Judged | None:
    """Return what a hub or an auditor could not see wholly, unless one of them could: a maker does not make up for it.

    What is stated here just now, by nobody's key yet, is what whoever asks has seen for themselves.
    """
    heavy = [one for one in judged if one.facts[0].source.role in _LOOKING or not one.facts[0].source.keyid]
    seen = any(one.outcome is Outcome.MET for one in heavy)
    return None if seen else next((one for one in heavy if one.outcome is Outcome.MISSING), None)


def _judge_fact(requirement: Requirement, fact: Fact, facts: Facts, time: datetime) -> Judged:
    def result(outcome: Outcome, reason: str, until: datetime | None = None) -> Judged:
        return Judged(requirement, outcome, reason, (fact,), until)

    said = _said(requirement, fact)
    dispute = facts.disputed(fact.source.id, fact.path, requirement.id)
    if dispute is not None:
        return result(Outcome.DISPUTED, f"{said}, which is disputed: {dispute.reason or 'no reason is given'}")
    outcome, reason = _compare(requirement, fact)
    if not fact.current:
        return result(Outcome.STALE, f"{said}, but that is about other bytes than the ones here now")
    if fact.source.time > time + CLOCK_SKEW:
        return result(Outcome.STALE, f"{said}, but with a date later than the moment that is judged")
    if outcome is not Outcome.MET or requirement.max_age is None:
        return result(outcome, reason)
    if time - fact.source.time > requirement.max_age:
        age, most = (_length(length) for length in (time - fact.source.time, requirement.max_age))
        return result(Outcome.STALE, f"{said}, but that was stated {age} ago, and may be {most} old")
    return result(outcome, reason, _after(fact.source.time, requirement.max_age))


def _after(time: datetime, length: timedelta) -> datetime | None:
    """Return a moment later by some length; None when no calendar reaches so far."""
    try:
        return time + length
    except OverflowError:
        return None


def _length(length: timedelta) -> str:
    """Write a length of time for people."""
    count, word = (length.days, "day") if length.days else (int(length.total_seconds() // 3600), "hour")
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _agrees(requirement: Requirement, facts: Sequence[Fact]) -> bool:
    """Say whether the values themselves are as asked, however few things were looked at."""
    bare = replace(requirement, min_n=0)
    return all(_compare(bare, replace(fact, interval=None))[0] is Outcome.MET for fact in facts)


def _compare(requirement: Requirement, fact: Fact) -> tuple[Outcome, str]:
    """Compare a value with what is asked, whoever said it and whenever."""
    op, said = requirement.op, _said(requirement, fact)
    if fact.value == UNKNOWN and fact.path.startswith("check."):
        return Outcome.MISSING, f"the check {fact.path.split('.')[1]} did not finish, or could not see everything"
    if requirement.min_n and (fact.n is None or fact.n < requirement.min_n):
        looked = "nobody says how many" if fact.n is None else f"only {fact.n:,}"
        return Outcome.UNDERPOWERED, f"{said}, but {looked} were looked at; {requirement.min_n:,} are asked for"
    if op is Operator.PRESENT:
        return Outcome.MET, said
    if op.orders:
        return _compare_sizes(requirement, fact)
    holds = _equals(requirement, fact)
    return (Outcome.MET, _met(requirement, said)) if holds else (Outcome.FAILS, _failed(requirement, said))


def _compare_sizes(requirement: Requirement, fact: Fact) -> tuple[Outcome, str]:
    """Compare by the bound on the unsafe side."""
    op, said = requirement.op, _said(requirement, fact)
    threshold, value = decimal(_asked(requirement)), decimal(fact.value)
    if threshold is None or value is None:
        return Outcome.FAILS, f"{said}, which is no number that could be compared with {_asked(requirement)}"
    low, high = _bounds(fact, value)
    unsafe, kind = (low, high) if op in {Operator.MORE, Operator.AT_LEAST} else (high, low)
    if _holds(op, unsafe, threshold):
        return Outcome.MET, _met(requirement, said)
    if low != high and _holds(op, kind, threshold):
        return Outcome.UNDERPOWERED, f"{said}; {_asked(requirement)} lies within that interval, so that nobody can tell"
    return Outcome.FAILS, _failed(requirement, said)


def _merit(judged: Judged) -> Decimal:
    """Return how good the value that decided is, by its bound on the unsafe side: of parts alike the worst is named."""
    op, fact = judged.requirement.op, judged.facts[0] if judged.facts else None
    value = decimal(fact.value) if fact is not None and op.orders else None
    if fact is None or value is None:
        return Decimal(0)
    low, high = _bounds(fact, value)
    return low if op in {Operator.MORE, Operator.AT_LEAST} else -high


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
    # Whose word is not asked for may still give something away, but not who nobody knows.
    known = [fact for part in found for fact in part if fact.source.role or counts("", requirement.by)]
    present = [fact for fact in known if fact.current]
    if present:
        return Judged(requirement, Outcome.FAILS, f"{_said(requirement, present[-1])}, and none may be", tuple(present))
    ran = Requirement(
        requirement.id,
        f"check.{requirement.check}.finished",
        Operator.EQUAL,
        "yes",
        max_age=requirement.max_age,
        by=requirement.by,
    )
    judged = judge(ran, facts, time)
    if judged.outcome is Outcome.MET:
        reason = f"the check {requirement.check} looked, and stated nothing about {_named(requirement)}"
        return Judged(requirement, Outcome.MET, reason, judged.facts, judged.until)
    # NOTE: a check that could not finish has not shown that there is nothing.
    return Judged(requirement, judged.outcome, judged.reason, judged.facts, judged.until)


def counts(role: str, by: Sequence[str]) -> bool:
    """Say whether the word of a role counts."""
    if not by or role in by:
        return True
    return bool(role) and (TRUSTED in by or (THIRD_PARTY in by and role != "maker"))


def decimal(text: str) -> Decimal | None:
    """Read decimal text; None when it is no finite number, or one too large to compare."""
    try:
        number = Decimal(text.strip()) if len(text) <= 100 and text.isascii() and "_" not in text else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() and abs(number.adjusted()) < 1000 else None


def _asked(requirement: Requirement) -> str:
    return requirement.value if isinstance(requirement.value, str) else ", ".join(requirement.value)


def _named(requirement: Requirement) -> str:
    if requirement.slice == WORST:
        return f"parts of {requirement.path}"
    assert isinstance(requirement.slice, Mapping)
    part = name_part(requirement.slice)
    return f"{requirement.path} for {part}" if part else requirement.path


def _met(requirement: Requirement, said: str) -> str:
    if requirement.op is Operator.EQUAL:
        return f"{said}, as asked"
    return f"{said}, and {requirement.op.say(_asked(requirement))} is asked for"


def _failed(requirement: Requirement, said: str) -> str:
    return f"{said}, but {requirement.op.say(_asked(requirement))} is asked for"


def _said(requirement: Requirement, fact: Fact) -> str:
    """Say what somebody stated, without where they read it, unless parts are told apart by that."""
    part = ", ".join(f"{key} {value}" for key, value in fact.place if _tells(requirement, fact, key))
    bounds = f" ({fact.interval[0]} to {fact.interval[1]})" if fact.interval else ""
    named = f"{fact.path}{f' for {part}' if part else ''}"
    if fact.path.startswith("record."):  # its value says only that there is one
        return f"{named} is stated"
    return f"{named} is {fact.value}{fact.unit and ' ' + fact.unit}{bounds}"


def _tells(requirement: Requirement, fact: Fact, member: str) -> bool:
    if requirement.slice == WORST or member in requirement.slice:
        return True
    return member not in _PLACES and not fact.path.startswith("record.")  # all texts of a record are its slice


def _who(fact: Fact) -> str:
    source = fact.source
    return f"{source.signer or 'an unknown signer'}{f' ({source.role})' if source.role else ''}"
