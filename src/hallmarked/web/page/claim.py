"""The history of one claim, and what nobody evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from starlette.requests import Request

from hallmarked.cards.claim import derive_claims
from hallmarked.cards.matrix import Ask, compare, of_claims, of_context
from hallmarked.cards.timeline import Moment, Revision, tell
from hallmarked.core.errors import NotFound
from hallmarked.hub.clock import now, to_datetime
from hallmarked.hub.repository.revision import list_history
from hallmarked.hub.repository.subject import subject_of
from hallmarked.hub.review.attested import list_places
from hallmarked.hub.review.context import known_contexts
from hallmarked.web.page.repository import KINDS, Head, Opened, open_page
from hallmarked.web.render import Page, context

MOST_REVISIONS = 50
"""Revisions whose bytes were current, as far back as a history looks."""
MOST_CELLS = 500
"""Rows of a table of what is evaluated."""


@context
class Turn:
    """One event in the history of a claim."""

    time: datetime
    """When."""
    event: str
    """``push``, ``card``, ``statement``, ``dispute``, ``withdrawal`` or ``expiry``."""
    said: str
    """What happened."""
    statuses: tuple[str, ...]
    """How the claim stood from then on, the worst first; empty while the card did not make it."""
    reason: str
    """Why."""
    statement: str
    """Id of the statement, when the event is one."""
    entry: int | None
    """Its place in the ledger."""


@context
class History:
    """The history of a claim."""

    head: Head
    """What stands on top."""
    id: str
    """Name of the claim."""
    text: str
    """What is claimed; empty when the card does not claim it any more."""
    texts: Mapping[str, str]
    """That sentence by language, where its author wrote several."""
    status: str
    """How it stands; empty likewise."""
    turns: tuple[Turn, ...]
    """What happened, newest first."""
    known: tuple[tuple[str, str, str], ...]
    """When no claim is named: every claim there is, with its sentence and status."""


@context
class Cell:
    """One metric for one part, and what is there."""

    path: str
    """The metric."""
    part: str
    """The part; empty for the whole, ``worst`` for all parts there are."""
    state: str
    """``not-evaluated``, ``stale``, ``underpowered`` or ``evaluated``."""
    reason: str
    """Why."""
    asked_by: tuple[str, ...]
    """Who asks for it."""
    parts: tuple[tuple[str, str], ...]
    """Of ``worst``: the parts that somebody measured, with their state."""


@context
class Evaluated:
    """What is asked to be measured, against what is there."""

    head: Head
    """What stands on top."""
    contexts: tuple[tuple[str, bool], ...]
    """Contexts that can be asked for, and whether they are."""
    counts: tuple[tuple[str, int], ...]
    """How many cells are in each state."""
    cells: tuple[Cell, ...]
    """By metric, the whole before its parts."""


def show_history(request: Request, kind: str) -> History:
    """Tell the history of the claim that the address names.

    Raises:
        NotFound: When the card never made such a claim.
    """
    name = request.query_params.get("id", "")[:300]
    with open_page(request, kind) as opened:
        time = to_datetime(now())
        claims = derive_claims(opened.known, time)
        if not name:
            known = tuple((one.id, one.text, one.status.value) for one in claims)
            return History(opened.head, "", "", {}, "", (), known)
        pushes = [
            Revision(subject_of(opened.db, opened.repo, each), to_datetime(each.created))
            for each in islice(list_history(opened.db, opened.repo, opened.at), MOST_REVISIONS)
        ]
        moments = tell(name, opened.stated, pushes, time)
        claim = next((one for one in claims if one.id == name), None)
        if not moments and claim is None:
            raise NotFound(f"the card never claimed anything that is called {name[:100]}")
        turns = tuple(_turn(moment, opened) for moment in reversed(moments))
        text, texts, status = (claim.text, dict(claim.texts), claim.status.value) if claim else ("", {}, "")
        return History(opened.head, name, text, texts, status, turns, ())


def _turn(moment: Moment, opened: Opened) -> Turn:
    source = moment.source
    places = list_places(opened.hub, opened.db, opened.repo)
    return Turn(
        moment.time,
        moment.event.value,
        moment.said,
        tuple(standing.status.value for standing in moment.standings),
        moment.standings[0].reason if moment.standings else "",
        source.id if source else "",
        places.get(source.id) if source else None,
    )


def show_evaluated(request: Request, kind: str) -> Evaluated:
    """Say what nobody evaluated, of what the card and chosen contexts ask for."""
    with open_page(request, kind) as opened:
        time, known = to_datetime(now()), known_contexts(opened.hub)
        chosen = [name for name in request.query_params.getlist("context") if name in known]
        asks: list[Ask] = list(of_claims(derive_claims(opened.known, time)))
        for name in chosen:
            asks += of_context(known[name])
        found = compare(asks, opened.known, time)
        cells = sorted(found.cells, key=lambda cell: cell.state.rank)[:MOST_CELLS]
        return Evaluated(
            opened.head,
            tuple((name, name in chosen) for name, each in known.items() if each.demands),
            tuple((state.value, count) for state, count in found.counts.items()),
            tuple(
                Cell(
                    cell.path,
                    cell.slice if isinstance(cell.slice, str) else _part(tuple(cell.slice.items())),
                    cell.state.value,
                    cell.reason,
                    cell.asked_by,
                    tuple((_part(part), state.value) for part, state in cell.parts),
                )
                for cell in cells
            ),
        )


def _part(part: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name} {value}" for name, value in part)


PAGES = (
    Page("/{owner}/{name}/claim/{revision}", "repository/history_of_claim.html.j2", show_history, KINDS),
    Page("/{owner}/{name}/evaluated/{revision}", "repository/evaluated.html.j2", show_evaluated, KINDS),
)
