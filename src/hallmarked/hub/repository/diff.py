"""What changed between two revisions: files, and the lines of small texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from hallmarked.hub.git.object import Entry as Node
from hallmarked.hub.git.text import unified
from hallmarked.hub.git.tree import read_tree, walk
from hallmarked.hub.repository.revision import Entry, describe_files, read_text

MAX_CHANGES = 10_000
"""Files that are compared."""
MAX_TEXT, MAX_DIFF, MAX_FILES = 256 << 10, 1 << 20, 300
"""Bytes of a text whose lines are compared, characters shown of all of them, and files shown."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """What happened to one file."""

    kind: str
    """``added``, ``removed``, ``changed`` or ``renamed``."""
    path: str
    """Where it is, or was when it was removed."""
    old: Entry | None = None
    new: Entry | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What happened between two revisions."""

    changes: Sequence[FileChange]
    """By path."""
    complete: bool
    """False when there were more than are compared."""


def compare(db: Connection, old: str, new: str) -> Difference:
    """Compare two trees; folders that are the same are not looked into.

    A file is renamed when its very bytes are found at another path.

    Args:
        db: A transaction.
        old: Id of a tree.
        new: Id of another.
    """
    found: list[tuple[str, Node | None, Node | None]] = []
    for change in _changes(db, old, new, ""):
        if len(found) == MAX_CHANGES:
            break
        found.append(change)
    files = [(path, node.oid) for path, before, after in found for node in (before, after) if node is not None]
    described = {(entry.path, entry.oid): entry for entry in describe_files(db, files)}
    changes = []
    for path, before, after in found:
        sides = [described[path, node.oid] if node is not None else None for node in (before, after)]
        kind = "changed" if all(sides) else "removed" if after is None else "added"
        changes.append(FileChange(kind, path, sides[0], sides[1]))
    return Difference(_renamed(changes), len(found) < MAX_CHANGES)


def _changes(db: Connection, old: str, new: str, prefix: str) -> Iterator[tuple[str, Node | None, Node | None]]:
    if old == new:
        return
    before, after = read_tree(db, old), read_tree(db, new)
    for name in sorted(before.keys() | after.keys()):
        path, sides = f"{prefix}{name}", (before.get(name), after.get(name))
        if sides[0] == sides[1]:
            continue
        folders = [side.oid if side is not None and side.folder else None for side in sides]
        if folders[0] is not None and folders[1] is not None:
            yield from _changes(db, folders[0], folders[1], f"{path}/")
            continue
        files = [side if side is not None and not side.folder else None for side in sides]
        if any(files):
            yield path, files[0], files[1]
        for place, folder in enumerate(folders):
            for inner, node in walk(db, folder, f"{path}/") if folder is not None else ():
                yield (inner, node, None) if place == 0 else (inner, None, node)


def _renamed(changes: Sequence[FileChange]) -> Sequence[FileChange]:
    """Join a file that went and one that came when they have the same bytes."""
    gone = {change.old.oid: change for change in changes if change.kind == "removed" and change.old is not None}
    joined, used = [], set()
    for change in changes:
        source = gone.pop(change.new.oid, None) if change.kind == "added" and change.new is not None else None
        if source is not None:
            used.add(source.path)
            joined.append(replace(change, kind="renamed", old=source.old))
        else:
            joined.append(change)
    return [change for change in joined if not (change.kind == "removed" and change.path in used)]


def write_diff(db: Connection, difference: Difference, may_read: Callable[[FileChange], bool]) -> str:
    """Write a difference as git does, of bounded length.

    Args:
        db: A transaction.
        difference: What to write.
        may_read: Whether the reader may have the bytes of a changed file; without them only its name is written.
    """
    parts: list[str] = []
    length = 0
    for change in difference.changes[:MAX_FILES]:
        text = "".join(_write(db, change, readable=may_read(change)))
        length += len(text)
        if length > MAX_DIFF:
            break
        parts.append(text)
    return "".join(parts)


def read_lines(db: Connection, entry: Entry | None) -> str | None:
    """Return the text of a small file; None when it is large or not text. No file is an empty text."""
    if entry is None:
        return ""
    if entry.large or entry.size > MAX_TEXT:
        return None
    try:
        text = read_text(db, entry).decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _write(db: Connection, change: FileChange, *, readable: bool) -> Iterator[str]:
    old = change.old.path if change.old else change.path
    yield f"diff --git a/{old} b/{change.path}\n"
    if change.kind == "renamed":
        yield f"similarity index 100%\nrename from {old}\nrename to {change.path}\n"
        return
    if change.old is None:
        yield "new file mode 100644\n"
    if change.new is None:
        yield "deleted file mode 100644\n"
    yield f"index {_short(change.old)}..{_short(change.new)}\n"
    names = (
        "/dev/null" if change.old is None else f"a/{old}",
        "/dev/null" if change.new is None else f"b/{change.path}",
    )
    texts = (read_lines(db, change.old), read_lines(db, change.new)) if readable else (None, None)
    if texts[0] is None or texts[1] is None:
        yield f"Binary files {names[0]} and {names[1]} differ\n"
        return
    if texts[0] != texts[1]:
        yield f"--- {names[0]}\n+++ {names[1]}\n"
        yield from unified(texts[0], texts[1])


def _short(entry: Entry | None) -> str:
    return entry.oid[:10] if entry else "0" * 10
