"""The digest of the rules: everything in this package that can change a verdict."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.resources import files
from importlib.resources.abc import Traversable

from hallmarked.core.digest import dir_hash

PACKAGES = ("core", "formats", "artifacts", "corpus", "checks")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@cache
def rule_set_digest() -> str:
    """Return the ``dirHash`` of the sources and data files that decide what checks see, in lower-case hex."""
    root = files("hallmarked")
    found: dict[str, str] = {}
    for package in PACKAGES:
        _collect(root / package, package, found)
    return dir_hash(found)


@cache
def tool_digest() -> str:
    """Return a digest of all that decides what a check sees besides bytes and settings.

    That is the rules, the version of this tool, the interpreter, whose parsers some checks use, and the packages that
    the checks read with.
    """
    versions = {"hallmarked": version("hallmarked"), "python": platform.python_version()}
    for line in requires("hallmarked") or ():
        name = _NAME.match(line)
        if name and "extra ==" not in line:
            with suppress(PackageNotFoundError):  # it is not needed on this system
                versions[name[0]] = version(name[0])
    known = json.dumps([rule_set_digest(), sorted(versions.items())])
    return hashlib.sha256(known.encode()).hexdigest()


def _collect(folder: Traversable, prefix: str, found: dict[str, str]) -> None:
    for entry in folder.iterdir():
        path = f"{prefix}/{entry.name}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                _collect(entry, path, found)
        else:
            found[path] = hashlib.sha256(entry.read_bytes()).hexdigest()
