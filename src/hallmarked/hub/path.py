"""Which names files, repositories, accounts and branches may have."""

from __future__ import annotations

import re
import unicodedata

from hallmarked.core.errors import InputError
from hallmarked.hub.error import BadPath

MAX_PATH, MAX_PART, MAX_DEPTH = 1_024, 255, 64
"""Bytes of a path, bytes of one of its names, and names in it."""
MAX_NAME = 96
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\Z")
_BRANCH = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*\Z")
_SHORT_NAME = re.compile(r"(?i)git~[0-9]+\Z")  # how Windows may spell .git


def check_path(path: str) -> str:
    """Return the path of a file, or refuse it.

    Raises:
        BadPath: When it leaves the repository, reaches into git's own folder on some system, or cannot be shown.
    """
    parts = path.split("/")
    try:
        data = path.encode()
    except UnicodeEncodeError as error:
        raise BadPath("the name of a file is not valid text") from error
    if not path or len(data) > MAX_PATH or len(parts) > MAX_DEPTH:
        raise BadPath(f"the name of a file is empty or longer than {MAX_PATH} bytes: {path[:80]!r}")
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char == "\\" for char in path):
        raise BadPath(f"the name of a file holds a character that is not accepted: {path[:80]!r}")
    for part in parts:
        if part in ("", ".", "..") or len(part.encode()) > MAX_PART:
            raise BadPath(f"{path[:80]!r} is not the path of a file inside a repository")
        # Some file systems drop these characters, so that other names become git's own folder.
        bare = "".join(char for char in part if unicodedata.category(char) != "Cf").rstrip(". ").lower()
        if bare.split(":")[0] == ".git" or _SHORT_NAME.match(bare):
            raise BadPath(f"{path[:80]!r} reaches into git's own folder")
    return path


def check_name(name: str, what: str = "repository") -> str:
    """Return the name of an account or a repository, or refuse it.

    Raises:
        InputError: When it holds something else than letters, digits, ``-``, ``_`` and ``.``.
    """
    if (
        not _NAME.match(name)
        or len(name) > MAX_NAME
        or ".." in name
        or "--" in name
        or name.endswith((".git", ".ipynb", ".json"))
    ):
        raise InputError(
            f"{name[:100]!r} cannot name a {what}: use letters, digits, '-', '_' and '.', at most {MAX_NAME} characters"
        )
    return name


def check_branch(name: str) -> str:
    """Return the name of a branch or tag, or refuse it.

    Raises:
        InputError: When git would refuse it too, or it could be taken for a commit.
    """
    bad = not _BRANCH.match(name) or len(name) > 200 or ".." in name or name.endswith((".lock", "."))
    if bad or any(part.startswith(("-", ".")) for part in name.split("/")) or re.fullmatch(r"[0-9a-f]{40}", name):
        raise InputError(f"{name[:80]!r} cannot name a branch or tag")
    return name
