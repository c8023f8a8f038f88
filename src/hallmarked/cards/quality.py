"""Five ratios that say how a card does, each with its counts, and never one number for all; see ``MEANING``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from hallmarked.cards.claim import Claim
from hallmarked.cards.known import Known
from hallmarked.cards.status import Status
from hallmarked.cards.template.checklist import Checklist
from hallmarked.policy.fact import is_about
from hallmarked.policy.requirement import THIRD_PARTY, Outcome, Requirement, counts, judge

MEANING = {
    "fill": "sections that say something, of those the template asks for",
    "support": "claims that evidence about these very bytes bears out",
    "freshness": "of these, claims whose evidence is young enough",
    "independence": "claims that somebody other than the maker bears out",
    "drift": "claims whose evidence is about other bytes only",
}
"""What each ratio counts. Placeholders count as nothing said."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Some of how many."""

    part: int
    whole: int

    @property
    def share(self) -> Decimal | None:
        """Return the share from 0 to 1; ``None`` when there is nothing to take a share of."""
        return Decimal(self.part) / Decimal(self.whole) if self.whole else None

    def __str__(self) -> str:
        return f"{self.part} of {self.whole}" if self.whole else "none to count"


@dataclass(frozen=True, slots=True)
class Quality:
    """How a card does. There is no sum of it."""

    fill: Ratio
    support: Ratio
    freshness: Ratio
    independence: Ratio
    drift: Ratio

    def named(self) -> tuple[tuple[str, Ratio], ...]:
        """Return each ratio with its name, in the order in which they are told."""
        return tuple((name, getattr(self, name)) for name in MEANING)


def measure(checklist: Checklist, claims: Sequence[Claim], known: Known, time: datetime) -> Quality:
    """Measure a card.

    Args:
        checklist: The card held against its template.
        claims: Its claims, as derived from ``known``.
        known: What is stated about what the card describes.
        time: When it is measured; decides what is too old.
    """
    supported = [claim for claim in claims if _borne_out(claim, known, time)]
    fresh = [claim for claim in supported if _is_fresh(claim, known, time)]
    independent = [claim for claim in claims if _by_others(claim, known, time)]
    drifted = [claim for claim in claims if _drifted(claim, known)]
    return Quality(
        Ratio(*checklist.count("section")),
        Ratio(len(supported), len(claims)),
        Ratio(len(fresh), len(supported)),
        Ratio(len(independent), len(claims)),
        Ratio(len(drifted), len(claims)),
    )


def _borne_out(claim: Claim, known: Known, time: datetime) -> bool:
    """Whether valid evidence about these very bytes agrees, however old it is and whoever it is from."""
    if claim.requirement is None:
        return _supported(claim)
    return _met(replace(claim.requirement, max_age=None, by=()), known, time)


def _is_fresh(claim: Claim, known: Known, time: datetime) -> bool:
    return claim.requirement is None or _met(replace(claim.requirement, by=()), known, time)


def _by_others(claim: Claim, known: Known, time: datetime) -> bool:
    """Whether somebody who is trusted and is not the maker bears it out."""
    if claim.requirement is None:
        return _supported(claim) and any(counts(source.role, (THIRD_PARTY,)) for source in claim.sources)
    return _met(replace(claim.requirement, max_age=None, by=(THIRD_PARTY,)), known, time)


def _drifted(claim: Claim, known: Known) -> bool:
    sources = claim.sources or tuple(item.source for item in claim.evidence if item.source is not None)
    return bool(sources) and not any(is_about(source.statement, known.current) for source in sources)


def _supported(claim: Claim) -> bool:
    return any(standing.status is Status.SUPPORTED for standing in claim.standings)


def _met(requirement: Requirement, known: Known, time: datetime) -> bool:
    """Hold a claim against the facts as if nobody contested them: a dispute is a status, and not a lack of evidence."""
    return judge(requirement, known.undisputed, time).outcome is Outcome.MET
