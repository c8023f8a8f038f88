"""Messages to people: about requests that wait for them, decisions on theirs, and what happened to their accounts.

They wait on the hub's pages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, func, insert, select, update

from hallmarked.hub.clock import now
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.identity import notice


class Kind(StrEnum):
    """What a message is about."""

    ACCESS_ASKED = "access-asked"
    ACCESS_DECIDED = "access-decided"
    TOKEN_LEAKED = "token-leaked"  # noqa: S105 - a kind
    ORGANISATION = "organisation"
    REVIEW = "review"
    DISCUSSION = "discussion"


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to somebody."""

    id: str
    kind: str
    text: str
    """One sentence."""
    address: str
    """Path of the page it is about; may be empty."""
    created: int
    """Milliseconds since the epoch."""
    read: bool


def notify(db: Connection, account_id: str, kind: Kind, text: str, address: str = "") -> None:
    """Leave a message for somebody, in the transaction of what it is about."""
    notify_all(db, [account_id], kind, text, address)


def notify_all(db: Connection, account_ids: Iterable[str], kind: Kind, text: str, address: str = "") -> None:
    """Leave the same message for several people."""
    time = now()
    rows = [
        {"id": new_id(), "account_id": who, "kind": str(kind), "text": text, "address": address, "created": time}
        for who in sorted(set(account_ids))
    ]
    if rows:
        db.execute(insert(notice), rows)


def list_notices(db: Connection, account_id: str, *, limit: int = 50, before: int | None = None) -> list[Notice]:
    """Return somebody's messages, the newest first.

    Args:
        db: A transaction.
        account_id: Whose.
        limit: How many at most.
        before: Only those older than this time.
    """
    where = [notice.c.account_id == account_id]
    if before is not None:
        where.append(notice.c.created < before)
    rows = db.execute(select(notice).where(*where).order_by(notice.c.created.desc(), notice.c.id).limit(limit))
    return [Notice(row.id, row.kind, row.text, row.address, row.created, row.read is not None) for row in rows]


def count_unread(db: Connection, account_id: str) -> int:
    """Return how many messages somebody has not read."""
    where = (notice.c.account_id == account_id, notice.c.read.is_(None))
    return db.execute(select(func.count()).select_from(notice).where(*where)).scalar_one()


def mark_read(db: Connection, account_id: str) -> None:
    """Note that somebody has read all messages."""
    db.execute(update(notice).where(notice.c.account_id == account_id, notice.c.read.is_(None)).values(read=now()))
