"""Which repositories may be asked, and which index each has.

An index is of one revision. It answers only while that revision is the newest of the main branch and can be had: one
that is held back, deleted or followed by another one answers nobody, from the same moment on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, insert, select, true, update

from hallmarked.hub.access import Action, Actor, require
from hallmarked.hub.clock import now
from hallmarked.hub.repository.repository import MAIN, Repository
from hallmarked.hub.schema.passage import passage_index
from hallmarked.hub.schema.repository import ref, repository, revision
from hallmarked.hub.trail import Tag, record

AVAILABLE = "available"
CLAIM = 2 * 3600 * 1000
"""Milliseconds after which whoever began to make an index is taken to be gone."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a repository stands that may be asked."""

    revision: str
    """The commit that is indexed; empty when none is."""
    folder: str
    documents: int
    missing: int
    """Rows or parts of it that could not be read."""
    reason: str
    """Why the newest revision has no index; empty when it has one, or is still to get it."""
    current: bool
    """Whether the index answers: its revision is the newest, and can be had."""


@dataclass(frozen=True, slots=True)
class Due:
    """A repository whose newest revision is to be indexed."""

    repository_id: str
    revision: str


@dataclass(frozen=True, slots=True)
class Made:
    """An index that was made."""

    folder: str
    documents: int
    missing: int


def set_searchable(db: Connection, actor: Actor, repo: Repository, allowed: bool) -> None:
    """Let others ask what is in a repository, or no longer.

    Args:
        db: A writing transaction.
        actor: Who decides: an owner.
        repo: The repository.
        allowed: Whether others may ask.

    Raises:
        Forbidden: When the actor may not decide.
    """
    require(db, actor, Action.MANAGE, repo.scope)
    mine = passage_index.c.repository_id == repo.id
    known = db.execute(select(passage_index.c.repository_id).where(mine)).first() is not None
    if known == allowed:
        if allowed:
            db.execute(update(passage_index).where(mine).values(tried="", reason=""))
        return
    if allowed:
        db.execute(insert(passage_index).values(repository_id=repo.id, created=now()))
    else:
        db.execute(delete(passage_index).where(mine))
    record(db, actor, Tag.REPOSITORY_SEARCH_CHANGED, f"repository:{repo.id}", {"allowed": allowed})


def standing_of(db: Connection, repository_id: str) -> Standing | None:
    """Return how a repository stands; None when nobody may ask it."""
    row = db.execute(_rows().where(passage_index.c.repository_id == repository_id)).first()
    return _standing(row) if row is not None else None


def list_current(db: Connection, only: str = "") -> list[tuple[str, Standing]]:
    """Return the ids of the repositories whose index answers, those that changed last first.

    Whoever asks has to be allowed to read each of them, see :func:`hallmarked.hub.access.decide`.

    Args:
        db: A transaction.
        only: The id of the only repository that is meant; all when empty.
    """
    where = (
        ref.c.oid == passage_index.c.revision, revision.c.state == AVAILABLE, passage_index.c.folder != "",
        repository.c.deleted.is_(None), passage_index.c.repository_id == only if only else true(),
    )  # fmt: skip
    rows = db.execute(_rows().where(*where).order_by(repository.c.modified.desc(), repository.c.id))
    return [(row.repository_id, _standing(row)) for row in rows]


def list_due(db: Connection) -> list[Due]:
    """Return the repositories whose newest revision can be had and has no index, and that nobody works on."""
    where = (revision.c.state == AVAILABLE, repository.c.deleted.is_(None), ref.c.oid != passage_index.c.revision)
    rows = db.execute(_rows().where(*where, _is_free(ref.c.oid)).order_by(passage_index.c.created))
    return [Due(row.repository_id, row.newest) for row in rows]


def claim(db: Connection, due: Due) -> bool:
    """Begin to make an index; False when another process did, or the owner does not want it any more."""
    mine = (passage_index.c.repository_id == due.repository_id, _is_free(due.revision))
    values = {"claimed": now(), "tried": due.revision, "reason": ""}
    return db.execute(update(passage_index).where(*mine).values(**values)).rowcount == 1


def _is_free(commit: str | ColumnElement[str]) -> ColumnElement[bool]:
    """Whether nobody makes, or has tried to make, an index of a revision; who began long ago is taken to be gone."""
    table = passage_index.c
    return and_(table.claimed.is_(None), table.tried != commit) | (table.claimed < now() - CLAIM)


def settle(db: Connection, due: Due, made: Made | None, reason: str = "") -> str | None:
    """Write down what came of making an index.

    Returns:
        The name of the folder that is of no use any more: of the index before, or of this one when nobody wants it by
        now; None when there is none.
    """
    table = passage_index.c
    mine = table.repository_id == due.repository_id
    row = db.execute(select(table.folder, table.tried).where(mine)).first()
    if row is None or row.tried != due.revision:
        return made.folder if made else None
    values: dict[str, object] = {"claimed": None, "reason": reason[:500]}
    if made is not None:
        values |= {
            "revision": due.revision, "folder": made.folder, "documents": made.documents, "missing": made.missing
        }  # fmt: skip
    db.execute(update(passage_index).where(mine).values(**values))
    return str(row.folder) or None if made is not None else None


def forget_stale(db: Connection) -> Sequence[str]:
    """Forget the indexes that answer nobody any more, and return the names of their folders."""
    table = passage_index.c
    gone = []
    for row in db.execute(_rows().where(table.folder != "")).all():
        if row.newest != row.revision or row.state != AVAILABLE or row.deleted is not None:
            values = {"revision": "", "folder": "", "documents": 0, "missing": 0, "tried": ""}
            db.execute(update(passage_index).where(table.repository_id == row.repository_id).values(**values))
            gone.append(str(row.folder))
    return gone


def list_folders(db: Connection) -> set[str]:
    """Return the names of the folders that are in use."""
    return set(db.scalars(select(passage_index.c.folder)))


def forget_folder(db: Connection, folder: str) -> None:
    """Have an index made again whose folder is not there any more, as after a backup was restored."""
    values = {"revision": "", "folder": "", "documents": 0, "missing": 0, "tried": ""}
    db.execute(update(passage_index).where(passage_index.c.folder == folder).values(**values))


def _rows() -> Select[Any]:
    return (
        select(passage_index, repository.c.deleted, ref.c.oid.label("newest"), revision.c.state)
        .join(repository, repository.c.id == passage_index.c.repository_id)
        .outerjoin(ref, (ref.c.repository_id == repository.c.id) & (ref.c.name == MAIN))
        .outerjoin(revision, (revision.c.repository_id == repository.c.id) & (revision.c.oid == ref.c.oid))
    )


def _standing(row: Row[Any]) -> Standing:
    current = bool(row.folder) and row.newest == row.revision and row.state == AVAILABLE and row.deleted is None
    return Standing(row.revision, row.folder, row.documents, row.missing, row.reason, current)
