"""Folders of a revision: find a path, list, and make a new tree from changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from dulwich.objects import Tree
from sqlalchemy import Connection

from hallmarked.core.errors import InputError, NotFound
from hallmarked.hub.git.object import EMPTY_TREE, FOLDER, Entry, add_objects, encode_tree, read_object

KEPT, MOST_KEPT = 20_000, 200_000
"""Entries of the largest folder that stays in memory, and of all that stay: some 60 MB."""


class _Kept:
    """Folders that were read; all are forgotten when there are too many."""

    def __init__(self) -> None:
        self.trees: dict[str, Mapping[str, Entry]] = {}
        self._entries = 0

    def keep(self, oid: str, tree: Mapping[str, Entry]) -> None:
        """Remember a folder. NOTE: threads may count one twice, which only forgets earlier."""
        if self._entries + len(tree) + 1 > MOST_KEPT:
            self.trees, self._entries = {}, 0
        self.trees[oid] = tree
        self._entries += len(tree) + 1


# What an id names never changes, so that one memory serves every database this process has open.
_kept = _Kept()


def read_tree(db: Connection, oid: str) -> Mapping[str, Entry]:
    """Return the entries of a folder by name, in git's order.

    Raises:
        BackendError: When the tree is missing.
    """
    if oid == EMPTY_TREE:
        return {}
    tree = _kept.trees.get(oid)
    if tree is None:
        items = Tree.from_string(read_object(db, oid)[1]).iteritems()
        tree = {item.path.decode(): Entry(item.mode == FOLDER, item.sha.decode()) for item in items}
        if len(tree) <= KEPT:
            _kept.keep(oid, tree)
    return tree


def find(db: Connection, tree: str, path: str) -> Entry | None:
    """Return the entry at a path; the root for an empty one; None when there is nothing."""
    entry = Entry(True, tree)
    for name in path.split("/") if path else ():
        found = read_tree(db, entry.oid).get(name) if entry.folder else None
        if found is None:
            return None
        entry = found
    return entry


def find_many(db: Connection, tree: str, paths: Iterable[str]) -> Mapping[str, Entry]:
    """Return what is at paths, reading no folder twice; those at which there is nothing are left out."""
    found: dict[str, Entry] = {}
    below: dict[str, dict[str, str]] = defaultdict(dict)  # by name: the rest of each path, and the path
    here: dict[str, list[str]] = defaultdict(list)
    for path in dict.fromkeys(paths):
        name, _, rest = path.partition("/")
        if not path:
            found[path] = Entry(True, tree)
        elif rest:
            below[name][rest] = path
        else:
            here[name].append(path)
    entries = read_tree(db, tree) if here or below else {}
    for name, same in here.items():
        if name in entries:
            found.update(dict.fromkeys(same, entries[name]))
    for name, inner in below.items():
        if name in entries and entries[name].folder:
            found.update((inner[rest], entry) for rest, entry in find_many(db, entries[name].oid, inner).items())
    return found


def walk(db: Connection, tree: str, prefix: str = "", *, folders: bool = False) -> Iterator[tuple[str, Entry]]:
    """Yield path and entry of all files below a tree, in git's order; of folders too when asked, before their files."""
    for name, entry in read_tree(db, tree).items():
        path = f"{prefix}{name}"
        if folders or not entry.folder:
            yield path, entry
        if entry.folder:
            yield from walk(db, entry.oid, f"{path}/", folders=folders)


class Absent(NotFound):
    """What is to be removed is not there.

    Args:
        path: Where it is not.
    """

    def __init__(self, path: str) -> None:
        super().__init__(f"there is nothing at {path[:200]} to delete")
        self.path = path


def edit(db: Connection, tree: str, changes: Mapping[str, str | None]) -> str:
    """Make a tree from another one.

    Args:
        db: Where the new trees are kept.
        tree: The one to start from.
        changes: Blob ids by path; None removes the file or folder there. Folders that become empty vanish.

    Returns:
        The new tree's id.

    Raises:
        InputError: When a path needs a folder where a file is, or the other way round.
        Absent: When what is to be removed is not there.
    """
    made: dict[str, bytes] = {}
    found = _edit(db, tree, changes, made)
    add_objects(db, "tree", made.items())
    return found


def _edit(db: Connection, tree: str, changes: Mapping[str, str | None], made: dict[str, bytes]) -> str:
    """Make a tree from another one, and note all that were made by their ids."""
    here: dict[str, str | None] = {}
    below: dict[str, dict[str, str | None]] = defaultdict(dict)
    for path, oid in changes.items():
        name, _, rest = path.partition("/")
        if rest:
            below[name][rest] = oid
        else:
            here[name] = oid
    entries = dict(read_tree(db, tree))
    for name in [name for name, oid in here.items() if oid is None]:
        if entries.pop(name, None) is None:
            raise Absent(name)
    for name, inner in below.items():
        _edit_folder(db, entries, name, inner, made)
    for name, oid in here.items():
        if oid is not None:
            if name in entries and entries[name].folder:
                raise InputError(f"{name} is a folder, so that no file can take its place")
            entries[name] = Entry(False, oid)
    if not entries:
        return EMPTY_TREE
    oid, body = encode_tree(entries)
    made[oid] = body
    return oid


def _edit_folder(
    db: Connection, entries: dict[str, Entry], name: str, changes: Mapping[str, str | None], made: dict[str, bytes]
) -> None:
    old = entries.get(name)
    if old is not None and not old.folder:
        if any(oid is not None for oid in changes.values()):
            raise InputError(f"{name} is a file, so that nothing can be put into it")
        raise Absent(f"{name}/{next(iter(changes))}")
    try:
        new = _edit(db, old.oid if old else EMPTY_TREE, changes, made)
    except Absent as error:
        raise Absent(f"{name}/{error.path}") from error
    if new == EMPTY_TREE:
        entries.pop(name, None)
    else:
        entries[name] = Entry(True, new)
