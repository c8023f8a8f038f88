"""Which revisions wait for an audit.

The rows of the revisions themselves say so: what was committed waits, whatever happened to the process that took it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from hallmarked.checks.ruleset import rule_set_digest
from hallmarked.hub.job.audit import ASKED, Task, task_of
from hallmarked.hub.schema.repository import repository, revision

AHEAD = 2
"""Audits of one account that may stand in the queue: so whoever pushes a thousand times keeps nobody waiting."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An audit that should be done."""

    task: Task
    owner_id: str
    attempts: int


def list_new(db: Connection, limit: int, signatures: int = 0) -> list[Waiting]:
    """List revisions that were never audited, or that somebody wants audited again.

    The oldest few of each account, oldest first.

    Args:
        db: A transaction.
        limit: How many at most.
        signatures: Version of the malware signatures there are now; 0 when no scanner answers.
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
    return [Waiting(task_of(row.repository_id, row.oid, signatures), row.owner_id, row.attempts) for row in rows]


def list_outdated(db: Connection, limit: int, signatures: int = 0) -> list[Waiting]:
    """List revisions that were audited by other rules or with older malware signatures, longest ago first.

    Of machines whose scanners are not equally up to date, none judges again what another judged with newer signatures.

    Args:
        db: A transaction.
        limit: How many at most.
        signatures: Version of the malware signatures there are now; 0 when no scanner answers.
    """
    made, rules = revision.c, rule_set_digest()
    old = (made.rule_set < rules) | (made.rule_set > rules) | (made.signatures < signatures)
    rows = db.execute(
        select(made.repository_id, made.oid, made.attempts, repository.c.owner_id)
        .join(repository, repository.c.id == made.repository_id)
        .where(made.audited.is_(True), old, repository.c.deleted.is_(None))
        .order_by(func.coalesce(made.settled, 0), made.created, made.oid)
        .limit(limit)
    )
    return [Waiting(task_of(row.repository_id, row.oid, signatures), row.owner_id, row.attempts) for row in rows]


def count_waiting(db: Connection) -> int:
    """Count the revisions that were never audited."""
    where = (revision.c.state == "checking", revision.c.audited.is_(False))
    return db.execute(select(func.count()).select_from(revision).where(*where)).scalar_one()
