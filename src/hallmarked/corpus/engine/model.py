"""What is to be computed, by whom, and how far it has come."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Part
from hallmarked.core.errors import InputError
from hallmarked.core.sandbox import Limits

Task: TypeAlias = Callable[[Artifact, Part, Mapping[str, Any]], bytes]
"""Looks at a part of an artifact, with the options of its job, and returns a state."""
Serve: TypeAlias = Callable[[int, int, int], bytes]
"""Returns a range of a file, given its number, start and size; see ``hallmarked.artifacts.remote.served``."""

NATIVE, RAY = "native", "ray"
MOST_PROCESSES = 4_096
_ADDRESS = re.compile(r"(ray://)?[\w.\-\[\]:]+:\d{1,5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Engine:
    """Who computes."""

    processes: int = 0
    """How many parts are looked at at once on this machine; 0 for as many as it has cores."""
    address: str = ""
    """Of a Ray cluster that computes instead; ``ray`` for the one that this machine belongs to."""

    @property
    def width(self) -> int:
        """How many parts this machine looks at at once."""
        return self.processes or os.cpu_count() or 1


def parse_engine(name: str, processes: int = 0) -> Engine:
    """Read what a user calls an engine: ``native``, ``ray``, ``ray://host:port`` or ``host:port``.

    Args:
        name: The name.
        processes: How many parts are looked at at once on this machine; 0 for as many as it has cores.

    Raises:
        InputError: When it is none.
    """
    if not 0 <= processes <= MOST_PROCESSES:
        raise InputError(f"{processes} processes are not between 1 and {MOST_PROCESSES:,}")
    if name == NATIVE:
        return Engine(processes)
    if processes:
        raise InputError("a cluster has as many processes as it has; leave their number out, or use the engine native")
    if name == RAY or _ADDRESS.fullmatch(name):
        return Engine(address=name)
    raise InputError(
        f"no engine is called {name}; there are native, ray, and a cluster's address such as ray://head:10001"
    )


@dataclass(frozen=True, slots=True)
class Job:
    """What is done with each part."""

    task: str
    """A :data:`Task` by its name, ``package.module:function``."""
    artifact: Mapping[str, Any]
    """How a child reaches the artifact, see ``hallmarked.artifacts.source.describe``."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """As JSON."""
    limits: Limits = field(default_factory=Limits)
    """What a child may use; its time is that for a part of ordinary size."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has come."""

    parts: int
    """Parts that are done, or given up."""
    parts_total: int
    size: int
    """Bytes of these parts, about."""
    size_total: int
    rows: int
    """Rows that were read in them."""


Report: TypeAlias = Callable[[Progress], None]
"""Is told of progress, by whichever thread made it, one at a time."""


def size_of(part: Part) -> int:
    """Return about how many bytes a part is of, as whoever cut it says."""
    size = part.get("bytes", 0)
    return size if isinstance(size, int) and size > 0 else 0
