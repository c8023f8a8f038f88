"""Which large files a repository holds, where they are found in it, and how much room they take."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, true

from hallmarked.hub.git.tree import walk
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import describe_files, list_refs
from hallmarked.hub.schema.account import account
from hallmarked.hub.schema.object import blob, usage
from hallmarked.hub.schema.repository import repository, revision

MAX_LISTED = 10_000
MAX_TREES, MAX_ENTRIES = 300, 200_000
"""Revisions and files that are looked through for the names of large files."""


@dataclass(frozen=True, slots=True)
class Large:
    """A large file of a repository."""

    sha256: str
    size: int
    created: int
    """When it arrived, milliseconds since the epoch."""
    path: str
    """Where it is found; empty when that is too far back in the history."""
    ref: str
    """Full name of a branch that has it; empty when none does."""


def used_bytes(db: Connection, repository_id: str) -> int:
    """Return how many bytes the large files of a repository have, each counted once."""
    total = select(func.sum(blob.c.size)).join(usage, usage.c.sha256 == blob.c.sha256)
    return int(db.execute(total.where(usage.c.repository_id == repository_id)).scalar_one() or 0)


def list_large(db: Connection, repo: Repository, *, after: str = "", count: int = 1_000) -> Sequence[Large]:
    """List the large files of a repository by digest, beginning behind one."""
    rows = db.execute(
        select(blob.c.sha256, blob.c.size, blob.c.created)
        .join(usage, usage.c.sha256 == blob.c.sha256)
        .where(usage.c.repository_id == repo.id, blob.c.sha256 > after)
        .order_by(blob.c.sha256)
        .limit(count)
    ).all()
    places = _places(db, repo, {row.sha256 for row in rows})
    return [Large(row.sha256, row.size, row.created, *places.get(row.sha256, ("", ""))) for row in rows]


def _places(db: Connection, repo: Repository, wanted: set[str]) -> dict[str, tuple[str, str]]:
    """Find a path and a branch for digests: in what branches lead to first, then in the newest other revisions."""
    refs = [(ref.oid, ref.name) for ref in list_refs(db, repo)][:MAX_TREES]
    table = revision.c
    rows = db.execute(
        select(table.oid, table.tree)
        .where(table.repository_id == repo.id)
        .order_by(table.created.desc())
        .limit(MAX_TREES)
    )
    oids = {oid for oid, _ in refs}
    where = (table.repository_id == repo.id, table.oid.in_(oids))
    trees = {row.oid: row.tree for row in db.execute(select(table.oid, table.tree).where(*where))}
    sources = [(trees[oid], name) for oid, name in refs] + [(row.tree, "") for row in rows]
    found: dict[str, tuple[str, str]] = {}
    seen: set[str] = set()
    looked = 0
    for tree, name in sources:
        if tree in seen or len(found) == len(wanted) or looked > MAX_ENTRIES:
            continue
        seen.add(tree)
        files = [(path, entry.oid) for path, entry in walk(db, tree)]
        looked += len(files)
        for entry in describe_files(db, files):
            if entry.large and entry.sha256 in wanted:
                found.setdefault(entry.sha256, (entry.path, name))
    return found


@dataclass(frozen=True, slots=True)
class Storage:
    """A repository and the room it takes."""

    name: str
    kind: str
    visibility: str
    modified: int
    size: int
    """Bytes of its large files, each counted once."""


def list_storage(db: Connection, account_id: str, only: Collection[str] | None = None) -> Sequence[Storage]:
    """List somebody's repositories, the largest first.

    Args:
        db: A transaction.
        account_id: A user or an organisation.
        only: Ids of those that may be listed; None for all.
    """
    table = repository.c
    size = func.coalesce(func.sum(blob.c.size), 0).label("size")
    rows = db.execute(
        select(account.c.name.label("owner"), table.name, table.kind, table.visibility, table.modified, size)
        .join(account, account.c.id == table.owner_id)
        .outerjoin(usage, usage.c.repository_id == table.id)
        .outerjoin(blob, blob.c.sha256 == usage.c.sha256)
        .where(
            table.owner_id == account_id,
            table.deleted.is_(None),
            table.id.in_(sorted(only)) if only is not None else true(),
        )
        .group_by(table.id, account.c.name, table.name, table.kind, table.visibility, table.modified)
        .order_by(size.desc(), table.id)
        .limit(MAX_LISTED)
    )
    return [Storage(f"{row.owner}/{row.name}", row.kind, row.visibility, row.modified, int(row.size)) for row in rows]
