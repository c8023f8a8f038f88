"""Webhooks: tell programs elsewhere what happens to repositories.

A message is written down in the transaction of the act it tells of (``hub.outbound.announcement``), so it is sent if
and only if the act took place; ``hub.job.delivery`` sends what is due. It arrives at least once: its receiver tells
repetitions by ``X-Webhook-Delivery``. The body is signed with the webhook's secret (HMAC-SHA-256 in
``X-Webhook-Signature``), which is also sent as it is (``X-Webhook-Secret``) because that is what the ecosystem's
receivers compare. Whoever may not see a repository (any more) is told nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from hallmarked.core.errors import InputError, NotFound
from hallmarked.hub.access import Actor
from hallmarked.hub.clock import now
from hallmarked.hub.error import NotSignedIn
from hallmarked.hub.kind import FROM_CLIENTS
from hallmarked.hub.outbound.client import Rules, parse_url
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.webhook import webhook, webhook_delivery, webhook_target
from hallmarked.hub.trail import Tag, record

DOMAINS = ("repo", "discussion")
MOST_WEBHOOKS, MOST_WATCHED, MOST_SECRET = 50, 100, 256


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where somebody wants to be told what."""

    id: str
    account_id: str
    url: str
    secret: str
    domains: Sequence[str]
    watched: Sequence[Mapping[str, str]]
    """``{"type": "user" | "org" | "model" | "dataset" | "space", "name": …}``."""
    disabled: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a webhook; None leaves it as it is."""

    url: str | None = None
    watched: Sequence[Mapping[str, Any]] | None = None
    domains: Sequence[str] | None = None
    secret: str | None = None


def list_webhooks(db: Connection, actor: Actor) -> list[Webhook]:
    """List the actor's webhooks, oldest first.

    Raises:
        NotSignedIn: When the actor is nobody.
    """
    rows = db.execute(
        select(webhook).where(webhook.c.account_id == _owner(actor)).order_by(webhook.c.created, webhook.c.id)
    )
    return [_from_row(row) for row in rows]


def find_webhook(db: Connection, actor: Actor, webhook_id: str) -> Webhook:
    """Return one of the actor's webhooks.

    Raises:
        NotSignedIn: When the actor is nobody.
        NotFound: When they have none of that id.
    """
    where = (webhook.c.id == webhook_id, webhook.c.account_id == _owner(actor))
    row = db.execute(select(webhook).where(*where)).first()
    if row is None:
        raise NotFound("you have no such webhook")
    return _from_row(row)


def create_webhook(db: Connection, actor: Actor, wish: Wish, rules: Rules) -> Webhook:
    """Make a webhook.

    Raises:
        NotSignedIn: When the actor is nobody.
        InputError: When something of it cannot be used, or there are too many.
        Forbidden: When requests of other people may not go to its address.
    """
    owner = _owner(actor)
    count = db.execute(select(func.count()).select_from(webhook).where(webhook.c.account_id == owner)).scalar_one()
    if count >= MOST_WEBHOOKS:
        raise InputError(f"nobody may have more than {MOST_WEBHOOKS} webhooks")
    if wish.url is None:
        raise InputError("a webhook needs a url; jobs are not run here")
    made = new_id()
    values = {"secret": "", "domains": list(DOMAINS), "watched": [], **_checked(wish, rules)}
    db.execute(insert(webhook).values(id=made, account_id=owner, created=now(), **values))
    _watch(db, made, values["watched"])
    record(db, actor, Tag.WEBHOOK_CREATED, f"webhook:{made}", {"account": owner})
    return find_webhook(db, actor, made)


def change_webhook(db: Connection, actor: Actor, webhook_id: str, wish: Wish, rules: Rules) -> Webhook:
    """Change a webhook.

    Raises:
        NotSignedIn, NotFound: See :func:`find_webhook`.
        InputError, Forbidden: See :func:`create_webhook`.
    """
    find_webhook(db, actor, webhook_id)
    values = _checked(wish, rules)
    if values:
        db.execute(update(webhook).where(webhook.c.id == webhook_id).values(**values))
    if "watched" in values:
        _watch(db, webhook_id, values["watched"])
    record(db, actor, Tag.WEBHOOK_CHANGED, f"webhook:{webhook_id}", {"changed": sorted(values)})
    return find_webhook(db, actor, webhook_id)


def enable_webhook(db: Connection, actor: Actor, webhook_id: str, *, enabled: bool) -> Webhook:
    """Switch a webhook on or off.

    Raises:
        NotSignedIn, NotFound: See :func:`find_webhook`.
    """
    find_webhook(db, actor, webhook_id)
    db.execute(update(webhook).where(webhook.c.id == webhook_id).values(disabled=not enabled, failures=0))
    record(db, actor, Tag.WEBHOOK_CHANGED, f"webhook:{webhook_id}", {"enabled": enabled})
    return find_webhook(db, actor, webhook_id)


def delete_webhook(db: Connection, actor: Actor, webhook_id: str) -> None:
    """Forget a webhook and what it was still to be told.

    Raises:
        NotSignedIn, NotFound: See :func:`find_webhook`.
    """
    find_webhook(db, actor, webhook_id)
    _forget(db, [webhook_id])
    record(db, actor, Tag.WEBHOOK_DELETED, f"webhook:{webhook_id}")


def forget_webhooks(db: Connection, account_id: str) -> None:
    """Forget all webhooks of an account that ends, with their addresses and secrets."""
    _forget(db, list(db.execute(select(webhook.c.id).where(webhook.c.account_id == account_id)).scalars()))


def _forget(db: Connection, ids: Sequence[str]) -> None:
    for table in (webhook_delivery, webhook_target):
        db.execute(delete(table).where(table.c.webhook_id.in_(ids)))
    db.execute(delete(webhook).where(webhook.c.id.in_(ids)))


def _owner(actor: Actor) -> str:
    if actor.account_id is None:
        raise NotSignedIn("sign in first: nobody without an account has webhooks")
    return actor.account_id


def _checked(wish: Wish, rules: Rules) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if wish.url is not None:
        values["url"] = str(parse_url(wish.url, rules))
    if wish.domains is not None:
        if not wish.domains or not set(wish.domains) <= set(DOMAINS):
            raise InputError(f"domains are some of {', '.join(DOMAINS)}")
        values["domains"] = [domain for domain in DOMAINS if domain in wish.domains]
    if wish.secret is not None:
        if len(wish.secret) > MOST_SECRET or not wish.secret.isascii() or not wish.secret.isprintable():
            raise InputError(f"a secret has at most {MOST_SECRET} printable ASCII characters")
        values["secret"] = wish.secret
    if wish.watched is not None:
        if len(wish.watched) > MOST_WATCHED:
            raise InputError(f"a webhook watches at most {MOST_WATCHED} things")
        values["watched"] = [_watched(item) for item in wish.watched]
    return values


def _watched(item: Mapping[str, Any]) -> dict[str, str]:
    kind, name = item.get("type"), item.get("name")
    slashes = 1 if kind in FROM_CLIENTS else 0
    if kind not in ("user", "org", *FROM_CLIENTS) or not isinstance(name, str) or len(name) > 200:
        raise InputError("what is watched has a type (user, org, model, dataset or space) and a name")
    if name.count("/") != slashes:
        raise InputError(f"{name[:100]!r} is not the name of a {kind}")
    return {"type": str(kind), "name": name}


def _watch(db: Connection, webhook_id: str, watched: Sequence[Mapping[str, str]]) -> None:
    db.execute(delete(webhook_target).where(webhook_target.c.webhook_id == webhook_id))
    targets = {f"{FROM_CLIENTS.get(item['type'], 'account')}:{item['name']}".lower() for item in watched}
    if targets:
        rows = [{"webhook_id": webhook_id, "target": target} for target in sorted(targets)]
        db.execute(insert(webhook_target), rows)


def _from_row(row: Row[Any]) -> Webhook:
    return Webhook(row.id, row.account_id, row.url, row.secret, row.domains, row.watched, row.disabled)
