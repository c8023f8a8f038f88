"""What a check is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Protocol

from hallmarked.core.artifact import Artifact
from hallmarked.core.evidence import Item, Rule


class Check(Protocol):
    """A pure reader: no writes, no network, no import of what it reads.

    A check yields what it sees as it sees it: what was yielded before a crash, a timeout or a kill still counts.
    """

    id: ClassVar[str]
    """Stable id, e.g. ``serialization``."""
    version: ClassVar[str]
    """Raised when the same bytes may give another result."""
    title: ClassVar[str]
    """What it asks, as a question: "Can loading a file run code?"."""
    rules: ClassVar[Sequence[Rule]]
    """Every rule its findings may cite."""
    needs_socket: ClassVar[bool]
    """True only for a check that hands bytes to a scanner daemon on this machine and parses nothing itself."""

    def applies(self, artifact: Artifact) -> bool:
        """Say whether there is anything for this check to look at."""

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Look, and yield findings, measurements and gaps."""
