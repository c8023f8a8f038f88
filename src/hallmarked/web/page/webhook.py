"""Webhooks: programs elsewhere that somebody wants to be told what happens, and what became of each message."""

from __future__ import annotations

import json
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Actor, require_person
from hallmarked.hub.clock import to_datetime
from hallmarked.hub.job.message import Delivery, list_deliveries, redeliver, send_test
from hallmarked.hub.kind import FROM_CLIENTS
from hallmarked.hub.outbound import webhook as service
from hallmarked.hub.outbound.client import rules_of
from hallmarked.hub.outbound.webhook import DOMAINS, Wish
from hallmarked.web.address import param
from hallmarked.web.form import Form, with_form
from hallmarked.web.render import Page, context
from hallmarked.web.request import actor_of, hub_of

SENDS = 10
"""Messages that somebody may have sent on purpose, a minute."""
BASE = "/settings/webhooks"


@context
class Hook:
    """A webhook; its secret is never shown."""

    id: str
    """Names it in addresses."""
    url: str
    """Where messages go."""
    watched: tuple[str, ...]
    """What it watches: ``owner`` for all of an account, ``owner/name``, ``datasets/owner/name``, ``spaces/…``."""
    domains: tuple[str, ...]
    """``repo``, ``discussion`` or both."""
    signed: bool
    """Whether messages are signed with a secret."""
    disabled: bool
    """Whether it is off."""


@context
class Webhooks:
    """The reader's webhooks."""

    rows: tuple[Hook, ...]
    """The oldest first."""
    domains: tuple[str, ...]
    """What can be told."""


@context
class Message:
    """A message, and what became of it."""

    id: str
    """Names it in forms; the receiver finds it in the header ``X-Webhook-Delivery``."""
    action: str
    """``create``, ``update``, ``delete`` or ``move``."""
    scope: str
    """What happened to: ``repo``, ``repo.content``, ``discussion`` and so on."""
    name: str
    """The repository."""
    state: str
    """``waiting``, ``done``, ``failed`` or ``dropped``."""
    attempts: int
    """How often it was tried."""
    answer: str
    """What came back last; may be empty."""
    due: datetime | None
    """When it is tried next; none when it is not."""
    time: datetime
    """When it was written."""
    text: str
    """What it says, as JSON."""


@context
class Webhook:
    """One webhook, with its last messages."""

    row: Hook
    """What it is."""
    domains: tuple[str, ...]
    """What can be told."""
    messages: tuple[Message, ...]
    """Its last messages, the newest first."""


def show_webhooks(request: Request) -> Webhooks:
    """Make the page of somebody's webhooks.

    Raises:
        NotSignedIn: When nobody signed in.
    """
    with hub_of(request).database.read() as db:
        rows = tuple(_hook(each) for each in service.list_webhooks(db, _person(actor_of(request, db))))
    return Webhooks(rows, DOMAINS)


def show_webhook(request: Request) -> Webhook:
    """Make the page of one webhook.

    Raises:
        NotFound: When the reader has none of that id.
    """
    with hub_of(request).database.read() as db:
        actor = _person(actor_of(request, db))
        found = _hook(service.find_webhook(db, actor, param(request, "id")))
        messages = tuple(_message(each) for each in list_deliveries(db, actor, found.id))
    return Webhook(found, DOMAINS, messages)


def do_create(request: Request, form: Form) -> Response:
    """Make a webhook, and go to its page."""
    hub = hub_of(request)
    with hub.database.write() as db:
        actor = _person(actor_of(request, db))
        made = service.create_webhook(db, actor, _wish(form, keep=False), rules_of(hub.settings.outbound))
    return RedirectResponse(f"{BASE}/{made.id}", 303)


def do_webhook(request: Request, form: Form) -> Response:
    """Change a webhook, switch it on or off, delete it, try it, or repeat a message.

    Raises:
        InputError: When it is none of that.
        TooMany: When somebody has many messages sent on purpose.
    """
    hub, act, name = hub_of(request), form.text("act"), param(request, "id")
    with hub.database.write() as db:
        actor = _person(actor_of(request, db))
        if act in ("test", "repeat"):
            request.app.state.limits.take("message", actor.account_id or "", SENDS)
        if act == "change":
            service.change_webhook(db, actor, name, _wish(form, keep=True), rules_of(hub.settings.outbound))
        elif act in ("enable", "disable"):
            service.enable_webhook(db, actor, name, enabled=act == "enable")
        elif act == "delete":
            service.delete_webhook(db, actor, name)
        elif act == "test":
            send_test(db, actor, name)
        elif act == "repeat":
            redeliver(db, actor, name, form.text("message"))
        else:
            raise InputError("a webhook is changed, switched on or off, deleted or tried")
    return RedirectResponse(BASE if act == "delete" else f"{BASE}/{name}", 303)


def parse_watched(text: str) -> list[dict[str, str]]:
    r"""Read what a webhook is to watch, one thing a line, written like the address of its page.

    >>> parse_watched("acme\nada/tiny\n/datasets/acme/notes")
    [{'type': 'user', 'name': 'acme'}, {'type': 'model', 'name': 'ada/tiny'}, {'type': 'dataset', 'name': 'acme/notes'}]
    """
    found = []
    for line in filter(None, (line.strip().strip("/") for line in text.splitlines())):
        first, _, rest = line.partition("/")
        kind = first.removesuffix("s") if first in ("models", "datasets", "spaces") and rest else ""
        if kind:
            found.append({"type": kind, "name": rest})
        else:
            found.append({"type": "model" if rest else "user", "name": line})
    return found


def write_watched(kind: str, name: str) -> str:
    """Write what a webhook watches as :func:`parse_watched` reads it.

    >>> write_watched("dataset", "acme/notes"), write_watched("org", "acme")
    ('datasets/acme/notes', 'acme')
    """
    return f"{kind}s/{name}" if kind in FROM_CLIENTS and kind != "model" else name


def _person(actor: Actor) -> Actor:
    """Return who asks, somebody who signed in: what a token may do with webhooks, the API says."""
    require_person(actor)
    return actor


def _wish(form: Form, *, keep: bool) -> Wish:
    """Read what somebody wants; an empty secret leaves the one there is, when there is one to keep."""
    secret: str | None = form.raw("secret")
    if keep and not secret:
        secret = "" if form.checked("unsigned") else None
    return Wish(form.text("url"), parse_watched(form.raw("watched")), list(form.all("domain")), secret)


def _hook(found: service.Webhook) -> Hook:
    watched = tuple(write_watched(each["type"], each["name"]) for each in found.watched)
    return Hook(found.id, found.url, watched, tuple(found.domains), bool(found.secret), found.disabled)


def _message(found: Delivery) -> Message:
    event, text = found.payload["event"], json.dumps(found.payload, indent=1, ensure_ascii=False)
    return Message(
        found.id,
        str(event["action"]),
        str(event["scope"]),
        str(found.payload["repo"]["name"]),
        found.state,
        found.attempts,
        found.answer,
        to_datetime(found.due) if found.state == "waiting" and found.attempts else None,
        to_datetime(found.created),
        text,
    )


FORMS: tuple[BaseRoute, ...] = (
    Route(BASE, with_form(do_create), methods=["POST"]),
    Route(f"{BASE}/{{id}}", with_form(do_webhook), methods=["POST"]),
)
PAGES = (Page(BASE, "webhooks.html.j2", show_webhooks), Page(f"{BASE}/{{id}}", "webhook.html.j2", show_webhook))
