"""What the examiner of a format does, and the verdicts that follow.

An examiner reads one blob of its format and yields findings, gaps, measurements, and the blobs it contains, which are
routed by content in turn. Its verdict is not something it says but what it did:

* it raised ``FormatError``: ``malformed``, we could not follow the bytes as a reader would;
* it yielded a gap or a finding of level ``error``: ``unproven``;
* it ran to its end without either: ``proven``.

So an examiner must yield a gap for everything it cannot vouch for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from hallmarked.core.evidence import Finding, Gap, Location, Measurement
from hallmarked.formats.blob import Blob, Budget


class FileVerdict(StrEnum):
    """What a reader of this file could be made to do."""

    PROVEN = "proven"
    """Every reader we model can only call vetted functions, with arguments of a safe kind."""
    UNPROVEN = "unproven"
    """It parses, but at least one thing it does is outside the vetted set."""
    MALFORMED = "malformed"
    """It cannot be followed to its end, or two readers would disagree about it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Another file of the artifact that a reader would open because this one names it.

    The router resolves it: a path that leaves the folder, a missing file or a range outside of it becomes a finding.
    """

    target: str
    """As written in the file, relative to the folder of the file that names it."""
    location: Location
    """Where it is named."""
    offset: int = 0
    length: int | None = None
    """Bytes read from the target; ``None`` means all."""


@dataclass(frozen=True, slots=True)
class Known:
    """A member whose reading follows from its place in a container, whatever it looks like.

    Other formats that claim its bytes are examined besides.
    """

    blob: Blob
    format: str
    """Name of the format for people and measurements; empty for raw numbers."""
    examiner: Examiner | None = None
    """Examines it; ``None`` for raw numbers, where only unmistakable signatures are followed up."""


Seen = Finding | Gap | Measurement | Blob | Known | Reference
"""What an examiner may yield."""

Examiner = Callable[[Blob, Budget], Iterator[Seen]]
"""Reads one blob of its format."""
