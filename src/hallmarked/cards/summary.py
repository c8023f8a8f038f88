"""One structure that says of each claim what pages, sheets and the command line show.

What is claimed, how it stands, how we know (who, how many, how old), where to check, and what would renew it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hallmarked.cards.claim import Claim, derive_claims, summarise
from hallmarked.cards.known import Known
from hallmarked.cards.outside import OutsideResult, list_outside
from hallmarked.cards.status import Standing, Status
from hallmarked.core.evidence import Attestation
from hallmarked.policy.fact import check_of
from hallmarked.policy.requirement import Requirement

_RENEW = {
    Status.CONTRADICTED: "correct what is claimed, or what it is about, and audit again",
    Status.DISPUTED: "whoever opened the dispute, a hub or an auditor has to settle it",
    Status.WITHDRAWN: "nothing: it was taken back",
    Status.NOT_EVALUATED: "an audit that runs the check",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody whose statement was compared with a claim."""

    who: str
    """The signer as the trust file names them; a word when nobody is known."""
    role: str
    time: datetime
    """When it was logged."""
    days: int
    """How old it is."""
    how: str
    """The check that made it; empty when no check did."""
    statement: str
    """Id of the statement, to look it up."""


@dataclass(frozen=True, slots=True)
class Line:
    """One claim and all that is known about it."""

    claim: Claim
    sources: tuple[Source, ...]
    """How we know."""
    renew: str
    """What would renew it, or bear it out; empty when nothing needs to be done."""

    @property
    def status(self) -> Status:
        """How it stands."""
        return self.claim.status

    @property
    def until(self) -> datetime | None:
        """When it goes stale by itself; None when only other bytes or rules can make it."""
        return self.claim.until if self.status is Status.SUPPORTED else None

    @property
    def others(self) -> tuple[Standing, ...]:
        """The other ways in which it stands."""
        return self.claim.others


@dataclass(frozen=True, slots=True)
class Summary:
    """How a card stands at a time."""

    lines: tuple[Line, ...]
    """Claims, those to look at first in front."""
    counts: Mapping[Status, int]
    outside: tuple[OutsideResult, ...]
    """What others measured, whether or not the card says so."""
    time: datetime


def summarise_card(known: Known, time: datetime) -> Summary:
    """Say how a card stands.

    Args:
        known: What is stated.
        time: When it is judged.
    """
    claims = derive_claims(known, time)
    return Summary(tuple(_line(claim, time) for claim in claims), summarise(claims), list_outside(known), time)


def _line(claim: Claim, time: datetime) -> Line:
    sources = tuple(_source(one, time) for one in claim.sources)
    return Line(claim, sources, _renew(claim))


def _source(one: Attestation, time: datetime) -> Source:
    who = one.signer or one.role or "nobody that is known here"
    return Source(who, one.role, one.time, max((time - one.time).days, 0), check_of(one.statement), one.id)


def _renew(claim: Claim) -> str:
    asked = claim.requirement
    if claim.status in _RENEW:
        return _RENEW[claim.status]
    if claim.status is Status.SUPPORTED:
        return ""
    if asked is None:
        return "audit again" if claim.status is Status.STALE else ""
    checked = [check_of(one.statement) for one in claim.sources]
    if claim.status is Status.STALE and any(checked):
        return "audit again"
    return f"a statement about {asked.path} {_by(asked)}{_enough(asked, claim.status)} on the bytes here now"


def _by(asked: Requirement) -> str:
    roles = [role.replace("_", " ") for role in asked.by if role != "maker"]
    return f"by {' or '.join(roles)}" if roles else "by somebody other than its maker"


def _enough(asked: Requirement, status: Status) -> str:
    if asked.min_n:
        return f", from at least {asked.min_n:,} examples,"
    return ", from more examples," if status is Status.UNKNOWN else ","


def to_json(summary: Summary) -> dict[str, Any]:
    """Write a summary as JSON."""
    return {
        "time": _moment(summary.time),
        "counts": {status.value: count for status, count in summary.counts.items()},
        "claims": [_line_json(line) for line in summary.lines],
        "outside": [_outside_json(one) for one in summary.outside],
    }


def _line_json(line: Line) -> dict[str, Any]:
    claim = line.claim
    said: dict[str, Any] = {
        "id": claim.id,
        "kind": claim.kind,
        "text": claim.text,
        "texts": dict(claim.texts),
        "written": claim.written,
        "status": claim.status.value,
        "reason": claim.reason,
        "others": [{"status": one.status.value, "reason": one.reason} for one in line.others],
        "location": str(claim.location or ""),
        "audience": list(claim.audience),
        "sources": [
            {
                "who": source.who,
                "role": source.role,
                "time": _moment(source.time),
                "days": source.days,
                "check": source.how,
                "statement": source.statement,
            }
            for source in line.sources
        ],
        "until": _moment(line.until) if line.until else "",
        "renew": line.renew,
    }
    return {key: value for key, value in said.items() if value not in ("", [], {})}


def _outside_json(one: OutsideResult) -> dict[str, Any]:
    fact = one.fact
    said: dict[str, Any] = {
        "metric": fact.path,
        "value": fact.value,
        "slice": dict(fact.slice),
        "n": fact.n,
        "interval": list(fact.interval or ()),
        "who": fact.source.signer or fact.source.role,
        "time": _moment(fact.source.time),
        "statement": fact.source.id,
        "standing": list(one.words),
    }
    return {key: value for key, value in said.items() if value not in ("", [], {}, None)}


def _moment(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
