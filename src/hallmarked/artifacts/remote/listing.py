"""What an endpoint says a revision holds. Nothing in it is believed before the bytes were seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hallmarked.core.artifact import Omission
from hallmarked.core.errors import BackendError, InputError

MOST_FILES = 100_000
MOST_SIZE = 1 << 50
MOST_SHOWN = 500
"""Characters of a name that cannot be a file's."""
_SHA1, _SHA256 = re.compile("[0-9a-f]{40}"), re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file, as the endpoint describes it."""

    path: str
    size: int
    """Bytes."""
    oid: str
    """Git's id (SHA-1) of the file, or of the pointer that stands for a large one."""
    sha256: str | None
    """Of a large file; empty for others."""


@dataclass(frozen=True, slots=True)
class Listing:
    """All files of a revision, sorted by path bytewise, and what cannot be one."""

    files: tuple[RemoteFile, ...]
    omitted: tuple[Omission, ...]


def read_listing(entries: Iterable[Any], endpoint: str) -> Listing:
    """Read the entries of a recursive tree.

    Raises:
        BackendError: When they are not what the Hub protocol says.
        InputError: When there are more than can be handled.
    """
    files: dict[str, RemoteFile] = {}
    omitted = []
    for count, entry in enumerate(entries):
        if count >= 2 * MOST_FILES or len(files) > MOST_FILES:
            raise InputError(f"the repository holds more than {MOST_FILES:,} files")
        if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
            raise BackendError(f"{endpoint} lists something that is not a file")
        path = entry["path"]
        if entry.get("type") == "directory":
            continue
        reason = path_problem(path)
        if reason:
            omitted.append(Omission(path[:MOST_SHOWN].encode("utf-8", "backslashreplace").decode(), reason))
        elif path in files:
            raise BackendError(f"{endpoint} lists {path} twice")
        else:
            files[path] = _read_file(path, entry, endpoint)
    ordered = sorted(files.values(), key=lambda file: file.path.encode())
    return Listing(tuple(ordered), tuple(sorted(omitted, key=lambda omission: omission.path)))


def _read_file(path: str, entry: Mapping[str, Any], endpoint: str) -> RemoteFile:
    size, oid, large = entry.get("size"), entry.get("oid"), entry.get("lfs")
    sha256 = large.get("oid") if isinstance(large, dict) else None
    if (
        (isinstance(large, dict) and large.get("size", size) != size)
        or type(size) is not int
        or not 0 <= size <= MOST_SIZE
        or not isinstance(oid, str)
        or not _SHA1.fullmatch(oid)
        or not (large is None or (isinstance(sha256, str) and _SHA256.fullmatch(sha256)))
    ):
        raise BackendError(f"{endpoint} does not say what {path} is")
    return RemoteFile(path, size, oid, sha256)


def path_problem(path: str) -> str:
    """Say why a name cannot be part of a revision; empty when it can."""
    try:
        length = len(path.encode())
    except UnicodeEncodeError:
        return "name is not UTF-8"
    if "\n" in path or "\\" in path or "\0" in path:
        return "name holds a line break, a backslash or a zero byte"
    parts = path.split("/")
    if length > 4096 or any(part in ("", ".", "..") for part in parts):
        return "name that leads out of the folder, or nowhere"
    return "name that belongs to version control" if parts[0].lower() == ".git" else ""
