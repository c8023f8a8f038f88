"""How far a claim is borne out, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hallmarked.cards.record import Evidence


class Status(StrEnum):
    """How far a claim is borne out. Derived, never stored; in the order in which people should look at them."""

    CONTRADICTED = "contradicted"
    """What was measured says otherwise."""
    DISPUTED = "disputed"
    """Somebody has an open report or counter-claim."""
    WITHDRAWN = "withdrawn"
    """The owner took it back."""
    STALE = "stale"
    """The evidence is about other bytes, or too old."""
    SUPPORTED = "supported"
    """What was measured on exactly these bytes agrees."""
    UNKNOWN = "unknown"
    """A check looked and could not tell."""
    NOT_EVALUATED = "not-evaluated"
    """The check that could tell did not run."""
    SELF_ASSERTED = "self-asserted"
    """Only the card says so."""

    @property
    def rank(self) -> int:
        """Place in the order in which people should look at claims."""
        return list(Status).index(self)

    @property
    def severity(self) -> int:
        """Place in the order in which one outweighs another of the same claim: what is borne out weighs least."""
        return _BY_SEVERITY.index(self)


_BY_SEVERITY = (*(status for status in Status if status is not Status.SUPPORTED), Status.SUPPORTED)


@dataclass(frozen=True, slots=True)
class Standing:
    """One way in which a claim stands. Several may hold at once: contradicted, and the contradiction disputed."""

    status: Status
    reason: str
    """One sentence."""


def worst_first(standings: Iterable[Standing]) -> tuple[Standing, ...]:
    """Put what outweighs the rest in front; of one status the first reason is kept."""
    kept: dict[Status, Standing] = {}
    for one in standings:
        kept.setdefault(one.status, one)
    return tuple(sorted(kept.values(), key=lambda one: one.status.severity))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a rule came to for one claim."""

    status: Status
    reason: str
    """One sentence."""
    evidence: tuple[Evidence, ...] = ()
    """What was compared with the claim."""
