"""What programs elsewhere have to be told, written down in the transaction of what happened.

So a message is sent if and only if the act took place; :mod:`hallmarked.hub.outbound.webhook` sends it. The members of
a message are those that the ecosystem's receivers read (``WebhookPayload`` in ``huggingface_hub``, version 3); where
something is to be found is added when it is sent, since that depends on how the hub is reached then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select

from hallmarked.hub.access import Actor, Scope, may_see
from hallmarked.hub.clock import now
from hallmarked.hub.kind import CLIENT_KINDS
from hallmarked.hub.schema.account import account
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.webhook import webhook, webhook_delivery, webhook_target

VERSION = 3
"""Of the form of messages."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What happened to a repository."""

    action: str
    """``create``, ``update``, ``delete`` or ``move``."""
    scope: str
    """``repo``, ``repo.content``, ``repo.config``, ``discussion`` or ``discussion.comment``."""
    details: Mapping[str, Any]
    """More members of the message, such as ``updatedRefs`` or ``discussion``."""


def announce(db: Connection, scope: Scope, occasion: Occasion, names: Sequence[str] = ()) -> int:
    """Write down what has to be told to whom; called in the transaction of what happened.

    Args:
        db: That transaction.
        scope: The repository as it is now.
        occasion: What happened to it.
        names: Other names (``owner/name``) under which somebody may watch it, such as the one it had a moment ago.

    Returns:
        How many messages will be sent.
    """
    known = {name.lower() for name in (scope.name, *names)}
    targets = {f"{scope.kind}:{name}" for name in known} | {f"account:{name.partition('/')[0]}" for name in known}
    watching = select(webhook_target.c.webhook_id).where(webhook_target.c.target.in_(sorted(targets)))
    rows = db.execute(select(webhook).where(webhook.c.id.in_(watching), webhook.c.disabled.is_(False))).all()
    domain = occasion.scope.partition(".")[0]
    told = [row for row in rows if domain in row.domains and may_be_told(db, row.account_id, scope)]
    for row in told:
        enqueue(db, row.id, scope, occasion)
    return len(told)


def moved(ref: str, old: str | None, new: str | None) -> Occasion:
    """Say that a branch or tag leads elsewhere: from ``old``, None for a new one, to ``new``, None for one deleted."""
    return Occasion("update", "repo.content", {"updatedRefs": [{"ref": ref, "oldSha": old, "newSha": new}]})


def enqueue(db: Connection, webhook_id: str, scope: Scope, occasion: Occasion) -> str:
    """Let one webhook be told something soon; return the id of the message."""
    made = new_id()
    payload = {
        "event": {"action": occasion.action, "scope": occasion.scope},
        "repo": {
            "id": scope.id,
            "type": CLIENT_KINDS[scope.kind],
            "name": scope.name,
            "private": scope.private,
            "owner": {"id": scope.owner_id},
        },
        "webhook": {"id": webhook_id, "version": VERSION},
        **occasion.details,
    }
    # Of several in one millisecond each is a little later, so that they are told in the order in which they happened.
    last = db.execute(
        select(func.max(webhook_delivery.c.created)).where(webhook_delivery.c.webhook_id == webhook_id)
    ).scalar()
    db.execute(
        insert(webhook_delivery).values(
            id=made, webhook_id=webhook_id, repository_id=scope.id, payload=payload, state="waiting", attempts=0,
            due=now(), created=max(now(), (last or 0) + 1),
        )
    )  # fmt: skip
    return made


def may_be_told(db: Connection, account_id: str, scope: Scope) -> bool:
    """Say whether somebody may know of a repository, as their webhooks may then."""
    row = db.execute(select(account).where(account.c.id == account_id, account.c.disabled.is_(None))).first()
    return row is not None and may_see(db, Actor(row.id, row.name, row.administrator), scope)


def with_addresses(payload: Mapping[str, Any], hub_url: str) -> dict[str, Any]:
    """Add to a message where the repository, the discussion and the comment are.

    Args:
        payload: As it was written down.
        hub_url: How the hub is reached now.
    """
    told = {name: dict(part) if isinstance(part, Mapping) else part for name, part in payload.items()}
    repo, base = told["repo"], hub_url.rstrip("/")
    page = repo["name"] if repo["type"] == "model" else f"{repo['type']}s/{repo['name']}"
    web, api = f"{base}/{page}", f"{base}/api/{repo['type']}s/{repo['name']}"
    repo["url"] = {"web": web, "api": api}
    if "discussion" in told:
        place = f"/discussions/{told['discussion']['num']}"
        told["discussion"]["url"] = {"web": web + place, "api": api + place}
        if "comment" in told:
            told["comment"]["url"] = {"web": f"{web}{place}#event-{told['comment']['id']}"}
    return told
