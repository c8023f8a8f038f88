"""Find checks. Built-in ones and those of other packages register alike: entry-point group ``hallmarked.checks``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from hallmarked.core.check import Check
from hallmarked.core.errors import InputError

GROUP = "hallmarked.checks"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a check comes from."""

    package: str
    version: str


def available() -> Sequence[str]:
    """Ids of all installed checks, sorted."""
    return sorted(entry_points(group=GROUP).names)


def load(check_id: str) -> tuple[Check, Origin]:
    """Load a check by id.

    Raises:
        InputError: When there is no such check, or two packages claim the id.
    """
    found = list(entry_points(group=GROUP, name=check_id))
    if not found:
        raise InputError(f"no check is called {check_id}; there are: {', '.join(available())}")
    if len(found) > 1:
        raise InputError(f"several packages provide a check called {check_id}: {', '.join(map(_package, found))}")
    distribution = found[0].dist
    origin = Origin(_package(found[0]), distribution.version if distribution else "unknown")
    return cast("Check", found[0].load()()), origin


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "unknown"
