"""What a revision is fit for: one or two contexts beside each other, with a reason for every requirement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from starlette.requests import Request

from hallmarked.core.errors import NotFound
from hallmarked.core.text import name_part
from hallmarked.hub.clock import now, to_datetime
from hallmarked.hub.review.attested import list_places
from hallmarked.hub.review.context import known_contexts, usual_context
from hallmarked.policy.context import Context
from hallmarked.policy.decide import Ruling, decide
from hallmarked.policy.fact import Facts
from hallmarked.policy.remedy import describe, remedy
from hallmarked.web.page.repository import KINDS, Head, open_page
from hallmarked.web.render import Page, context

MOST = 2
"""Contexts beside each other."""
MOST_STATEMENTS = 5
"""Statements named beside one requirement."""


@context
class Choice:
    """A context that can be chosen."""

    name: str
    """Its name."""
    title: Mapping[str, str]
    """What it is, by language."""
    risk: str
    """``minimal``, ``limited`` or ``high``."""


@context
class Asked:
    """A requirement, and what it came to."""

    id: str
    """Its name in the context."""
    asked: str
    """What is asked, as an English sentence; empty for what is asked of every check."""
    path: str
    """What has to be stated."""
    part: str
    """The part that is meant; empty for the whole, ``worst`` for the worst of all."""
    op: str
    """How it is compared."""
    value: str
    """What with."""
    least: int
    """How many things must have been looked at."""
    days: int
    """How old it may be; 0 for any age."""
    by: tuple[str, ...]
    """Roles whose word counts; empty for everybody's."""
    why: Mapping[str, str]
    """Why it is asked, by language; may be empty."""
    outcome: str
    """``met``, ``fails``, ``stale``, ``underpowered``, ``wrong_attester``, ``disputed``, ``missing`` or ``waived``."""
    raw: str
    """What it came to without regard to waivers."""
    reason: str
    """How we know."""
    remedy: str
    """What would meet it; empty when it is met."""
    waived: str
    """Why somebody who may waived it; empty when nobody did."""
    waived_until: datetime | None
    """When the waiver ends."""
    source: str
    """The context that asks for it."""
    statements: tuple[tuple[str, int | None], ...]
    """What was looked at: id of the statement, and its place in the ledger."""


@context
class Judged:
    """A revision in one context."""

    name: str
    """The context."""
    title: Mapping[str, str]
    """What it is, by language."""
    risk: str
    """``minimal``, ``limited`` or ``high``."""
    extends: tuple[str, ...]
    """Contexts whose requirements it has too."""
    waived_by: tuple[str, ...]
    """Roles that may waive one for a time."""
    outcome: str
    """``pass``, ``fail`` or ``unknown``."""
    digest: str
    """SHA-256 of everything the context asks; a changed context has another one."""
    met: int
    """How many requirements are met or waived."""
    until: datetime | None
    """When it may change although nothing new is stated."""
    asked: tuple[Asked, ...]
    """Every requirement, what does not let it pass in front."""


@context
class Uses:
    """What a revision is fit for."""

    head: Head
    """What stands on top."""
    known: tuple[Choice, ...]
    """Contexts there are."""
    chosen: tuple[str, ...]
    """Those that were asked for."""
    judged: tuple[Judged, ...]
    """What each came to."""


def show_uses(request: Request, kind: str) -> Uses:
    """Judge a revision in the contexts that the address names.

    Raises:
        NotFound: When there is no such context.
    """
    with open_page(request, kind) as opened:
        known = known_contexts(opened.hub)
        names = [name for name in request.query_params.getlist("context") if name]
        chosen = tuple(dict.fromkeys(names))[:MOST] or (usual_context(opened.hub).name,)
        for name in chosen:
            if name not in known:
                raise NotFound(f"there is no context {name[:60]}")
        places = list_places(opened.hub, opened.db, opened.repo)
        time = to_datetime(now())
        return Uses(
            opened.head,
            tuple(Choice(each.name, dict(each.title), each.risk) for each in known.values()),
            chosen,
            tuple(_judge(known[name], opened.known.facts, time, places) for name in chosen),
        )


def _judge(asked: Context, facts: Facts, time: datetime, places: Mapping[str, int]) -> Judged:
    decision = decide(facts, asked, time)
    rulings = sorted(decision.rulings, key=lambda ruling: ruling.outcome.rank)
    return Judged(
        asked.name,
        dict(asked.title),
        asked.risk,
        asked.extends,
        asked.waived_by,
        decision.outcome.value,
        asked.digest,
        sum(ruling.outcome.passes for ruling in rulings),
        decision.until,
        tuple(_asked(ruling, asked, places) for ruling in rulings),
    )


def _asked(ruling: Ruling, asked: Context, places: Mapping[str, int]) -> Asked:
    demand, excuse, judged = ruling.demand, ruling.excuse, ruling.judged
    found, wanted = judged.evidence[:MOST_STATEMENTS], judged.requirement
    part = wanted.slice if isinstance(wanted.slice, str) else name_part(wanted.slice)
    reason = judged.reason if demand is not None else judged.reason.partition(": ")[2] or judged.reason
    return Asked(
        ruling.id,
        describe(wanted) if demand is not None else "",
        wanted.path,
        part,
        wanted.op.value,
        wanted.value if isinstance(wanted.value, str) else ", ".join(wanted.value),
        wanted.min_n,
        wanted.max_age.days if wanted.max_age is not None else 0,
        wanted.by,
        dict(demand.why) if demand is not None else {},
        ruling.outcome.value,
        ruling.raw.value,
        reason,
        remedy(ruling, asked.waived_by),
        excuse.waiver.reason if excuse is not None else "",
        excuse.waiver.until if excuse is not None else None,
        demand.context if demand is not None else asked.name,
        tuple((name, places.get(name)) for name in found),
    )


PAGES = (
    Page("/{owner}/{name}/uses", "repository/uses.html.j2", show_uses, KINDS),
    Page("/{owner}/{name}/uses/{revision}", "repository/uses.html.j2", show_uses, KINDS),
)
