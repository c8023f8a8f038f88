"""How far a claim is borne out, and why."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a rule came to for one claim."""

    status: Status
    reason: str
    """One sentence."""
    evidence: tuple[Evidence, ...] = ()
    """What was compared with the claim."""
