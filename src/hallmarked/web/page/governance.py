"""How a repository is run: who answers for what, decisions, changes that none accounts for, waivers, live counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from starlette.requests import Request

from hallmarked.cards.governance.decision import Listed
from hallmarked.cards.governance.governance import govern
from hallmarked.hub.clock import now, to_datetime
from hallmarked.hub.review.attested import list_places
from hallmarked.hub.review.count import count
from hallmarked.web.page.repository import KINDS, Head, open_page
from hallmarked.web.render import Page, context
from hallmarked.web.request import base_url

MOST_ROWS = 200
"""Rows of one list on the page."""


@context
class Answer:
    """Somebody who answers for something."""

    by: str
    """Who: a person or a team."""
    contact: str
    """How to reach them; empty when nobody says."""
    what: tuple[str, ...]
    """For what: stages such as ``trained``, and ``decisions``."""
    signers: tuple[str, ...]
    """Whose keys signed that."""


@context
class Decided:
    """A decision, and what was given up for what."""

    id: str
    """Its short name."""
    title: str
    """What was to be decided."""
    chosen: str
    """What was taken."""
    options: tuple[tuple[str, str, str], ...]
    """What was open: its name, what speaks for it, and what it would have cost."""
    tradeoff: str
    """What was given up for what, and who bears it."""
    by: str
    """Who decided."""
    time: datetime
    """When."""
    replaced_by: str
    """The decision that took its place; empty while it stands."""
    signer: str
    """Whose key signed."""
    statement: str
    """Id of the statement."""
    entry: int | None
    """Its place in the ledger of this hub; none when it is not known here."""


@context
class Changed:
    """A gate, threshold or rule that was changed, and no decision says why."""

    text: str
    """What was changed."""
    time: datetime
    """When that was first seen."""


@context
class Waived:
    """A requirement that need not be met for a time."""

    use: str
    """The context it belongs to."""
    requirement: str
    """The requirement."""
    by: str
    """Who answers for it."""
    until: datetime
    """When it ends."""
    reason: str
    """Why."""
    signer: str
    """Whose key signed."""


@context
class Governance:
    """How a repository is run, as far as statements show it."""

    head: Head
    """What stands on top."""
    complete: bool
    """Whether every change of a gate, threshold or rule has a decision."""
    answers: tuple[Answer, ...]
    """Who answers for what."""
    decisions: tuple[Decided, ...]
    """What was decided, latest first."""
    undecided: tuple[Changed, ...]
    """What was changed without a decision."""
    waivers: tuple[Waived, ...]
    """Waivers that stand now."""
    counts: tuple[tuple[str, int], ...]
    """What happened in the registry and on this hub: ``opt_outs``, ``requests``, ``held_back``, …"""
    counted: int
    """Entries of the log that were counted."""
    size: int
    """Entries the log has; while there are more than were counted, the counts are too low."""
    command: str
    """How to count again without believing this page."""


def show_governance(request: Request, kind: str) -> Governance:
    """Say how a repository is run."""
    with open_page(request, kind) as opened:
        counted = count(opened.hub)
        found = govern(opened.stated, to_datetime(now()), counted.counts)
        places = list_places(opened.hub, opened.db, opened.repo)
        return Governance(
            opened.head,
            found.complete,
            tuple(Answer(one.by, one.contact, one.what, one.signers) for one in found.answers[:MOST_ROWS]),
            tuple(_decided(one, places) for one in found.decisions[:MOST_ROWS]),
            tuple(Changed(one.sentence, one.time) for one in found.undecided[:MOST_ROWS]),
            tuple(
                Waived(
                    one.record.context,
                    one.record.requirement,
                    one.record.by,
                    one.record.until,
                    one.record.reason,
                    one.by,
                )
                for one in found.waivers[:MOST_ROWS]
            ),
            tuple(asdict(counted.counts).items()),
            counted.entries,
            counted.size,
            f"hallmarked governance --counts {base_url(request)} --key {opened.hub.journal.keyid}",
        )


def _decided(one: Listed, places: Mapping[str, int]) -> Decided:
    said = one.signed.record
    return Decided(
        said.id,
        said.title,
        said.chosen,
        tuple((option.name, option.benefit, option.cost) for option in said.options),
        said.tradeoff,
        said.by,
        said.time,
        one.replaced_by,
        one.signed.by,
        one.signed.source.id,
        places.get(one.signed.source.id),
    )


PAGES = (
    Page("/{owner}/{name}/governance", "repository/governance.html.j2", show_governance, KINDS),
    Page("/{owner}/{name}/governance/{revision}", "repository/governance.html.j2", show_governance, KINDS),
)
