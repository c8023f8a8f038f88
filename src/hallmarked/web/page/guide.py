"""Help: what the marks and words of the pages mean, and how to publish, get and check what is here."""

from __future__ import annotations

from starlette.requests import Request

from hallmarked.web.render import Page, context
from hallmarked.web.request import actor_of, base_url, hub_of


@context
class Guide:
    """What the help page needs to know of this hub."""

    address: str
    """Address of this hub, for programs."""
    key: str
    """Id of the key that signs its statements."""
    example: str
    """A name for the reader's first model, with its owner."""


def show_guide(request: Request) -> Guide:
    """Make the help page."""
    hub = hub_of(request)
    with hub.database.read() as db:
        actor = actor_of(request, db)
    return Guide(base_url(request), hub.journal.keyid, f"{actor.name or 'you'}/my-model")


PAGES = (Page("/help", "help.html.j2", show_guide),)
