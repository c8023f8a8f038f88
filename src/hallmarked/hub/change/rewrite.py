"""Take large files out of a repository for good, history and all."""

from __future__ import annotations

from collections.abc import Mapping

from dulwich.objects import Commit, ObjectID
from sqlalchemy import Connection, delete, insert, select, update

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Actor
from hallmarked.hub.change.commit import follow_main
from hallmarked.hub.error import Outdated
from hallmarked.hub.git.object import EMPTY_TREE, Entry, add_objects, encode_tree, read_object
from hallmarked.hub.git.tree import read_tree
from hallmarked.hub.outbound.announcement import announce, moved
from hallmarked.hub.repository.repository import MAIN, Repository
from hallmarked.hub.repository.revision import find_revision, list_refs
from hallmarked.hub.review.carry import carry_holds
from hallmarked.hub.schema.community import discussion
from hallmarked.hub.schema.object import content, usage
from hallmarked.hub.schema.repository import ref, revision
from hallmarked.hub.trail import Tag, record

MAX_COMMITS = 5_000
"""Commits of a repository whose history can be rewritten in one step."""


def forget_large(db: Connection, repo: Repository, actor: Actor, digests: set[str]) -> int:
    """Remove large files from every commit of a repository; the commits get new ids.

    What the ledger says of the old commits stays: it says what was there, and the bytes are gone.

    Args:
        db: A writing transaction.
        repo: The repository; the caller has asked whether the actor may manage it.
        actor: Who removes them.
        digests: SHA-256 of the files.

    Returns:
        How many commits were rewritten.

    Raises:
        InputError: When the history is too long for one step.
        Outdated: When somebody moved a branch meanwhile.
    """
    rows = db.execute(select(content.c.oid).where(content.c.sha256.in_(digests), content.c.large)).all()
    rewriter = _Rewriter(db, repo, {row.oid for row in rows})
    done = rewriter.run()
    db.execute(delete(usage).where(usage.c.repository_id == repo.id, usage.c.sha256.in_(digests)))
    removed = {"files": sorted(digests), "commits": len(done)}
    record(db, actor, Tag.HISTORY_REWRITTEN, f"repository:{repo.id}", removed)
    if done:
        follow_main(db, repo, find_revision(db, repo, MAIN))
    return len(done)


class _Rewriter:
    def __init__(self, db: Connection, repo: Repository, gone: set[str]) -> None:
        self._db, self._repo, self._gone = db, repo, gone
        self._trees: dict[str, str] = {}
        self._commits: dict[str, str] = {}

    def run(self) -> Mapping[str, str]:
        """Rewrite every commit that has such a file, and those that follow one; return new ids by old ones."""
        for oid in self._order():
            self._rewrite(oid)
        changed = {old: new for old, new in self._commits.items() if old != new}
        for known in list_refs(self._db, self._repo):
            if known.oid in changed:
                there = (ref.c.repository_id == self._repo.id, ref.c.name == known.name, ref.c.oid == known.oid)
                if not self._db.execute(update(ref).where(*there).values(oid=changed[known.oid])).rowcount:
                    raise Outdated("somebody changed a branch meanwhile; try again")
                announce(self._db, self._repo.scope, moved(known.name, known.oid, changed[known.oid]))
        for old, new in changed.items():
            for column in (discussion.c.base, discussion.c.merged):
                mine = (discussion.c.repository_id == self._repo.id, column == old)
                self._db.execute(update(discussion).where(*mine).values({column.name: new}))
            self._db.execute(delete(revision).where(revision.c.repository_id == self._repo.id, revision.c.oid == old))
        return changed

    def _order(self) -> list[str]:
        """Return all commits of the repository, each behind its parent."""
        table = revision.c
        rows = self._db.execute(
            select(table.oid, table.parent).where(table.repository_id == self._repo.id).limit(MAX_COMMITS + 1)
        ).all()
        if len(rows) > MAX_COMMITS:
            raise InputError(f"more than {MAX_COMMITS:,} commits cannot be rewritten; squash the history first")
        parents = {row.oid: row.parent for row in rows}
        ordered: dict[str, None] = {}
        for start in list(parents):
            oid, line = start, []
            while oid in parents and oid not in ordered:
                line.append(oid)
                oid = parents[oid]
            ordered |= dict.fromkeys(reversed(line))
        return list(ordered)

    def _rewrite(self, oid: str) -> None:
        where = (revision.c.repository_id == self._repo.id, revision.c.oid == oid)
        row = self._db.execute(select(revision).where(*where)).one()
        tree = self._tree(row.tree)
        parent = self._commits.get(row.parent, row.parent)
        if tree == row.tree and parent == row.parent:
            self._commits[oid] = oid
            return
        commit = Commit.from_string(read_object(self._db, oid)[1])
        assert isinstance(commit, Commit)
        commit.tree = ObjectID(tree.encode())
        commit.parents = [ObjectID(parent.encode())] if parent else []
        new = commit.id.decode()
        add_objects(self._db, "tree", [(EMPTY_TREE, b"")] if tree == EMPTY_TREE else [])
        add_objects(self._db, "commit", [(new, commit.as_raw_string())])
        values = {**row._mapping, "oid": new, "tree": tree, "parent": parent, "state": "checking", "audited": False}
        self._db.execute(insert(revision).values(values))
        self._commits[oid] = new
        carry_holds(self._db, self._repo, find_revision(self._db, self._repo, new))

    def _tree(self, oid: str) -> str:
        if oid in self._trees:
            return self._trees[oid]
        entries: dict[str, Entry] = {}
        for name, entry in read_tree(self._db, oid).items():
            if entry.folder:
                inner = self._tree(entry.oid)
                if inner != EMPTY_TREE:
                    entries[name] = Entry(True, inner)
            elif entry.oid not in self._gone:
                entries[name] = entry
        new, body = encode_tree(entries) if entries else (EMPTY_TREE, b"")
        if new not in (oid, EMPTY_TREE):
            add_objects(self._db, "tree", [(new, body)])
        self._trees[oid] = new
        return new
