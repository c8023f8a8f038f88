"""Forget for good what was deleted and cannot be restored any more."""

from __future__ import annotations

from sqlalchemy import delete, select

from hallmarked.hub.access import ANYBODY
from hallmarked.hub.clock import now
from hallmarked.hub.database import Database
from hallmarked.hub.schema.repository import repository
from hallmarked.hub.trail import record

DAY = 86_400_000


def purge(database: Database, days: int) -> int:
    """Remove repositories that were deleted at least so many days ago, with all that hangs on them.

    Their git objects and files stay until they are collected as unused; statements stay in the ledger.

    Returns:
        How many.

    Raises:
        BackendError: When the database cannot be written.
    """
    with database.write() as db:
        old = select(repository.c.id).where(repository.c.deleted <= now() - days * DAY)
        gone = list(db.execute(old).scalars())
        for name in gone:
            db.execute(delete(repository).where(repository.c.id == name))
            record(db, ANYBODY, "repository:repository:purged", f"repository:{name}")
    return len(gone)
