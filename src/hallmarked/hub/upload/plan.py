"""What an upload will look like: which files go as large ones, which are there already, which are ignored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from hallmarked.hub.change.commit import MAX_INLINE
from hallmarked.hub.error import EntryNotFound
from hallmarked.hub.git.ignore import is_ignored, parse_ignore
from hallmarked.hub.path import check_path
from hallmarked.hub.repository.revision import Entry, Revision, find_entries, find_entry, read_text

MAX_ATTRIBUTES = 64 << 10
"""Bytes of a ``.gitattributes`` that are looked at."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one file is to be sent."""

    path: str
    large: bool
    oid: str | None
    """What is at that path already: SHA-256 of a large file, git's id of a small one."""
    ignored: bool = False
    """The repository's ``.gitignore``, or the one the client is sending, leaves it out."""


def plan_upload(
    db: Connection, at: Revision | None, sizes: Mapping[str, int], ignore: str | None = None
) -> Sequence[Plan]:
    """Say how files of the given sizes are to be sent.

    Args:
        db: A transaction.
        at: What they are added to.
        sizes: Bytes of each file, by path.
        ignore: Content of the ``.gitignore`` that is being sent; None for the one that is there.

    Raises:
        InputError: When a path is not accepted.
    """
    patterns = _patterns(db, at)
    if ignore is None:
        ignore = (_read_small(db, at, ".gitignore") or b"").decode("utf-8", "replace")
    unwanted = parse_ignore(ignore)
    paths = [check_path(path) for path in sizes]
    known = find_entries(db, at, paths) if at else {}
    plans = [_plan(known.get(path), path, size, patterns) for path, size in sizes.items()]
    return [replace(plan, ignored=is_ignored(unwanted, plan.path)) for plan in plans]


def _plan(known: Entry | None, path: str, size: int, patterns: Sequence[tuple[str, bool]]) -> Plan:
    large = size > MAX_INLINE or _marked(path, patterns)
    if known is None or known.folder:
        return Plan(path, large and size > 0, None)
    return Plan(path, large and size > 0, known.sha256 if known.large else known.oid)


def _patterns(db: Connection, at: Revision | None) -> Sequence[tuple[str, bool]]:
    """Read which names the repository marks as large files, in the order of its ``.gitattributes``."""
    data = _read_small(db, at, ".gitattributes")
    if data is None:
        return []
    found = []
    for line in data.decode("utf-8", "replace").splitlines():
        words = line.split()
        if len(words) > 1 and not words[0].startswith("#"):
            if "filter=lfs" in words[1:]:
                found.append((words[0], True))
            elif {"-filter", "!filter"} & set(words[1:]):
                found.append((words[0], False))
    return found


def _read_small(db: Connection, at: Revision | None, path: str) -> bytes | None:
    """Return one of git's own settings files; None when there is none of a usual size."""
    if at is None:
        return None
    try:
        entry = find_entry(db, at, path)
    except EntryNotFound:
        return None
    usual = not entry.folder and not entry.large and entry.size <= MAX_ATTRIBUTES
    return read_text(db, entry) if usual else None


def _marked(path: str, patterns: Sequence[tuple[str, bool]]) -> bool:
    """Whether the last pattern that fits marks a path.

    Of git's patterns those are understood that cost no more than a comparison: a name, a path, ``*`` before an ending,
    and a folder with everything in it.
    """
    name = path.rpartition("/")[2]
    marked = False
    for pattern, large in patterns:
        bare = pattern.removeprefix("**/")
        rooted = "/" in bare.rstrip("/")
        target = path if rooted else name
        bare = bare.removeprefix("/")
        if bare.startswith("*") and "*" not in bare[1:]:
            fits = target.endswith(bare[1:])
        elif bare.endswith("/**") and "*" not in bare[:-3]:
            fits = path.startswith(bare[:-2])
        else:
            fits = target == bare
        marked = large if fits else marked
    return marked
