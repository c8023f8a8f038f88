"""Which commit last changed each file of a folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from hallmarked.hub.change.history import Step, list_steps
from hallmarked.hub.git.object import Entry
from hallmarked.hub.git.tree import find, read_tree
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Revision

MAX_STEPS, FIRST = 2_000, 50
"""Commits that are looked through, and how many at first; for what changed before them, nothing is said."""


def find_last_changes(db: Connection, repo: Repository, at: Revision, paths: Sequence[str]) -> Mapping[str, Step]:
    """Return for each path the commit that made it what it is in a revision, as far as that can be told cheaply.

    Folders are compared before what is in them, so that the cost hangs on how often a folder was changed.

    Args:
        db: A transaction.
        repo: The repository.
        at: The revision.
        paths: Files and folders of it.
    """
    steps = list_steps(db, repo, at.oid, FIRST + 1, describe=False)
    search = _Search(db, at.tree, paths)
    looked, newer = 0, steps[0]
    while search.waiting and looked < MAX_STEPS:
        for older in steps[1:]:
            search.look(newer, older.tree)
            newer = older
        looked += len(steps)
        if not newer.parent:
            search.look(newer, None)
            break
        if search.waiting:
            steps = list_steps(db, repo, newer.oid, min(4 * len(steps), 1_000), describe=False)
    return search.found


class _Search:
    """What is still looked for on the way back through a history."""

    def __init__(self, db: Connection, tree: str, paths: Sequence[str]) -> None:
        self.db = db
        self.found: dict[str, Step] = {}
        self.waiting: dict[str, dict[str, Entry]] = defaultdict(dict)
        """By folder and name, as they are in the revision."""
        self._folders: dict[str, Entry | None] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            self._folders[folder] = self._folders.get(folder) or find(db, tree, folder)
            entry = self._read(self._folders[folder]).get(name)
            if entry is not None:
                self.waiting[folder][name] = entry

    def look(self, newer: Step, tree: str | None) -> None:
        """Note what a commit changed, whose parent has another tree; none when it is the first."""
        for folder, names in list(self.waiting.items()):
            before = find(self.db, tree, folder) if tree is not None else None
            if before == self._folders[folder] and before is not None:
                continue
            self._folders[folder] = before
            entries = self._read(before)
            for name in [name for name, entry in names.items() if entries.get(name) != entry]:
                self.found[f"{folder}/{name}" if folder else name] = newer
                del names[name]
            if not names:
                del self.waiting[folder]

    def _read(self, folder: Entry | None) -> Mapping[str, Entry]:
        return read_tree(self.db, folder.oid) if folder is not None and folder.folder else {}
