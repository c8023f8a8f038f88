"""Audits that somebody asks for again: because one was not complete, or was done in other circumstances.

What an audit found before stays, in the database and in the ledger; the newest one counts.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, or_, select, update

from hallmarked.hub.access import Action, Actor, require
from hallmarked.hub.clock import now
from hallmarked.hub.error import Conflict, TooMany
from hallmarked.hub.job.audit import ASKED
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Revision
from hallmarked.hub.schema.repository import revision
from hallmarked.hub.schema.review import audit
from hallmarked.hub.trail import Tag, record

PAUSE_SECONDS = 600
"""How long after an audit the next one of the same revision can be asked for."""
AUDITS = 6
"""Audits that somebody may ask for, a minute."""


def is_waiting(db: Connection, repository_id: str, oid: str) -> bool:
    """Say whether a revision is to be audited, for the first time or again."""
    made = revision.c
    where = (made.repository_id == repository_id, made.oid == oid, made.rule_set == ASKED)
    return db.execute(select(made.oid).where(*where, or_(made.audited, made.state == "checking"))).first() is not None


def audit_again(db: Connection, actor: Actor, repo: Repository, at: Revision) -> None:
    """Let a revision be audited again, soon; its state stays what it is until then.

    Args:
        db: A writing transaction.
        actor: An owner or reviewer.
        repo: The repository.
        at: The revision.

    Raises:
        Forbidden: When the actor may not.
        Conflict: When it waits to be audited already.
        TooMany: When it was audited a moment ago.
    """
    require(db, actor, Action.REVIEW, repo.scope)
    made = revision.c
    where = (made.repository_id == repo.id, made.oid == at.oid)
    if is_waiting(db, repo.id, at.oid):
        raise Conflict("this revision waits to be audited already")
    past = audit.c
    last = db.execute(
        select(func.max(past.created)).where(past.repository_id == repo.id, past.revision == at.oid)
    ).scalar()
    left = PAUSE_SECONDS - (now() - last) // 1000 if last is not None else 0
    if left > 0:
        raise TooMany(f"this revision was audited a moment ago; try again in {left} seconds", left)
    db.execute(update(revision).where(*where).values(rule_set=ASKED, attempts=0))
    record(db, actor, Tag.AUDIT_ASKED, f"repository:{repo.id}", {"revision": at.oid})
