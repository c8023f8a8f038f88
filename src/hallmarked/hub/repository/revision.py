"""Branches, tags and commits of a repository, and the files of a revision."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from hallmarked.core.errors import Forbidden, InputError
from hallmarked.hub.clock import now
from hallmarked.hub.database import in_parts
from hallmarked.hub.error import Conflict, EntryNotFound, RevisionNotFound
from hallmarked.hub.git.object import read_object
from hallmarked.hub.git.tree import find, find_many, read_tree, walk
from hallmarked.hub.outbound.announcement import announce, moved
from hallmarked.hub.path import check_branch
from hallmarked.hub.repository.repository import MAIN, Repository
from hallmarked.hub.schema.object import content
from hallmarked.hub.schema.repository import ref, revision

HEADS, TAGS, PULLS = "refs/heads/", "refs/tags/", "refs/pr/"
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_SHORT = re.compile(r"[0-9a-f]{7,39}\Z")


@dataclass(frozen=True, slots=True)
class Revision:
    """One commit of a repository."""

    oid: str
    tree: str
    parent: str
    """Empty for the first."""
    title: str
    created: int
    """Milliseconds since the epoch."""
    account_id: str | None
    """Who made it."""
    state: str
    """``checking``, ``available``, ``held`` or ``unknown``."""
    reason: str
    audited: bool
    until: int | None = None
    """When what makes it available runs out, milliseconds since the epoch; None when it does not."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder of a revision."""

    path: str
    oid: str
    folder: bool = False
    size: int = 0
    """Of the file, bytes."""
    sha256: str = ""
    """Of the file."""
    large: bool = False
    """The git object is a pointer; the bytes are in the blob store."""
    passive: bool = False
    """No loader runs code from such a file."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A name for a commit."""

    name: str
    """``refs/heads/main``."""
    oid: str
    message: str = ""


def find_revision(db: Connection, repo: Repository, name: str) -> Revision:
    """Return the revision a branch, tag, pull request or commit id names.

    Raises:
        RevisionNotFound: When the repository has none of that name.
    """
    table = revision.c
    if _COMMIT.match(name):
        where = table.oid == name
    else:
        full = [name] if name.startswith("refs/") else [HEADS + name, TAGS + name]
        rows = db.execute(select(ref.c.name, ref.c.oid).where(ref.c.repository_id == repo.id, ref.c.name.in_(full)))
        named = {row.name: row.oid for row in rows}
        oid = next((named[candidate] for candidate in full if candidate in named), None)
        if oid is None and _SHORT.match(name):
            found = db.execute(
                select(table.oid).where(table.repository_id == repo.id, table.oid.startswith(name)).limit(2)
            ).all()
            oid = found[0].oid if len(found) == 1 else None
        if oid is None:
            raise RevisionNotFound(f"{repo.name} has no revision {name[:200]}")
        where = table.oid == oid
    row = db.execute(select(revision).where(table.repository_id == repo.id, where)).first()
    if row is None:
        raise RevisionNotFound(f"{repo.name} has no revision {name[:200]}")
    state, reason = effective_state(row)
    return Revision(
        row.oid, row.tree, row.parent, row.title, row.created, row.account_id, state, reason, row.audited, row.until
    )


def effective_state(row: Any) -> tuple[str, str]:
    """Return the state of a row of revisions and its reason: what ran out is held back until it is decided again."""
    if row.state == "available" and row.until is not None and row.until < now():
        return "held", "what it was let pass by ran out, and it has to be decided again"
    return row.state, row.reason


def find_entry(db: Connection, at: Revision, path: str) -> Entry:
    """Return a file or folder of a revision.

    Raises:
        EntryNotFound: When there is nothing at that path.
    """
    entry = find(db, at.tree, path)
    if entry is None:
        raise EntryNotFound(f"there is no {path[:200]} in revision {at.oid[:7]}", at.oid)
    if entry.folder:
        return Entry(path, entry.oid, folder=True)
    return describe_files(db, [(path, entry.oid)])[0]


def find_entries(db: Connection, at: Revision, paths: Iterable[str]) -> Mapping[str, Entry]:
    """Return files and folders of a revision by path; those that are not there are left out."""
    found = find_many(db, at.tree, paths)
    files = describe_files(db, [(path, entry.oid) for path, entry in found.items() if not entry.folder])
    folders = {path: Entry(path, entry.oid, folder=True) for path, entry in found.items() if entry.folder}
    return folders | {entry.path: entry for entry in files}


def list_entries(
    db: Connection, at: Revision, path: str = "", *, recursive: bool = True, after: str = "", count: int | None = None
) -> Sequence[Entry]:
    """List files and folders below a path, in git's order.

    Args:
        db: A transaction.
        at: The revision.
        path: Of a folder.
        recursive: Whether what its folders hold is wanted too.
        after: The path that the page before this one ended with.
        count: How many at most.

    Raises:
        EntryNotFound: When there is no such folder.
    """
    root = find(db, at.tree, path)
    if root is None or not root.folder:
        raise EntryNotFound(f"there is no folder {path[:200]} in revision {at.oid[:7]}", at.oid)
    prefix = f"{path}/" if path else ""
    if recursive:
        found = list(walk(db, root.oid, prefix, folders=True))
    else:
        found = [(prefix + name, entry) for name, entry in read_tree(db, root.oid).items()]
    start = next((n + 1 for n, (known, _) in enumerate(found) if known == after), 0) if after else 0
    found = found[start : None if count is None else start + count]
    files = {entry.path: entry for entry in describe_files(db, [(p, e.oid) for p, e in found if not e.folder])}
    return [files[p] if not e.folder else Entry(p, e.oid, folder=True) for p, e in found]


def list_files(db: Connection, at: Revision) -> Sequence[Entry]:
    """List all files of a revision, in git's order."""
    return [entry for entry in list_entries(db, at) if not entry.folder]


def read_text(db: Connection, entry: Entry) -> bytes:
    """Return the bytes of a file that is kept as a git object (not a large one)."""
    return read_object(db, entry.oid)[1]


def list_history(db: Connection, repo: Repository, at: Revision) -> Iterator[Revision]:
    """Yield a revision and its ancestors, newest first."""
    here: Revision | None = at
    while here is not None:
        yield here
        here = find_revision(db, repo, here.parent) if here.parent else None


def list_refs(db: Connection, repo: Repository) -> Sequence[Ref]:
    """List all names for commits."""
    rows = db.execute(select(ref).where(ref.c.repository_id == repo.id).order_by(ref.c.name))
    return [Ref(row.name, row.oid, row.message) for row in rows]


def create_ref(db: Connection, repo: Repository, name: str, oid: str, message: str = "") -> None:
    """Name a commit.

    Raises:
        InputError: When the name is not accepted.
        Conflict: When it is taken.
    """
    prefix = next(prefix for prefix in (HEADS, TAGS, PULLS) if name.startswith(prefix))
    short = check_branch(name.removeprefix(prefix))
    if prefix != PULLS and short.startswith("refs/"):
        raise InputError(f"Invalid reference for a branch or tag: {short[:80]} would be taken for a full name")
    if db.execute(select(ref.c.oid).where(ref.c.repository_id == repo.id, ref.c.name == name)).first():
        raise Conflict(f"Reference {name} already exists in {repo.name}")
    db.execute(insert(ref).values(repository_id=repo.id, name=name, oid=oid, message=message))
    if prefix != PULLS:  # of a pull request its discussion tells
        announce(db, repo.scope, moved(name, None, oid))


def delete_ref(db: Connection, repo: Repository, name: str) -> None:
    """Forget a name; the commits stay.

    Raises:
        RevisionNotFound: When there is none.
        Forbidden: When it is the main branch.
    """
    if name == MAIN:
        raise Forbidden(f"Cannot delete {MAIN}: it is the main branch")
    where = (ref.c.repository_id == repo.id, ref.c.name == name)
    old = db.execute(delete(ref).where(*where).returning(ref.c.oid)).scalar()
    if old is None:
        raise RevisionNotFound(f"Invalid rev id: {repo.name} has no {name[:200]}")
    announce(db, repo.scope, moved(name, old, None))


def move_ref(db: Connection, repo: Repository, name: str, old: str, new: str) -> bool:
    """Let a name lead to another commit, if it still leads to ``old``; False when it does not."""
    where = (ref.c.repository_id == repo.id, ref.c.name == name, ref.c.oid == old)
    return db.execute(update(ref).where(*where).values(oid=new)).rowcount == 1


def describe_files(db: Connection, files: Sequence[tuple[str, str]]) -> list[Entry]:
    """Add to paths and ids what is known of the files."""
    known: dict[str, Row[Any]] = {}
    for part in in_parts({oid for _, oid in files}):
        known |= {row.oid: row for row in db.execute(select(content).where(content.c.oid.in_(part)))}
    return [
        Entry(path, oid, False, known[oid].size, known[oid].sha256, known[oid].large, known[oid].passive)
        for path, oid in files
    ]
