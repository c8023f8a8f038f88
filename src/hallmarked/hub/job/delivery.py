"""Sends what webhooks are to be told, in a thread of its own: receivers may be slow, and audits must not wait for them.

What has to be told is a row of the database until it arrived, so nothing is lost when this ends.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import Connection, Row, delete, select, update

from hallmarked.core.errors import Error
from hallmarked.hub.clock import now
from hallmarked.hub.hub import Hub
from hallmarked.hub.outbound.announcement import may_be_told, with_addresses
from hallmarked.hub.outbound.client import Resolver, Rules, client, lookup, rules_of, send
from hallmarked.hub.repository.repository import repository_of
from hallmarked.hub.schema.webhook import webhook, webhook_delivery

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often it looks for messages that are due."""
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480, 1440))
"""How long to wait after each attempt that failed; after the last one the message is given up."""
KEPT = timedelta(days=30)
"""How long it is kept what became of a message."""
MOST_FAILURES = 20
"""Messages in a row that were given up before a webhook is disabled."""


@contextmanager
def delivering(hub: Hub, every: float = LOOK_SECONDS) -> Iterator[None]:
    """Send messages of a hub in a thread of this process until the context is left.

    Args:
        hub: The hub.
        every: Seconds between two looks for what is due.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_run, args=(hub, stop, every), name="hallmarked-delivery")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _run(hub: Hub, stop: threading.Event, every: float) -> None:
    while not stop.wait(every):
        try:
            deliver_due(hub, stopped=stop.is_set)
        except Error as error:
            log.warning("messages cannot be sent now: %s", error)


def pending(db: Connection, most: int = 100) -> list[str]:
    """Return the ids of messages that are due, oldest first."""
    waiting = webhook_delivery.c
    rows = db.execute(
        select(waiting.id)
        .where(waiting.state == "waiting", waiting.due <= now())
        .order_by(waiting.due, waiting.created)
        .limit(most)
    )
    return [row.id for row in rows]


def deliver_due(hub: Hub, *, resolver: Resolver = lookup, stopped: Callable[[], bool] = lambda: False) -> int:
    """Send what is due, and forget what was settled long ago.

    Args:
        hub: The hub.
        resolver: How hosts are found.
        stopped: Whether to leave the rest for another time.

    Returns:
        How many messages arrived.

    Raises:
        BackendError: When the database cannot be used.
        InputError: When a setting cannot be used.
    """
    with hub.database.read() as db:
        due = pending(db)
    arrived = 0
    for delivery_id in due:
        if stopped():
            break
        # A client for each, so that one receiver that is slow or hostile leaves nothing behind for the next.
        with client(rules_of(hub.settings.outbound), resolver=resolver) as opened:
            arrived += deliver(hub, opened, delivery_id)
    if due:
        table, before = webhook_delivery.c, now() - KEPT // timedelta(milliseconds=1)
        with hub.database.write() as db:
            db.execute(delete(webhook_delivery).where(table.state != "waiting", table.created < before))
    return arrived


def deliver(hub: Hub, opened: httpx.Client, delivery_id: str) -> bool:
    """Try to send a message, and write down what came of it. Safe to repeat.

    Args:
        hub: The hub.
        opened: From :func:`hallmarked.hub.outbound.client.client`.
        delivery_id: One of :func:`pending`.

    Returns:
        Whether it arrived.

    Raises:
        BackendError: When the database cannot be used.
    """
    with hub.database.write() as db:
        found = _claim(db, delivery_id)
    if found is None:
        return False
    try:
        answer = _post(opened, rules_of(hub.settings.outbound), found, hub.settings.server.url)
        arrived, said = 200 <= answer < 300, f"answered with status {answer}"
    except Error as error:
        arrived, said = False, str(error)
    with hub.database.write() as db:
        _settle(db, found, said[:500], arrived=arrived)
    return arrived


def _claim(db: Connection, delivery_id: str) -> Row[Any] | None:
    """Take a message to be sent; another process will not take it for a while. None when there is nothing to send."""
    table = webhook_delivery
    row = db.execute(
        select(
            table, webhook.c.url, webhook.c.secret, webhook.c.disabled, webhook.c.account_id, webhook.c.failures
        )
        .join(webhook, webhook.c.id == table.c.webhook_id)
        .where(table.c.id == delivery_id, table.c.state == "waiting", table.c.due <= now())
        .with_for_update(of=table)
    ).first()  # fmt: skip
    if row is None:
        return None
    visible = may_be_told(db, row.account_id, repository_of(db, row.repository_id).scope)
    values: dict[str, Any] = {"attempts": row.attempts + 1, "due": now() + _wait(row.attempts)}
    if row.disabled or not visible:
        values = {"state": "dropped", "answer": "the webhook is off, or its owner may not see the repository any more"}
    db.execute(update(table).where(table.c.id == delivery_id).values(**values))
    return None if "state" in values else row


def _post(opened: httpx.Client, rules: Rules, row: Row[Any], hub_url: str) -> int:
    body = json.dumps(with_addresses(row.payload, hub_url), ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "hallmarked", "X-Webhook-Delivery": row.id}
    if row.secret:
        signature = hmac.new(row.secret.encode(), body, hashlib.sha256).hexdigest()
        headers |= {"X-Webhook-Signature": f"sha256={signature}", "X-Webhook-Secret": row.secret}
    return send(opened, rules, "POST", row.url, content=body, headers=headers).status


def _settle(db: Connection, row: Row[Any], said: str, *, arrived: bool) -> None:
    table, attempts = webhook_delivery, row.attempts + 1
    given_up = not arrived and attempts > len(DELAYS)
    state = "done" if arrived else "failed" if given_up else "waiting"
    db.execute(update(table).where(table.c.id == row.id).values(state=state, answer=said))
    if arrived:
        db.execute(update(webhook).where(webhook.c.id == row.webhook_id).values(failures=0))
    elif given_up:
        failures = row.failures + 1
        values = {"failures": failures, "disabled": row.disabled or failures >= MOST_FAILURES}
        db.execute(update(webhook).where(webhook.c.id == row.webhook_id).values(**values))


def _wait(attempts: int) -> int:
    return DELAYS[min(attempts, len(DELAYS) - 1)] // timedelta(milliseconds=1)
