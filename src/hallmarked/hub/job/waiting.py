"""Which revisions wait for an audit.

The rows of the revisions themselves say so: what was committed waits, whatever happened to the process that took it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from hallmarked.checks.ruleset import rule_set_digest
from hallmarked.hub.job.audit import Task
from hallmarked.hub.schema.repository import ref, repository, revision

AHEAD = 2
"""Audits of one account that may stand in the queue: so whoever pushes a thousand times keeps nobody waiting."""


ASKED = ""
"""Rule set of a revision that no rules have judged yet, or that has to be judged again whatever rules did."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An audit that should be done."""

    task: Task
    owner_id: str
    attempts: int


def list_new(db: Connection, limit: int) -> list[Waiting]:
    """List revisions that were never audited, or that somebody wants audited again.

    The oldest few of each account, oldest first.
    """
    made = revision.c
    turn = func.row_number().over(partition_by=repository.c.owner_id, order_by=(made.created, made.oid)).label("turn")
    ranked = (
        select(made.repository_id, made.oid, made.created, made.attempts, repository.c.owner_id, turn)
        .join(repository, repository.c.id == made.repository_id)
        .where(made.rule_set == ASKED, or_(made.state == "checking", made.audited))
        .subquery()
    )
    rows = db.execute(select(ranked).where(ranked.c.turn <= AHEAD).order_by(ranked.c.created).limit(limit))
    rules = rule_set_digest()
    return [Waiting(Task(row.repository_id, row.oid, rules), row.owner_id, row.attempts) for row in rows]


def list_outdated(db: Connection, limit: int) -> list[Waiting]:
    """List revisions that were audited by other rules: those that a branch or tag names first, then the newest."""
    made, rules = revision.c, rule_set_digest()
    named = select(ref.c.oid).where(ref.c.repository_id == made.repository_id, ref.c.oid == made.oid).exists()
    rows = db.execute(
        select(made.repository_id, made.oid, made.attempts, repository.c.owner_id)
        .join(repository, repository.c.id == made.repository_id)
        .where(
            made.audited.is_(True), (made.rule_set < rules) | (made.rule_set > rules), repository.c.deleted.is_(None)
        )
        .order_by(named.desc(), made.created.desc())
        .limit(limit)
    )
    return [Waiting(Task(row.repository_id, row.oid, rules), row.owner_id, row.attempts) for row in rows]


def count_waiting(db: Connection) -> int:
    """Count the revisions that were never audited."""
    where = (revision.c.state == "checking", revision.c.audited.is_(False))
    return db.execute(select(func.count()).select_from(revision).where(*where)).scalar_one()
