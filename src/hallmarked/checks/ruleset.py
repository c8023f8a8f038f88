"""The digest of the rules: everything in this package that can change a verdict."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from hallmarked.core.digest import dir_hash

PACKAGES = ("core", "formats", "artifacts", "corpus", "checks")


@cache
def rule_set_digest() -> str:
    """Return the ``dirHash`` of the sources and data files that decide what checks see, in lower-case hex."""
    root = files("hallmarked")
    found: dict[str, str] = {}
    for package in PACKAGES:
        _collect(root / package, package, found)
    return dir_hash(found)


def _collect(folder: Traversable, prefix: str, found: dict[str, str]) -> None:
    for entry in folder.iterdir():
        path = f"{prefix}/{entry.name}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                _collect(entry, path, found)
        else:
            found[path] = hashlib.sha256(entry.read_bytes()).hexdigest()
