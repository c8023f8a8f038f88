"""Names of other files inside files: do they stay inside, and is there what they promise?"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hallmarked.checks.serialization.contract import Reference
from hallmarked.core.evidence import Finding, Gap, Item, Level, Rule
from hallmarked.formats.archive.model import is_absolute

SER_LEAVES = Rule(
    "SER005",
    Level.ERROR,
    "A file makes its reader open something outside of the model's folder",
    "Do not load it: it can read or overwrite other files of the computer.",
)
SER_MISSING = Rule(
    "SER006",
    Level.WARNING,
    "A file refers to another one that is missing or too short",
    "The model is incomplete or was changed: download all of its files again.",
)
SER_REMOTE = Rule(
    "SER007",
    Level.WARNING,
    "A file refers to an address on the network",
    "What it loads can change at any time: keep a copy beside the model and refer to that.",
)

RULES = (SER_LEAVES, SER_MISSING, SER_REMOTE)

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(frozen=True, slots=True)
class Scope:
    """Files that can name each other: those of the artifact, or the members of one archive."""

    prefix: str
    """What their paths have in front: ``outer.zip!``, or nothing."""
    sizes: Mapping[str, int]
    """Size by full path."""


def resolve(reference: Reference, scope: Scope) -> Iterator[Item]:
    """Judge a reference: its target must lie in the same artifact or archive and be long enough."""
    where, target = reference.location, reference.target
    shown = target if len(target) <= 200 else target[:200] + "…"
    is_file = target.lower().startswith("file:")
    if _URL.match(target) and not is_file:
        yield Finding.of(SER_REMOTE, f"{where.path} refers to {shown!r}", where, target=shown)
        yield Gap(f"{where.path} loads {shown!r} from the network", where)
        return
    folder = posixpath.dirname(where.path.removeprefix(scope.prefix))
    path = posixpath.normpath(posixpath.join(folder, target.replace("\\", "/")))
    if is_file or is_absolute(target) or target.startswith("~") or path == ".." or path.startswith(("../", "/")):
        yield Finding.of(SER_LEAVES, f"{where.path} refers to {shown!r}, outside of its folder", where, target=shown)
        return
    size = scope.sizes.get(scope.prefix + path)
    if size is None:
        message = f"{where.path} refers to {shown!r}, which is missing"
    elif reference.offset < 0 or reference.offset + (reference.length or 0) > size:
        message = f"{where.path} reads beyond the end of {shown!r} ({size:,} bytes)"
    else:
        return
    yield Finding.of(SER_MISSING, message, where, target=shown)
    yield Gap(message, where)
