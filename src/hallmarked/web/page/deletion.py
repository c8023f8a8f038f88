"""Deleted repositories that can still be restored."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hallmarked.hub.clock import to_datetime
from hallmarked.hub.kind import page_path
from hallmarked.hub.repository.deletion import list_deleted, restore
from hallmarked.web.form import Form, with_form
from hallmarked.web.render import Page, context
from hallmarked.web.request import actor_of, hub_of


@context
class Row:
    """A deleted repository."""

    id: str
    """Names it in forms."""
    kind: str
    """``model``, ``dataset`` or ``system``."""
    name: str
    """``owner/name``, as it was called."""
    deleted: datetime
    """When it was deleted."""
    until: datetime
    """Until when it can be restored; then it is gone for good."""


@context
class Deleted:
    """Deleted repositories that the reader can restore."""

    rows: tuple[Row, ...]
    """The newest first."""
    days: int
    """For how many days a deleted repository can be restored."""
    everybody: bool
    """Whether those of everybody are listed, for an administrator."""


def show_deleted(request: Request) -> Deleted:
    """Make the page of deleted repositories.

    Raises:
        NotSignedIn: When nobody signed in.
    """
    hub = hub_of(request)
    days = hub.settings.limit.restore_days
    with hub.database.read() as db:
        actor = actor_of(request, db)
        rows = tuple(
            Row(each.id, each.kind, each.name, to_datetime(each.deleted), to_datetime(each.until))
            for each in list_deleted(db, actor, days)
        )
    return Deleted(rows, days, actor.administrator)


def do_restore(request: Request, form: Form) -> Response:
    """Restore a repository, and go to its page."""
    hub = hub_of(request)
    with hub.database.write() as db:
        repo = restore(db, actor_of(request, db), form.text("id"), hub.settings.limit.restore_days)
    return RedirectResponse(page_path(repo.scope.kind, repo.name), 303)


FORMS: tuple[BaseRoute, ...] = (Route("/settings/deleted", with_form(do_restore), methods=["POST"]),)
PAGES = (Page("/settings/deleted", "deleted.html.j2", show_deleted),)
