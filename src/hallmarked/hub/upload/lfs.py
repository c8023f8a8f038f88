"""Large files by Git LFS: what has to be sent, and what may be fetched.

Source: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Action, Actor, Bytes, decide, load_standing
from hallmarked.hub.blob.digest import is_sha256
from hallmarked.hub.blob.possession import find_usable
from hallmarked.hub.clock import now, to_datetime
from hallmarked.hub.error import TooLarge
from hallmarked.hub.git.tree import read_tree
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Entry, effective_state
from hallmarked.hub.review.passage import is_lenient
from hallmarked.hub.review.succession import find_gone
from hallmarked.hub.schema.object import content, usage
from hallmarked.hub.schema.repository import ref, revision
from hallmarked.hub.setting import Policy

MAX_OBJECTS = 1_000
"""Files in one question."""
MAX_REVISIONS = 200
"""Newest revisions in which a file is looked for when somebody wants to fetch it."""


@dataclass(frozen=True, slots=True)
class Item:
    """A file that is spoken of."""

    sha256: str
    size: int
    """Bytes, as the client says."""


def read_items(objects: Any) -> list[Item]:
    """Read the files a batch names.

    Raises:
        InputError: When the list, or something in it, is not as it should be.
        TooLarge: When it is too long.
    """
    if not isinstance(objects, list):
        raise InputError("objects has to be a list")
    if len(objects) > MAX_OBJECTS:
        raise TooLarge(f"at most {MAX_OBJECTS:,} files can be named at once")
    return [read_item(item) for item in objects]


def read_item(item: Any) -> Item:
    """Read one file that a client names.

    Raises:
        InputError: When it is not ``{"oid": SHA-256, "size": number}``.
    """
    oid, size = (item.get("oid"), item.get("size")) if isinstance(item, dict) else (None, None)
    if not isinstance(oid, str) or not is_sha256(oid):
        raise InputError("oid has to be a SHA-256 digest: 64 lower-case hexadecimal digits")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 62:
        raise InputError("size has to be a number of bytes")
    return Item(oid, size)


def find_stored(db: Connection, actor: Actor, repo: Repository, items: Sequence[Item]) -> Collection[str]:
    """Return those files that need not be sent; see :mod:`hallmarked.hub.blob.possession` for who is told so."""
    known = find_usable(db, actor.account_id, repo.id, [item.sha256 for item in items])
    return {item.sha256 for item in items if item.sha256 in known and known[item.sha256].size == item.size}


def find_fetchable(
    db: Connection, actor: Actor, repo: Repository, policy: Policy, digests: Collection[str]
) -> dict[str, int]:
    """Return those files, with their sizes, that an actor may have out of a repository.

    A file may be had when it is in some revision that its branches and tags name, or in one of the newest others, the
    actor may have it as it is there, and the day until which that revision can be downloaded is not past. Whoever may
    have what is held back may have all of them.
    """
    standing = load_standing(db, actor, repo.scope)
    wanted = _pointers(db, repo, digests)
    found: dict[str, int] = {}
    seen: set[tuple[str, str]] = set()
    gone = find_gone(db, repo, policy, to_datetime(now()))
    for tree, state, reason in _revisions(db, repo, gone):
        if len(found) == len(wanted):
            break
        for name, oid in _files(db, tree, state, seen):
            large = wanted.get(oid)
            if large is not None and large.sha256 not in found:
                file = Entry(name, oid, size=large.size, sha256=large.sha256, large=True, passive=large.passive)
                asked = Bytes(state, is_lenient(policy, file), reason)
                if decide(actor, Action.READ, repo.scope, standing, asked) is None:
                    found[large.sha256] = large.size
    return found


def _pointers(db: Connection, repo: Repository, digests: Collection[str]) -> dict[str, Any]:
    """Return the pointers of files that the repository has.

    NOTE: not of those that others have, for which its whole history would be searched in vain: the time that takes
    would tell that the hub has them.
    """
    here = select(usage.c.sha256).where(usage.c.repository_id == repo.id)
    where = (content.c.large, content.c.sha256.in_(list(digests)), content.c.sha256.in_(here))
    return {row.oid: row for row in db.execute(select(content).where(*where))}


def _files(db: Connection, tree: str, state: str, seen: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield name and id of the files below a tree, but for folders that were seen in a revision of that state.

    Whether somebody may have a file there depends on its name alone, not on the folders it is in.
    """
    if (tree, state) in seen:
        return
    seen.add((tree, state))
    for name, entry in read_tree(db, tree).items():
        if entry.folder:
            yield from _files(db, entry.oid, state, seen)
        else:
            yield name, entry.oid


def _revisions(db: Connection, repo: Repository, gone: Collection[str]) -> Iterator[tuple[str, str, str]]:
    columns = select(revision.c.oid, revision.c.tree, revision.c.state, revision.c.reason, revision.c.until)
    mine = columns.where(revision.c.repository_id == repo.id)
    named = select(ref.c.oid).where(ref.c.repository_id == repo.id)
    seen: set[tuple[str, str]] = set()
    for query in (
        mine.where(revision.c.oid.in_(named)).limit(MAX_REVISIONS),
        mine.order_by(revision.c.created.desc()).limit(MAX_REVISIONS),
    ):
        for row in db.execute(query).all():
            state, reason = effective_state(row)
            if (row.tree, state) not in seen and row.oid not in gone:
                seen.add((row.tree, state))
                yield row.tree, state, reason
