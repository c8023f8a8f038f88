"""What became of the messages of a webhook; sending one again, and sending one to try it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from hallmarked.core.errors import InputError, NotFound
from hallmarked.hub.access import Actor
from hallmarked.hub.clock import now
from hallmarked.hub.error import Conflict
from hallmarked.hub.outbound.announcement import Occasion, enqueue, may_be_told
from hallmarked.hub.outbound.webhook import Webhook, find_webhook
from hallmarked.hub.repository.repository import Repository, load_repositories
from hallmarked.hub.schema.account import account
from hallmarked.hub.schema.repository import repository
from hallmarked.hub.schema.webhook import webhook_delivery, webhook_target
from hallmarked.hub.trail import Tag, record

MOST = 50
"""Messages that are listed."""
TRIED = 20
"""Repositories that are looked at for one to send a test about."""
TEST = "repo.test"
"""Scope of a message that somebody sends to see whether it arrives."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message of a webhook."""

    id: str
    """Also in its header ``X-Webhook-Delivery``."""
    payload: Mapping[str, Any]
    """What it says, without the addresses that are added when it is sent."""
    state: str
    """``waiting``, ``done``, ``failed`` or ``dropped``."""
    attempts: int
    answer: str
    """To the last attempt, one sentence; may be empty."""
    due: int
    """When it is sent next, while it waits; milliseconds since the epoch."""
    created: int
    """Likewise."""


def list_deliveries(db: Connection, actor: Actor, webhook_id: str) -> Sequence[Delivery]:
    """List the last messages of one of the actor's webhooks, newest first.

    Raises:
        NotSignedIn, NotFound: See :func:`.webhook.find_webhook`.
    """
    find_webhook(db, actor, webhook_id)
    table = webhook_delivery.c
    rows = db.execute(
        select(webhook_delivery)
        .where(table.webhook_id == webhook_id)
        .order_by(table.created.desc(), table.id)
        .limit(MOST)
    )
    return [Delivery(row.id, row.payload, row.state, row.attempts, row.answer, row.due, row.created) for row in rows]


def redeliver(db: Connection, actor: Actor, webhook_id: str, delivery_id: str) -> None:
    """Send a message again, at once, under the id that it had.

    Raises:
        NotSignedIn, NotFound: When the actor has no such webhook or message.
        Conflict: When the webhook is off.
    """
    _require_on(find_webhook(db, actor, webhook_id))
    table = webhook_delivery.c
    values = {"state": "waiting", "attempts": 0, "due": now(), "answer": ""}
    where = (table.id == delivery_id, table.webhook_id == webhook_id)
    if not db.execute(update(webhook_delivery).where(*where).values(**values)).rowcount:
        raise NotFound("this webhook has no such message")
    record(db, actor, Tag.WEBHOOK_REPEATED, f"webhook:{webhook_id}", {"message": delivery_id})


def send_test(db: Connection, actor: Actor, webhook_id: str) -> str:
    """Send a message that says nothing happened, about something the webhook watches; return its id.

    Raises:
        NotSignedIn, NotFound: When the actor has no such webhook.
        Conflict: When the webhook is off.
        InputError: When it watches nothing that its owner may see.
    """
    found = find_webhook(db, actor, webhook_id)
    _require_on(found)
    repo = next((repo for repo in _watched(db, found) if may_be_told(db, found.account_id, repo.scope)), None)
    if repo is None:
        raise InputError("this webhook watches no repository that you may see, so there is nothing to tell it")
    made = enqueue(db, webhook_id, repo.scope, Occasion("update", TEST, {}))
    record(db, actor, Tag.WEBHOOK_TESTED, f"webhook:{webhook_id}", {"message": made})
    return made


def _require_on(found: Webhook) -> None:
    if found.disabled:
        raise Conflict("this webhook is off; switch it on first")


def _watched(db: Connection, found: Webhook) -> Sequence[Repository]:
    """Return a few of the repositories that a webhook watches, those that changed last."""
    targets = db.execute(select(webhook_target.c.target).where(webhook_target.c.webhook_id == found.id)).scalars()
    kinds: dict[str, list[str]] = {}
    for target in targets:
        kind, _, name = target.partition(":")
        kinds.setdefault(kind, []).append(name)
    owners = select(account.c.id).where(account.c.key.in_(kinds.pop("account", [])))
    table = repository.c
    fits = [and_(table.kind == kind, table.key.in_(names)) for kind, names in kinds.items()]
    query = (
        select(table.id)
        .where(or_(table.owner_id.in_(owners), *fits), table.deleted.is_(None))
        .order_by(table.modified.desc(), table.id)
        .limit(TRIED)
    )
    return load_repositories(db, list(db.execute(query).scalars()))
