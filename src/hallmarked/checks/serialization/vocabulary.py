"""Names of functions and classes that configurations refer to: which are known, and which are known to be dangerous.

The list of dangerous names only grades: it turns "cannot be vouched for" into an error, and a name that is missing from
it is still not vouched for.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|[A-Za-z][A-Za-z0-9+.-]+::|file:")


@functools.cache
def load(name: str) -> Mapping[str, Any]:
    """Return a table of this package, e.g. ``keras``."""
    table: Mapping[str, Any] = json.loads(resources.files(__package__).joinpath("data", f"{name}.json").read_bytes())
    return table


def danger(dotted: str) -> str | None:
    """Say what a dotted name is known to do that a model file must not ask for, or ``None``."""
    table = load("danger")
    module, _, _ = dotted.rpartition(".")
    found = table["names"].get(dotted) or table["modules"].get(module) or table["modules"].get(dotted)
    parents = module.split(".")
    # A class of a module is reached through the module's own name, so every parent counts.
    if not found and len(parents) > 1 and parents[0] not in table["exact"]:
        found = table["modules"].get(parents[0])
    return str(found) if found else None


def leaves_folder(target: str) -> bool:
    """Say whether a path that a file names is an address, absolute, or climbs out of the file's folder."""
    if _ADDRESS.match(target) or target.startswith(("~", "\\\\")):
        return True
    posix, windows = PurePosixPath(target), PureWindowsPath(target)
    if posix.is_absolute() or windows.drive or windows.root:
        return True
    depth = 0
    for part in re.split(r"[/\\]", target):
        depth += -1 if part == ".." else 0 if part in ("", ".") else 1
        if depth < 0:
            return True
    return False


def shown(text: str, length: int = 80) -> str:
    """Quote foreign text for a message: one line, printable, of bounded length."""
    return ascii(text if len(text) <= length else text[:length] + "…")
