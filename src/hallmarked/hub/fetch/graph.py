"""The commits of a repository as a graph, and which of them somebody may have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from hallmarked.core.errors import BackendError, Forbidden, InputError
from hallmarked.hub.access import Action, Actor, Bytes, Standing, decide, load_standing
from hallmarked.hub.git.tree import read_tree
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Ref, Revision, find_revision, list_files, list_refs
from hallmarked.hub.review.passage import is_lenient
from hallmarked.hub.schema.object import object_
from hallmarked.hub.schema.repository import revision
from hallmarked.hub.setting import Policy

MOST_COMMITS = 200_000
MOST_OBJECTS = 1_000_000
HEAD = 1_024
"""Bytes of a commit in which its tree and its parents are named; what it says may be a hundred times as long."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, as far as the graph goes."""

    tree: str
    parents: tuple[str, ...]


def load_history(db: Connection, repo: Repository) -> Mapping[str, Commit]:
    """Read all commits of a repository.

    Raises:
        InputError: When there are more than can be handled.
        BackendError: When one is damaged.
    """
    rows = db.execute(
        select(object_.c.oid, func.substr(object_.c.data, 1, HEAD).label("data"))
        .join(revision, revision.c.oid == object_.c.oid)
        .where(revision.c.repository_id == repo.id)
        .limit(MOST_COMMITS + 1)
    )
    found = {row.oid: _parse(row.oid, row.data) for row in rows}
    if len(found) > MOST_COMMITS:
        raise InputError(f"{repo.name} has more than {MOST_COMMITS:,} commits; use its files instead of git")
    return found


def _parse(oid: str, data: bytes) -> Commit:
    """Read the first lines of a commit: its tree and its parents."""
    tree, parents = "", []
    for line in data.partition(b"\n\n")[0].split(b"\n"):
        kind, _, rest = line.partition(b" ")
        if kind == b"tree":
            tree = rest.decode("ascii", "replace")
        elif kind == b"parent":
            parents.append(rest.decode("ascii", "replace"))
    if not tree:
        raise BackendError(f"the commit {oid} is damaged")
    return Commit(tree, tuple(parents))


class Reader:
    """Decides which revisions of a repository somebody may have by git, where all small files come with them.

    Args:
        db: A reading transaction.
        actor: Who asks.
        repo: The repository.
        policy: What the hub gives out before an audit is in.
    """

    def __init__(self, db: Connection, actor: Actor, repo: Repository, policy: Policy) -> None:
        self._db, self._actor, self._repo, self._policy = db, actor, repo, policy
        self._standing: Standing = load_standing(db, actor, repo.scope)
        self._known: dict[str, Forbidden | None] = {}

    def refusal(self, oid: str) -> Exception | None:
        """Return why a revision is not given out; None when it is."""
        if oid not in self._known:
            at = find_revision(self._db, self._repo, oid)
            wanted = Bytes(at.state, at.state not in ("available", "held") and self._is_lenient(at), at.reason)
            found = decide(self._actor, Action.READ, self._repo.scope, self._standing, wanted)
            self._known[oid] = found if isinstance(found, Forbidden) else None
            if found is not None and not isinstance(found, Forbidden):
                raise found
        return self._known[oid]

    def refs(self) -> Sequence[Ref]:
        """Return the names whose commits may be had.

        Raises:
            Forbidden: When there are names, but none of their commits may be had.
        """
        names = list_refs(self._db, self._repo)
        given = [ref for ref in names if self.refusal(ref.oid) is None]
        if names and not given:
            refusal = self.refusal(names[0].oid)
            assert refusal is not None
            raise refusal
        return given

    def _is_lenient(self, at: Revision) -> bool:
        # Of large files only the pointers are in a pack.
        return all(is_lenient(self._policy, entry) for entry in list_files(self._db, at) if not entry.large)


def ancestors(history: Mapping[str, Commit], tips: Iterable[str], ends: Collection[str] = ()) -> set[str]:
    """Return commits and all that came before them, not looking beyond ``ends``."""
    found: set[str] = set()
    pending = [tip for tip in tips if tip in history]
    while pending:
        oid = pending.pop()
        if oid not in found:
            found.add(oid)
            pending += () if oid in ends else [parent for parent in history[oid].parents if parent in history]
    return found


def to_depth(history: Mapping[str, Commit], tips: Iterable[str], depth: int) -> dict[str, int]:
    """Return commits at most ``depth`` deep, with how deep they lie, from 1."""
    found: dict[str, int] = {}
    level, deep = [tip for tip in tips if tip in history], 1
    while level and deep <= depth:
        for oid in level:
            found.setdefault(oid, deep)
        below = {parent for oid in level for parent in history[oid].parents}
        level, deep = [oid for oid in below if oid in history and oid not in found], deep + 1
    return found


def content_of(db: Connection, trees: Iterable[str], without: Collection[str] = ()) -> set[str]:
    """Return the ids of folders and files of trees, but for those in ``without`` and what is below them.

    Raises:
        InputError: When there are more than can be handled.
    """
    found: set[str] = set()
    for tree in trees:
        _collect(db, tree, without, found)
    return found


def _collect(db: Connection, tree: str, without: Collection[str], found: set[str]) -> None:
    if tree in found or tree in without:
        return
    found.add(tree)
    if len(found) > MOST_OBJECTS:
        raise InputError(f"there are more than {MOST_OBJECTS:,} files; fetch fewer commits with --depth")
    for entry in read_tree(db, tree).values():
        if entry.folder:
            _collect(db, entry.oid, without, found)
        elif entry.oid not in without:
            found.add(entry.oid)
