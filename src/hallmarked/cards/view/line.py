"""Claims as a reader sees them: what is claimed, how it stands, how we know, and where to check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hallmarked.cards.document.declared import Declared, DeclaredClaim
from hallmarked.cards.document.placeholder import Placeholder
from hallmarked.cards.language import SOURCE, primary
from hallmarked.cards.status import Status
from hallmarked.policy.fact import Fact, Facts
from hallmarked.policy.requirement import Judged, Operator, Outcome, Requirement, judge

MOST_PROOFS = 20
"""Statements named beside a claim; the evidence has all."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One value that somebody stated, and where to check it."""

    path: str
    """What was stated, such as ``eval.recall``."""
    value: str
    """The value, with its unit."""
    interval: tuple[str, str] | None
    """95 % interval, as decimal text."""
    n: int | None
    """How many things were looked at."""
    part: str
    """The part it speaks about; empty for the whole."""
    statement: str
    """Id of the statement: ``sha256:…``."""
    signer: str
    """Who signed it; empty when nobody we know did."""
    role: str
    """As what they are trusted; empty when they are not."""
    time: datetime
    """When the log took it in."""
    current: bool
    """Whether it is about exactly the bytes of this revision."""

    @property
    def figure(self) -> str:
        """The value with everything that a number must not stand without."""
        bounds = f" ({self.interval[0]} to {self.interval[1]})" if self.interval else ""
        count = f", n = {self.n:,}" if self.n is not None else ""
        part = f", {self.part}" if self.part else ""
        return f"{self.value}{bounds}{count}{part}"


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """A claim and how it stands."""

    id: str
    """Names it on the page; unique there."""
    text: str
    """What is claimed, as a sentence."""
    language: str
    """Language tag of that sentence."""
    status: Status
    others: tuple[Status, ...]
    """What else holds of it."""
    reason: str
    """How we know, or why we do not."""
    proofs: tuple[Proof, ...]
    """What was looked at, what decided first."""
    hidden: int = 0
    """How many more statements were looked at."""
    asked: str = ""
    """What the evidence is held against, such as ``>= 0.90``; empty when the card only shows a value."""
    line: int = 0
    """Line of the card that makes it; 0 when none does."""

    @property
    def value(self) -> str:
        """The value that decided, with interval, n and part; empty when nothing was stated."""
        return self.proofs[0].figure if self.proofs else ""


def declared_lines(declared: Declared, facts: Facts, time: datetime, language: str = SOURCE) -> tuple[ClaimLine, ...]:
    """Hold the claims that a card declares against what is stated, those to look at first in front.

    Args:
        declared: What the card declares.
        facts: What is stated.
        time: When it is shown; decides what is stale.
        language: The language claims are shown in where they have words in it.
    """
    made = [_declared_line(claim, facts, time, language) for claim in declared.claims]
    return tuple(sorted(made, key=lambda line: line.status.rank))


def stated_line(place: Placeholder, facts: Facts, time: datetime) -> ClaimLine:
    """Show what is stated under a path that the card makes no claim about; never a number without its status."""
    requirement = Requirement(place.name, place.name, Operator.PRESENT, slice=place.slice)
    return _line(f"place-{place.start}", place.name, SOURCE, judge(requirement, facts, time), "", 0)


def _declared_line(claim: DeclaredClaim, facts: Facts, time: datetime, language: str) -> ClaimLine:
    text, spoken = _text(claim, language)
    requirement = Requirement(
        claim.id,
        claim.path,
        Operator(claim.op),
        claim.value,
        claim.slice,
        claim.min_n,
        claim.max_age,
        claim.by,
        claim.check,
    )
    value = ", ".join(claim.value) if isinstance(claim.value, tuple) else claim.value
    return _line(claim.id, text, spoken, judge(requirement, facts, time), f"{claim.op} {value}".strip(), claim.line)


def _text(claim: DeclaredClaim, language: str) -> tuple[str, str]:
    """Return the words of a claim in a language, or the nearest there are; what it compares when there are none."""
    for wanted in (language, primary(language), SOURCE):
        if wanted in claim.text:
            return claim.text[wanted], wanted
    for tag, text in claim.text.items():
        return text, tag
    value = ", ".join(claim.value) if isinstance(claim.value, tuple) else claim.value
    part = "worst part" if isinstance(claim.slice, str) and claim.slice else _part(dict(claim.slice or {}))
    return " ".join(filter(None, [claim.path, f"({part})" if part else "", claim.op, value])), SOURCE


def _line(name: str, text: str, language: str, judged: Judged, asked: str, line: int) -> ClaimLine:
    status = _status(judged)
    reason = begin(judged.reason)
    shown = tuple(map(_proof, judged.facts[:MOST_PROOFS]))
    hidden = len(judged.facts) - len(shown)
    return ClaimLine(name, text, language, status, (), reason, shown, hidden, asked, line)


def begin(sentence: str) -> str:
    """Begin a sentence with a capital, unless it begins with a name such as ``eval.recall``."""
    first = sentence.partition(" ")[0]
    return sentence if "." in first else sentence[:1].upper() + sentence[1:]


def _status(judged: Judged) -> Status:
    said_by_others = any(fact.source.role not in {"", "maker"} for fact in judged.facts)
    return {
        Outcome.MET: Status.SUPPORTED if said_by_others else Status.SELF_ASSERTED,
        Outcome.FAILS: Status.CONTRADICTED,
        Outcome.STALE: Status.STALE,
        Outcome.DISPUTED: Status.DISPUTED,
        Outcome.MISSING: Status.SELF_ASSERTED,
        Outcome.WRONG_ATTESTER: Status.SELF_ASSERTED,
        Outcome.UNDERPOWERED: Status.UNKNOWN,
        Outcome.WAIVED: Status.SELF_ASSERTED,
    }[judged.outcome]


def _proof(fact: Fact) -> Proof:
    source = fact.source
    value = f"{fact.value}{fact.unit and ' ' + fact.unit}"
    part = _part(dict(fact.place))
    return Proof(
        fact.path,
        value,
        fact.interval,
        fact.n,
        part,
        source.id,
        source.signer,
        source.role,
        source.time,
        fact.current,
    )


def _part(place: dict[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in place.items())


def order(lines: Sequence[ClaimLine]) -> dict[Status, int]:
    """Count claims by status, those to look at first in front; statuses that no claim has are left out."""
    counts = {status: sum(1 for line in lines if line.status is status) for status in Status}
    return {status: count for status, count in counts.items() if count}
