"""What a check is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, BinaryIO, ClassVar, Protocol, TypeAlias

from hallmarked.core.artifact import Artifact
from hallmarked.core.evidence import Item, Rule


class Extent(StrEnum):
    """What the result of a check is about, and so what has to change before it must look again."""

    FILE = "file"
    """Each file by itself: what it says of one follows from that file's path and bytes. It is a :class:`FileCheck`."""
    ARTIFACT = "artifact"
    """All files together: it compares them, or follows what one says of others. It looks again at every revision."""
    PARTS = "parts"
    """All files together, but learned part by part, by as many as there are. It is a :class:`PartCheck`."""

    @property
    def words(self) -> str:
        """What it looks at, for people."""
        return "each file by itself" if self is Extent.FILE else "all files together"


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
    extent: ClassVar[Extent]
    """Whether it looks at each file by itself or at all of them together."""

    def applies(self, artifact: Artifact) -> bool:
        """Say whether there is anything for this check to look at."""

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Look, and yield findings, measurements and gaps."""


@dataclass(frozen=True, slots=True)
class Note:
    """Ends what a check says of one file: all that came since the last note is about it."""

    path: str
    """Empty when what came was about no single file."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the check needs at its end to speak of all files, as JSON."""
    alone: bool = True
    """Whether that follows from this file's path and bytes and nothing else; not so when other files were consulted, or
    when it could not be read or scanned just now."""


class FileCheck(Check, Protocol):
    """A check that looks at each file by itself, so that what it said of a file need not be established twice."""

    def edition(self) -> str:
        """Name what its results depend on besides rules and bytes: the signatures of a scanner; mostly nothing."""

    def look(self, artifact: Artifact, known: Mapping[str, Note]) -> Iterator[Item | Note]:
        """Do what ``run`` does, but for files about which it is known what was said.

        Args:
            artifact: What to look at.
            known: Notes of an earlier run by path. Such a file is not opened; its note is yielded in its turn.
        """


Part: TypeAlias = Mapping[str, Any]
"""A piece of an artifact that can be looked at without the rest, as JSON; what it means is the check's own matter."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What a check learned from one part."""

    part: Part
    open: Callable[[], BinaryIO]
    """Opens what :meth:`PartCheck.learn` returned, seekable; it may be larger than memory."""
    size: int
    """Bytes of it."""
    broke: str = ""
    """Why nothing was learned; empty when something was."""


class PartCheck(Check, Protocol):
    """A check of something large: learned part by part, wherever there is room, and concluded from all of it.

    How the artifact is cut depends on its bytes alone, and what is learned from a part on that part alone, so that the
    result does not depend on who learned it, nor on how many.
    """

    def cut(self, artifact: Artifact) -> Iterator[Part]:
        """Yield the parts, in the order in which they are concluded from. It reads as little as it can."""

    def learn(self, artifact: Artifact, part: Part) -> bytes:
        """Read a part, and return what is needed of it, in a form that can be read without trusting who wrote it."""

    def conclude(self, artifact: Artifact, learned: Sequence[Learned]) -> Iterator[Item]:
        """Put together what was learned, in the order of the parts, and say what was found."""
