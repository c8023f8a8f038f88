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
from enum import StrEnum

from hallmarked.core.evidence import Finding, Gap, Measurement
from hallmarked.formats.blob import Blob, Budget


class FileVerdict(StrEnum):
    """What a reader of this file could be made to do."""

    PROVEN = "proven"
    """Every reader we model can only call vetted functions, with arguments of a safe kind."""
    UNPROVEN = "unproven"
    """It parses, but at least one thing it does is outside the vetted set."""
    MALFORMED = "malformed"
    """It cannot be followed to its end, or two readers would disagree about it."""


Seen = Finding | Gap | Measurement | Blob
"""What an examiner may yield."""

Examiner = Callable[[Blob, Budget], Iterator[Seen]]
"""Reads one blob of its format."""
