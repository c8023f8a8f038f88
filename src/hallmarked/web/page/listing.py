"""Finding repositories: the first page, the lists of each kind, search with filters, and what somebody has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.requests import Request

from hallmarked.core.errors import NotFound
from hallmarked.hub.access import Actor
from hallmarked.hub.account.account import RESERVED, find_account, organisations
from hallmarked.hub.catalog.search import Query, list_labels, list_values, search
from hallmarked.hub.catalog.tag import groups_of
from hallmarked.hub.clock import to_datetime
from hallmarked.hub.kind import page_path
from hallmarked.hub.repository.repository import Repository, repositories_of
from hallmarked.hub.review.audited import Standing, list_standing
from hallmarked.hub.schema.search import SORTS
from hallmarked.web.address import param
from hallmarked.web.render import Page, context
from hallmarked.web.request import actor_of, hub_of

ROWS = 30
"""Repositories on one page."""
CHOICES = 60
"""Values of one filter that are offered."""
KINDS = {"models": "model", "datasets": "dataset", "spaces": "system"}
FILTERS = {
    "model": ("task", "library", "licence", "language"),
    "dataset": ("task", "size", "licence", "language"),
    "system": ("library", "licence", "model"),
}
"""What each kind can be filtered by, apart from what all can."""
ALWAYS = ("finding", "claim", "gate", "author")
"""What all kinds can be filtered by."""
FIXED = {
    "finding": ("error", "warning", "note", "none"),
    "claim": ("supported", "contradicted", "stale", "disputed", "self-asserted", "unknown"),
    "gate": ("yes", "no"),
}
"""Values of filters that are the same everywhere."""


MARKS = {"finding": ("error", "warning", "note"), "claim": ("contradicted",)}
"""Labels that a list shows with each repository, the highest first."""
NOWHERE = Standing("unknown", "")
"""How a repository stands that has no main branch."""


@context
class Row:
    """A repository in a list."""

    kind: str
    """``model``, ``dataset`` or ``system``."""
    name: str
    """``owner/name``."""
    base: str
    """Its address."""
    private: bool
    """Whether only its people see it."""
    gate: str
    """How access is given; empty for everybody."""
    says: tuple[str, ...]
    """What its card says: task, library, licence."""
    languages: tuple[str, ...]
    """Codes of the languages its card names."""
    modified: datetime
    """When it changed last."""
    downloads: int
    """How often it was downloaded."""
    likes: int
    """How many people like it."""
    state: str
    """State of its newest revision: ``checking``, ``available``, ``held`` or ``unknown``."""
    outcome: str
    """What its newest audit came to; empty when there was none."""
    finding: str
    """Highest level that audit found: ``error``, ``warning``, ``note``; empty when it found nothing."""
    contradicted: bool
    """Whether the files contradict a claim of its card."""


@context
class Filter:
    """Something a list can be narrowed by."""

    group: str
    """``task``, ``licence``, ``finding``, …"""
    chosen: str
    """The value that is chosen; empty for any."""
    values: tuple[tuple[str, int], ...]
    """Values and how many public repositories have each; zero when they are not counted."""


@context
class Listing:
    """Repositories that fit, and what they can be narrowed by."""

    kind: str
    """What is listed."""
    text: str
    """Words that were searched for."""
    sort: str
    """What comes first."""
    sorts: tuple[str, ...]
    """What can come first."""
    filters: tuple[Filter, ...]
    """What the list can be narrowed by."""
    rows: tuple[Row, ...]
    """One part of the list."""
    narrowed: bool
    """Whether words or filters leave something out."""
    following: str
    """Address of the next part; empty on the last."""
    others: tuple[tuple[str, str], ...]
    """The same search among the other kinds: kind and address."""


@context
class Home:
    """The first page of the hub."""

    name: str
    """What this hub is called."""
    models: tuple[Row, ...]
    """Models that changed last."""
    datasets: tuple[Row, ...]
    """Data sets that changed last."""
    systems: tuple[Row, ...]
    """Systems that changed last."""
    entries: int
    """Entries of the ledger."""


@context
class Profile:
    """An account: a person or an organisation, and what is theirs."""

    kind: str
    """``user`` or ``organisation``."""
    name: str
    """Name of the account."""
    full_name: str
    """As it calls itself."""
    organisations: tuple[tuple[str, str], ...]
    """Organisations a person belongs to: name and role."""
    rows: tuple[Row, ...]
    """Its repositories that the reader may see, the newest of each kind first."""
    mine: bool
    """Whether it is the reader's own."""


def show_home(request: Request) -> Home:
    """Make the first page."""
    hub = hub_of(request)
    with hub.database.read() as db:
        actor = actor_of(request, db)
        models, datasets, systems = (
            rows_of(db, search(db, actor, Query(kind, count=5)).ids) for kind in ("model", "dataset", "system")
        )
        return Home(hub.settings.server.name, models, datasets, systems, hub.journal.size)


def show_listing(request: Request) -> Listing:
    """Make the page of a search."""
    last = request.url.path.strip("/").removesuffix(".json")
    asked = request.query_params
    kind = KINDS.get(last) or (asked.get("kind", "") if asked.get("kind") in FILTERS else "model")
    text, sort, after = asked.get("search", "")[:200], asked.get("sort", "modified"), asked.get("after", "")
    groups = (*FILTERS[kind], *ALWAYS)
    chosen = {group: asked[group][:96] for group in groups if asked.get(group)}
    with hub_of(request).database.read() as db:
        actor = actor_of(request, db)
        query = Query(kind, text, tuple(chosen.items()), sort if sort in SORTS else "modified", after, ROWS)
        page = search(db, actor, query)
        rows = rows_of(db, page.ids)
        filters = _filters(db, kind, chosen)
    carried = {**({"search": text} if text else {}), **chosen, **({"sort": sort} if sort in SORTS else {})}
    following = f"/search?{urlencode({'kind': kind, **carried, 'after': page.following})}" if page.following else ""
    others = tuple(
        (other, f"/search?{urlencode({'kind': other, **({'search': text} if text else {})})}") for other in FILTERS
    )
    narrowed = bool(text or chosen or after)
    return Listing(kind, text, query.sort, tuple(SORTS), filters, rows, narrowed, following, others)


def show_profile(request: Request) -> Profile:
    """Make the page of an account.

    Raises:
        NotFound: When there is no account of that name.
    """
    name = param(request, "owner")
    if name.lower() in RESERVED:
        raise NotFound("there is no page at this address")
    with hub_of(request).database.read() as db:
        actor = actor_of(request, db)
        found = find_account(db, name)
        belongs = organisations(db, found.id) if found.kind == "user" else []
        ids = [
            each for kind in FILTERS
            for each in search(db, actor, Query(kind, labels=(("author", found.name),), count=ROWS)).ids
        ]  # fmt: skip
        return Profile(
            found.kind,
            found.name,
            found.full_name,
            tuple((each.name, role.value) for each, role in belongs),
            rows_of(db, ids),
            _is_mine(db, actor, found.id),
        )


def rows_of(db: Connection, ids: Sequence[str]) -> tuple[Row, ...]:
    """Write repositories for a list; a few queries for all of them."""
    standing = list_standing(db, ids)
    repos = repositories_of(db, ids)
    labels: dict[str, set[tuple[str, str]]] = {}
    for kind in {repo.scope.kind for repo in repos}:
        labels |= list_labels(db, kind, MARKS, [repo.id for repo in repos if repo.scope.kind == kind])
    return tuple(_row(repo, standing.get(repo.id, NOWHERE), labels.get(repo.id, set())) for repo in repos)


def _row(repo: Repository, at: Standing, labels: Set[tuple[str, str]]) -> Row:
    kind = repo.scope.kind
    found = groups_of(kind, repo.card)
    says = tuple(value for group in ("task", "library", "licence") for value in found.get(group, [])[:3])
    return Row(
        kind,
        repo.name,
        page_path(kind, repo.name),
        repo.scope.private,
        repo.scope.gate,
        says,
        tuple(found.get("language", [])[:3]),
        to_datetime(repo.modified),
        repo.downloads,
        repo.likes,
        at.state,
        at.outcome,
        next((level for level in MARKS["finding"] if ("finding", level) in labels), ""),
        ("claim", "contradicted") in labels,
    )


def _filters(db: Connection, kind: str, chosen: Mapping[str, str]) -> tuple[Filter, ...]:
    filters = []
    for group in FILTERS[kind]:
        counted = sorted(list_values(db, kind, group), key=lambda pair: (-pair[1], pair[0]))[:CHOICES]
        filters.append(Filter(group, chosen.get(group, ""), tuple(counted)))
    filters += [Filter(group, chosen.get(group, ""), tuple((value, 0) for value in FIXED[group])) for group in FIXED]
    return tuple(filters)


def _is_mine(db: Connection, actor: Actor, account_id: str) -> bool:
    if actor.account_id is None:
        return False
    return actor.account_id == account_id or account_id in {each.id for each, _ in organisations(db, actor.account_id)}


FIRST = (
    Page("/", "home.html.j2", show_home),
    Page("/search", "listing.html.j2", show_listing),
    *(Page(f"/{plural}", "listing.html.j2", show_listing) for plural in KINDS),
)
LAST = (Page("/{owner}", "profile.html.j2", show_profile),)
