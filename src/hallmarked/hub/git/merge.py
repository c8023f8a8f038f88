"""Join two trees that were made from one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from hallmarked.hub.git.object import EMPTY_TREE, Entry, add_objects, encode_tree
from hallmarked.hub.git.tree import read_tree, walk


def merge_trees(db: Connection, base: str, ours: str, theirs: str) -> tuple[str, Sequence[str]]:
    """Join the changes of two trees since a third one.

    A file that only one side changed is taken from that side; one that both changed to the same is taken once; any
    other is a conflict, in which our side stays.

    Args:
        db: Where the new trees are kept; nothing new is kept when there are conflicts, except of folders without any.
        base: The tree both were made from.
        ours: One tree.
        theirs: The other.

    Returns:
        Id of the joined tree, and the paths in conflict.
    """
    conflicts: list[str] = []
    return _merge(db, (base, ours, theirs), "", conflicts), conflicts


def _merge(db: Connection, trees: tuple[str, str, str], prefix: str, conflicts: list[str]) -> str:
    base, ours, theirs = trees
    if theirs in (ours, base):
        return ours
    if base == ours:
        return theirs
    sides = [read_tree(db, tree) for tree in trees]
    entries: dict[str, Entry] = {}
    for name in sorted({name for side in sides for name in side}):
        entry = _join(db, [side.get(name) for side in sides], f"{prefix}{name}", conflicts)
        if entry is not None and entry.oid != EMPTY_TREE:
            entries[name] = entry
    if not entries:
        return EMPTY_TREE
    oid, body = encode_tree(entries)
    if not conflicts:
        add_objects(db, "tree", [(oid, body)])
    return oid


def _join(db: Connection, sides: Sequence[Entry | None], path: str, conflicts: list[str]) -> Entry | None:
    base, ours, theirs = sides
    if theirs in (ours, base):
        return ours
    if base == ours:
        return theirs
    if _may_be_folder(ours) and _may_be_folder(theirs):
        trees = tuple(side.oid if side is not None and side.folder else EMPTY_TREE for side in sides)
        return Entry(True, _merge(db, (trees[0], trees[1], trees[2]), f"{path}/", conflicts))
    changed = ours if ours is not None and not ours.folder else theirs
    assert changed is not None  # both absent would be equal
    if changed.folder:
        conflicts += [inner for inner, _ in walk(db, changed.oid, f"{path}/")]
    else:
        conflicts.append(path)
    return ours


def _may_be_folder(entry: Entry | None) -> bool:
    """Whether the inside of an entry can be compared: it is a folder, or nothing, which is an empty one."""
    return entry is None or entry.folder
