"""The history of one claim: at each event how it stood, and why. A pure function of statements, pushes and time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from hallmarked.cards.claim import Claim, derive_claims
from hallmarked.cards.known import Edition, know
from hallmarked.cards.record import CARD_CHECK
from hallmarked.cards.status import Standing, Status
from hallmarked.core.evidence import Attestation, Subject
from hallmarked.policy.fact import DISPUTE_TYPE, check_of, rows

MOST_EVENTS = 300
"""Events that are looked at; of more, the newest."""
WITHDRAWAL_TYPE = "urn:hallmarked:withdrawal:v1"


class Event(StrEnum):
    """What happened."""

    PUSH = "push"
    """Other bytes became the current ones."""
    CARD = "card"
    """What the card says was written down."""
    STATEMENT = "statement"
    """Somebody stated something that the claim is compared with."""
    DISPUTE = "dispute"
    """Somebody contested something, or settled it."""
    WITHDRAWAL = "withdrawal"
    """The owner took a claim back."""
    EXPIRY = "expiry"
    """Evidence became too old."""


@dataclass(frozen=True, slots=True)
class Revision:
    """Bytes that were current from a time on."""

    subject: Subject
    time: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """One event in the history of a claim."""

    time: datetime
    event: Event
    said: str
    """What happened, in one sentence."""
    standings: tuple[Standing, ...]
    """How the claim stood from then on, the worst first; empty while the card did not make it."""
    source: Attestation | None = None
    """The statement, when the event is one."""

    @property
    def status(self) -> Status | None:
        """How the claim stood; None while the card did not make it."""
        return self.standings[0].status if self.standings else None


def tell(
    claim: str,
    stated: Sequence[Attestation],
    revisions: Sequence[Revision],
    now: datetime,
    edition: Edition | None = None,
) -> tuple[Moment, ...]:
    """Return the history of a claim, oldest first.

    Args:
        claim: Its id, see ``Claim.id``.
        stated: Everything that was ever stated, in any order.
        revisions: The bytes that were current, each from its time on. Without any, the bytes that the newest statement
            of a card is about count as current all along.
        now: The end of the history.
        edition: Which checks are in use now; with it, the last moment shows whether an older one has been superseded.
    """
    ordered = sorted((one for one in stated if one.time <= now), key=lambda one: one.time)
    pushes = sorted((one for one in revisions if one.time <= now), key=lambda one: one.time)
    history = _History(claim, ordered, pushes, now)
    moments = list(history.run())
    if edition is not None and moments:
        latest = history.look(now, edition)
        if latest is not None and latest.standings != moments[-1].standings:
            moments.append(Moment(now, Event.EXPIRY, "the checks in use now are others than then", latest.standings))
    return tuple(moments)


class _History:
    """Walks through events in their order, and derives the claim anew at each."""

    def __init__(self, claim: str, stated: Sequence[Attestation], pushes: Sequence[Revision], now: datetime) -> None:
        self._claim, self._stated, self._pushes, self._now = claim, stated, pushes, now
        self._times = [one.time for one in stated]
        self._first = next((one.statement.subjects[0] for one in reversed(stated) if _is_card(one)), None)

    def look(self, time: datetime, edition: Edition | None = None) -> Claim | None:
        """Return the claim as it stood at a time; None when the card did not make it."""
        current = self._current(time)
        if current is None:
            return None
        known = know(self._stated[: bisect_right(self._times, time)], current, edition=edition)
        return next((one for one in derive_claims(known, time) if one.id == self._claim), None)

    def run(self) -> Iterator[Moment]:
        """Yield moments: every push and every statement about the claim, and whenever it turns by itself."""
        before: tuple[Standing, ...] = ()
        waiting = self._events()[-MOST_EVENTS:]
        while waiting:
            time, event, said, source = waiting.pop(0)
            claim = self.look(time)
            standings = claim.standings if claim is not None else ()
            if standings or before:
                # What makes no difference to the claim is no part of its history, but for what was said about it.
                if standings != before or self._is_about(source, claim):
                    yield Moment(time, event, said, standings, source)
                before = standings
            expiry = claim.until + timedelta(seconds=1) if claim is not None and claim.until is not None else None
            if expiry is not None and time < expiry <= self._now and (not waiting or expiry < waiting[0][0]):
                waiting.insert(0, (expiry, Event.EXPIRY, "the evidence became too old", None))

    def _events(self) -> list[tuple[datetime, Event, str, Attestation | None]]:
        events: list[tuple[datetime, Event, str, Attestation | None]] = [
            (one.time, Event.PUSH, f"{_named(one.subject)} was pushed", None) for one in self._pushes
        ]
        for one in self._stated:
            event = _kind(one)
            if event is not None:
                events.append((one.time, event, _said(one, event), one))
        return sorted(events, key=lambda each: (each[0], list(Event).index(each[1])))

    def _current(self, time: datetime) -> Subject | None:
        if not self._pushes:
            return self._first
        return next((one.subject for one in reversed(self._pushes) if one.time <= time), None)

    def _is_about(self, source: Attestation | None, claim: Claim | None) -> bool:
        """Say whether a statement decided how the claim stands, or is a record that names it."""
        if source is None or claim is None:
            return False
        if any(one.id == source.id for one in claim.sources):
            return True
        named = {self._claim, claim.requirement.path if claim.requirement is not None else f"card.{claim.kind}"}
        return any(source.statement.predicate.get(key) in named for key in ("about", "claim"))


def _is_card(one: Attestation) -> bool:
    return check_of(one.statement) == CARD_CHECK and bool(one.statement.subjects)


def _kind(one: Attestation) -> Event | None:
    kinds = {DISPUTE_TYPE: Event.DISPUTE, WITHDRAWAL_TYPE: Event.WITHDRAWAL}
    if one.statement.predicate_type in kinds:
        return kinds[one.statement.predicate_type]
    if check_of(one.statement) == CARD_CHECK:
        return Event.CARD
    measured = check_of(one.statement) or next(rows(one.statement.predicate.get("measurements")), None)
    return Event.STATEMENT if measured else None


def _said(one: Attestation, event: Event) -> str:
    who = one.signer or one.role or "nobody that is known here"
    if event is Event.CARD:
        return f"{who} wrote down what the card says"
    if event is Event.DISPUTE:
        return f"{who} {'settled or answered' if one.statement.predicate.get('open') is False else 'opened'} a dispute"
    if event is Event.WITHDRAWAL:
        return f"{who} took a claim back"
    check = check_of(one.statement)
    return f"{who} ran the check {check}" if check else f"{who} stated what they measured"


def _named(subject: Subject) -> str:
    digest = subject.digest.get("gitCommit") or next(iter(subject.digest.values()), "")
    return f"{subject.name or 'a revision'} {digest[:12]}".strip()


def to_json(moments: Sequence[Moment]) -> list[dict[str, Any]]:
    """Write a history as JSON."""
    return [
        {
            "time": one.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "event": one.event.value,
            "said": one.said,
            "status": one.status.value if one.status else None,
            "standings": [{"status": each.status.value, "reason": each.reason} for each in one.standings],
            "statement": one.source.id if one.source else None,
        }
        for one in moments
    ]
