"""Deleted repositories that can still be restored, and by whom."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from hallmarked.core.errors import NotFound
from hallmarked.hub.access import Actor, Role, require_change
from hallmarked.hub.clock import now
from hallmarked.hub.repository.repository import Repository, repository_of, restore_repository
from hallmarked.hub.schema.account import account, membership
from hallmarked.hub.schema.repository import repository

DAY = 86_400_000
"""Milliseconds."""
MOST = 200
"""Repositories listed at once."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """A repository that was deleted."""

    id: str
    kind: str
    name: str
    """``owner/name``, as it was called."""
    deleted: int
    """When, milliseconds since the epoch."""
    until: int
    """Until when it can be restored; likewise."""


def list_deleted(db: Connection, actor: Actor, days: int) -> list[Deleted]:
    """List what an actor can restore: what was theirs, their organisations'; for administrators what was anybody's.

    Args:
        db: A transaction.
        actor: Who asks.
        days: For how long a deleted repository can be restored.

    Raises:
        Forbidden: When the actor may not change anything.
    """
    table, me = repository.c, require_change(actor)
    where = [table.deleted > now() - days * DAY]
    if not actor.administrator:
        homes = select(membership.c.organisation_id).where(
            membership.c.account_id == me, membership.c.role == Role.OWNER
        )
        where.append(or_(table.owner_id == me, table.owner_id.in_(homes)))
    rows = db.execute(
        select(table.id, table.kind, table.name, table.deleted, account.c.name.label("owner"))
        .join(account, account.c.id == table.owner_id)
        .where(*where)
        .order_by(table.deleted.desc(), table.id)
        .limit(MOST)
    )
    return [Deleted(row.id, row.kind, f"{row.owner}/{row.name}", row.deleted, row.deleted + days * DAY) for row in rows]


def restore(db: Connection, actor: Actor, repository_id: str, days: int) -> Repository:
    """Undo a deletion: an owner may, and an administrator.

    Args:
        db: A writing transaction.
        actor: Who restores it.
        repository_id: Which.
        days: For how long a deleted repository can be restored.

    Raises:
        NotFound: When there is nothing that the actor can restore.
        Conflict: When the name was taken meanwhile.
        Forbidden: When the actor may not change anything.
    """
    me, table = require_change(actor), repository.c
    where = (table.id == repository_id, table.deleted > now() - days * DAY)
    owner = db.execute(select(table.owner_id).where(*where)).scalar()
    mine = membership.c
    roles = select(mine.role).where(mine.organisation_id == owner, mine.account_id == me, mine.role == Role.OWNER)
    if owner is None or not (actor.administrator or owner == me or db.execute(roles).first()):
        raise NotFound("there is no deleted repository of that kind that you can restore")
    restore_repository(db, repository_id, by=actor)
    return repository_of(db, repository_id)
