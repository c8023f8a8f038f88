"""Who belongs to an organisation, and how much somebody has made."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from hallmarked.hub.account.account import Account, from_row
from hallmarked.hub.schema.account import account, membership
from hallmarked.hub.schema.community import discussion, like
from hallmarked.hub.schema.repository import repository


def list_members(db: Connection, organisation_id: str, *, count: int, after: str = "") -> Sequence[Account]:
    """List the members of an organisation by name, beginning behind one."""
    rows = db.execute(
        select(account)
        .join(membership, membership.c.account_id == account.c.id)
        .where(
            membership.c.organisation_id == organisation_id,
            account.c.disabled.is_(None),
            account.c.key > after.lower(),
        )
        .order_by(account.c.key)
        .limit(count)
    )
    return [from_row(row) for row in rows]


def count_work(db: Connection, account_id: str) -> dict[str, int]:
    """Count somebody's public repositories by kind, their discussions and what they like."""
    table = repository.c
    where = (table.owner_id == account_id, table.deleted.is_(None), table.visibility == "public", table.disabled == "")
    found = dict.fromkeys(("model", "dataset", "system"), 0)
    for row in db.execute(select(table.kind, func.count().label("number")).where(*where).group_by(table.kind)):
        found[row.kind] = row.number
    for name, other in (("discussion", discussion), ("like", like)):
        here = select(func.count()).select_from(other.join(repository, table.id == other.c.repository_id))
        public = (table.deleted.is_(None), table.visibility == "public", table.disabled == "")
        found[name] = db.execute(here.where(other.c.account_id == account_id, *public)).scalar_one()
    return found
