"""Liking a repository, and what somebody likes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from hallmarked.core.errors import NotFound
from hallmarked.hub.access import Action
from hallmarked.hub.account.account import find_account
from hallmarked.hub.community.popularity import list_liked, set_like
from hallmarked.hub.kind import page_path
from hallmarked.web.address import param, repo_routes
from hallmarked.web.form import Form, with_form
from hallmarked.web.page.listing import Row, rows_of
from hallmarked.web.render import Page, context
from hallmarked.web.request import actor_of, hub_of, target

ROWS = 30
"""Repositories on one page."""


@context
class Likes:
    """What somebody likes, as far as the reader may see it."""

    name: str
    """Name of their account."""
    full_name: str
    """As they call themselves."""
    total: int
    """How many repositories."""
    rows: tuple[Row, ...]
    """One part of them, what they liked last first."""
    following: str
    """Address of the next part; empty on the last."""


def show_likes(request: Request) -> Likes:
    """Make the page of what somebody likes.

    Raises:
        NotFound: When there is no person of that name.
    """
    text = request.query_params.get("p", "0")
    page = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    with hub_of(request).database.read() as db:
        actor = actor_of(request, db)
        found = find_account(db, param(request, "owner"))
        if found.kind != "user":
            raise NotFound(f"there is no person {found.name}")
        ids = [each.repository.id for each in list_liked(db, actor, found.id)]
        start = page * ROWS
        rows = rows_of(db, ids[start : start + ROWS])
    following = f"?p={page + 1}" if start + ROWS < len(ids) else ""
    return Likes(found.name, found.full_name, len(ids), rows, following)


def do_like(request: Request, form: Form, kind: str) -> Response:
    """Like a repository, or like it no longer."""
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, kind, Action.DISCUSS)
        assert actor.account_id is not None  # nobody else may discuss
        set_like(db, repo, actor.account_id, likes=form.text("act") != "unlike")
    return RedirectResponse(page_path(kind, repo.name), 303)


FORMS: tuple[BaseRoute, ...] = tuple(repo_routes("/like", with_form(do_like), methods=["POST"], name="like"))
PAGES = (Page("/likes/{owner}", "likes.html.j2", show_likes),)
