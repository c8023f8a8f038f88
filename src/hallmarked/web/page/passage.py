"""The pages on which passages and works are looked for, and on which an owner lets others do so."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Action
from hallmarked.hub.error import TooMany
from hallmarked.hub.kind import page_path
from hallmarked.hub.passage.record import set_searchable, standing_of
from hallmarked.web.address import repo_routes
from hallmarked.web.form import Form, parse_form, with_form
from hallmarked.web.page.repository import KINDS, Head, open_page
from hallmarked.web.passage import MOST_BYTES, Bounds, Passages, bounds_of, find_passages, in_step, nothing_told
from hallmarked.web.render import Page, context, show
from hallmarked.web.request import actor_of, hub_of, read_body, target


@context
class Searchable:
    """Whether others may look for passages in a repository."""

    head: Head
    """What stands on top."""
    bounds: Bounds
    """What may be asked, and how much is told."""
    allowed: bool
    """Whether its owner allows it."""
    current: bool
    """Whether there is an index of its newest revision, so that questions are answered."""
    documents: int
    """Rows that are in the index."""
    missing: int
    """Rows or parts that could not be read, and are not in it."""
    reason: str
    """Why there is no index of the newest revision; empty when it is there or is still to be made."""


def show_passages(request: Request) -> Passages:
    """Make the page of the search in all data sets."""
    with hub_of(request).database.read() as db:
        actor_of(request, db)
    return nothing_told(request)


def show_searchable(request: Request, kind: str) -> Searchable:
    """Make the page of the search in one repository."""
    with open_page(request, kind) as opened:
        found = standing_of(opened.db, opened.repo.id)
        return Searchable(
            opened.head,
            bounds_of(request),
            found is not None,
            bool(found and found.current),
            found.documents if found else 0,
            found.missing if found else 0,
            found.reason if found else "",
        )


def do_allow(request: Request, form: Form, kind: str) -> Response:
    """Let others ask, or no longer.

    Raises:
        InputError: When it is neither.
    """
    act = form.text("act")
    if act not in ("allow", "stop"):
        raise InputError("searching is allowed, or no longer")
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, kind, Action.MANAGE)
        set_searchable(db, actor, repo, act == "allow")
    return RedirectResponse(f"{page_path(kind, repo.name)}/passages", 303)


async def ask_form(request: Request) -> Response:
    """Answer the form of the page, with the page."""
    began = time.monotonic()
    form = parse_form(await read_body(request, MOST_BYTES))

    def work() -> Response:
        try:
            made = find_passages(request, form.raw("text"), form.text("dataset"))
            status = 200
        except (InputError, TooMany) as error:
            made, status = nothing_told(request, problem=str(error), dataset=form.text("dataset")), _status(error)
        return show(request, "passages.html.j2", made, status)

    return await in_step(request, work, began)


def _status(error: InputError | TooMany) -> int:
    return 429 if isinstance(error, TooMany) else 400


FORMS: tuple[BaseRoute, ...] = (
    Route("/search/passages", ask_form, methods=["POST"]),
    *repo_routes("/passages", with_form(do_allow), methods=["POST"], name="allow-search"),
)
PAGES = (
    Page("/search/passages", "passages.html.j2", show_passages),
    Page("/{owner}/{name}/passages", "repository/passages.html.j2", show_searchable, KINDS),
)
