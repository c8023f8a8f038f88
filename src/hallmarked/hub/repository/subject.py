"""What statements about a revision are about: its commit, and the digest of its files, which anybody can compute."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select

from hallmarked.core.digest import dir_hash
from hallmarked.core.evidence import Statement, Subject
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Revision, find_revision, list_files
from hallmarked.hub.schema.repository import revision

COMMIT, FOLDER = "gitCommit", "dirHash"
MOST_NEW = 20
"""Revisions without an audit whose files are looked at for what a statement may be about."""


def subject_of(db: Connection, repo: Repository, at: Revision) -> Subject:
    """Return what is stated about when something is stated about a revision, as its audit does."""
    digests = {COMMIT: at.oid}
    known = db.execute(select(revision.c.digest).where(revision.c.repository_id == repo.id, revision.c.oid == at.oid))
    if folder := known.scalar() or _folder(db, at):
        digests[FOLDER] = folder
    return Subject(repo.name, digests)


def find_subject(db: Connection, repo: Repository, statement: Statement) -> str:
    """Return the commit of a repository that a statement is about; empty when it is about none.

    Digests of one subject must not contradict each other: one that names a commit of the repository and the files of
    another is about neither.
    """
    for subject in statement.subjects:
        oid, folder = subject.digest.get(COMMIT, ""), subject.digest.get(FOLDER, "")
        found = [oid] if oid and _has(db, repo, oid) else _by_folder(db, repo, folder) if folder and not oid else []
        for one in found:
            about = subject_of(db, repo, find_revision(db, repo, one)).digest
            if not folder or about.get(FOLDER) == folder:
                return one
    return ""


def alike(db: Connection, repo: Repository, at: Revision) -> Collection[str]:
    """Return the commits of a repository that have exactly the files of a revision, itself among them."""
    folder = subject_of(db, repo, at).digest.get(FOLDER, "")
    return {at.oid, *(_by_folder(db, repo, folder) if folder else ())}


def _has(db: Connection, repo: Repository, oid: str) -> bool:
    made = revision.c
    return db.execute(select(made.oid).where(made.repository_id == repo.id, made.oid == oid)).first() is not None


def _by_folder(db: Connection, repo: Repository, folder: str) -> Sequence[str]:
    """Return the commits that have these files, newest first."""
    made = revision.c
    mine = select(made.oid).where(made.repository_id == repo.id).order_by(made.created.desc(), made.oid)
    found = list(db.execute(mine.where(made.digest == folder)).scalars())
    new = db.execute(mine.where(made.digest == "").limit(MOST_NEW)).scalars().all()
    return [*found, *(oid for oid in new if _folder(db, find_revision(db, repo, oid)) == folder)]


def _folder(db: Connection, at: Revision) -> str:
    """Compute the digest of a revision's files; empty when their names are such that it means nothing."""
    try:
        return dir_hash({entry.path: entry.sha256 for entry in list_files(db, at)})
    except ValueError:
        return ""
