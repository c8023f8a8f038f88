"""Results that others measured, each with its standing: listed whatever the card, or its owner, says about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hallmarked.cards.declared import parse_row
from hallmarked.cards.evaluation import metric_of, paths_of
from hallmarked.cards.known import RESULTS, Known
from hallmarked.cards.record import CARD_CHECK, Report, read_report
from hallmarked.policy.fact import Fact
from hallmarked.policy.requirement import THIRD_PARTY, counts


@dataclass(frozen=True, slots=True)
class OutsideResult:
    """What somebody who is not the maker measured."""

    fact: Fact
    """The value, with its part, number of examples, interval and source."""
    mentioned: bool
    """Whether the card says something about the same metric."""
    removed: bool
    """Whether an earlier card did, and the one here does not."""
    disputed: str
    """Why somebody contests it; empty when nobody does."""
    disputed_by: str
    """Who does."""

    @property
    def words(self) -> tuple[str, ...]:
        """Its standing in plain words, what needs to be looked at first in front."""
        said = []
        if not self.fact.current:
            said.append("about other bytes than the ones here now")
        if self.disputed:
            said.append(f"disputed by {self.disputed_by}: {self.disputed}")
        if self.removed:
            said.append("removed from the card")
        elif not self.mentioned:
            said.append("not in the card")
        if not counts(self.fact.source.role, (THIRD_PARTY,)):
            said.append("signed by nobody that is known here")
        return tuple(said) or ("in the card",)


def list_outside(known: Known) -> tuple[OutsideResult, ...]:
    """Return what others measured, by path, newest first. Nothing that the owner does takes a result off this list.

    Args:
        known: What is stated.
    """
    here, before = _mentioned(known)
    found = [
        _stand(fact, known, here, before)
        for paths in known.results.values()
        for path in paths
        for fact in known.facts.find(path)
        if fact.source.role != "maker"
    ]
    found.sort(key=lambda one: one.fact.source.time, reverse=True)
    return tuple(sorted(found, key=lambda one: one.fact.path))


def _stand(fact: Fact, known: Known, here: frozenset[str], before: frozenset[str]) -> OutsideResult:
    dispute = known.facts.disputed(fact.source.id, fact.path)
    mentioned = fact.path in here
    why, who = "", ""
    if dispute is not None:
        why, who = dispute.reason or "no reason is given", dispute.source.signer or dispute.source.role
    return OutsideResult(fact, mentioned, not mentioned and fact.path in before, why, who)


def _mentioned(known: Known) -> tuple[frozenset[str], frozenset[str]]:
    """Return the paths that the card here speaks of, and those that any card did."""
    card = known.record.reports.get(CARD_CHECK)
    here = frozenset(_paths(card, known)) if card is not None else frozenset()
    cards = [read_report(CARD_CHECK, one) for one in known.record.cards]
    return here, here.union(*(_paths(card, known) for card in cards))


def _paths(card: Report, known: Known) -> Iterator[str]:
    for noted in card.values("claim.declared"):
        row = parse_row(noted)
        path = row.get("path") if isinstance(row, dict) else None
        if isinstance(path, str) and path.startswith(RESULTS):
            yield path
    for noted in card.values("claim.evaluation"):
        if metric_of(noted):
            yield from paths_of(noted, known)
