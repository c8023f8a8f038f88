"""Objects with the ids git gives them: commits, trees and small files.

Source: "Git Internals - Git Objects", https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree
from sqlalchemy import Connection, select

from hallmarked.core.errors import BackendError
from hallmarked.hub.database import add_new
from hallmarked.hub.schema.object import object_

FILE, FOLDER = 0o100644, 0o040000
EMPTY_TREE = Tree().id.decode()
KINDS = {b"blob": "blob", b"tree": "tree", b"commit": "commit", b"tag": "tag"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree."""

    folder: bool
    oid: str


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a commit, as git writes it."""

    name: str
    time: int
    """Seconds since the epoch, UTC."""


def encode_blob(data: bytes) -> tuple[str, bytes]:
    """Return id and body of a file."""
    return _encoded(Blob.from_string(data))


def encode_tree(entries: Mapping[str, Entry]) -> tuple[str, bytes]:
    """Return id and body of a folder."""
    tree = Tree()
    for name, entry in entries.items():
        tree.add(name.encode(), FOLDER if entry.folder else FILE, ObjectID(entry.oid.encode()))
    return _encoded(tree)


def encode_commit(tree: str, parents: Sequence[str], author: Author, message: str) -> tuple[str, bytes]:
    """Return id and body of a commit."""
    commit = Commit()
    commit.tree = tree.encode()
    commit.parents = [ObjectID(parent.encode()) for parent in parents]
    commit.author = commit.committer = f"{author.name} <{author.name}@users.invalid>".encode()
    commit.author_time = commit.commit_time = author.time
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = message.encode()
    return _encoded(commit)


def add_objects(db: Connection, kind: str, objects: Iterable[tuple[str, bytes]]) -> None:
    """Keep objects, unless they are there already."""
    add_new(db, object_, [{"oid": oid, "kind": kind, "data": data} for oid, data in dict(objects).items()])


def read_object(db: Connection, oid: str) -> tuple[str, bytes]:
    """Return kind and body of an object.

    Raises:
        BackendError: When it is not there: something that names it was kept without it.
    """
    row = db.execute(select(object_.c.kind, object_.c.data).where(object_.c.oid == oid)).first()
    if row is None:
        raise BackendError(f"the git object {oid} is missing from the database")
    return row.kind, row.data


def _encoded(item: ShaFile) -> tuple[str, bytes]:
    return item.id.decode(), item.as_raw_string()
