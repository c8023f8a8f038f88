"""What people hold back stays held back in new revisions of the repository that have the same files.

Otherwise anybody could get at such a file: its owner by squashing the history, everybody else by offering a change to
another file. A revision without these files is not concerned; of one that keeps some, people decide again.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from sqlalchemy import Connection, select

from hallmarked.hub.git.tree import walk
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Revision, find_revision, list_history
from hallmarked.hub.review.decision import Act, Decision, list_decisions, standing
from hallmarked.hub.review.moderation import Case, continue_hold
from hallmarked.hub.schema.repository import revision
from hallmarked.hub.schema.review import decision
from hallmarked.hub.setting import Policy

MOST_BACK = 50
"""Revisions that are looked through for the newest before a held one that others can have."""


def list_holds(db: Connection, repository_id: str) -> Mapping[str, Decision]:
    """Return the revisions of a repository that people hold back now, each with the decision."""
    made = decision.c
    where = (made.repository_id == repository_id, made.kind == Act.HOLD, made.account_id.is_not(None))
    there = (revision.c.repository_id == made.repository_id) & (revision.c.oid == made.revision)
    oids = db.execute(select(made.revision).join(revision, there).where(*where).distinct()).scalars().all()
    last = {oid: standing(list_decisions(db, repository_id, oid)) for oid in oids}
    return {oid: one for oid, one in last.items() if one is not None and one.by_people}


def carry_holds(db: Connection, repo: Repository, at: Revision) -> None:
    """Hold a new revision back when it has files for which people hold back another one.

    Args:
        db: A writing transaction.
        repo: The repository.
        at: Its new revision.
    """
    holds = list_holds(db, repo.id)
    if not holds or at.oid in holds:
        return
    files = {entry.oid for _, entry in walk(db, at.tree)}
    for oid, held in holds.items():
        if files & _held_files(db, repo, find_revision(db, repo, oid)):
            continue_hold(db, Case(repo, at, Policy()), held)
            return


def _held_files(db: Connection, repo: Repository, at: Revision) -> set[str]:
    """Return the ids of files that a held revision has, and the newest before it that is not held does not."""
    before = (each for each in islice(list_history(db, repo, at), MOST_BACK) if each.state != "held")
    base = next(before, None)
    known = {entry.oid for _, entry in walk(db, base.tree)} if base is not None else set()
    return {entry.oid for _, entry in walk(db, at.tree)} - known
