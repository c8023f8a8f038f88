"""Which commit last changed each file of a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from hallmarked.hub.change.history import Step, list_steps
from hallmarked.hub.git.tree import find
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Revision

MAX_STEPS, FIRST = 2_000, 50
"""Commits that are looked through, and how many at first; for what changed before them, nothing is said."""


def find_last_changes(db: Connection, repo: Repository, at: Revision, paths: Sequence[str]) -> Mapping[str, Step]:
    """Return for each path the commit that made it what it is in a revision, as far as that can be told cheaply.

    Args:
        db: A transaction.
        repo: The repository.
        at: The revision.
        paths: Files and folders of it.
    """
    steps = list_steps(db, repo, at.oid, FIRST + 1, describe=False)
    waiting = {path: find(db, at.tree, path) for path in paths}
    found: dict[str, Step] = {}
    looked, newer = 0, steps[0]
    while waiting and looked < MAX_STEPS:
        for older in steps[1:]:
            changed = [path for path, entry in waiting.items() if find(db, older.tree, path) != entry]
            found |= {path: newer for path in changed if waiting.pop(path, 0) != 0}
            newer = older
        looked += len(steps)
        if not newer.parent:
            found |= dict.fromkeys(waiting, newer)
            break
        if waiting:
            steps = list_steps(db, repo, newer.oid, min(4 * len(steps), 1_000), describe=False)
    return found
