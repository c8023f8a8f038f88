"""What a check said of single files, so that another run of it need not establish it again.

Only checks with :attr:`Extent.FILE` take part. What such a check says of a file follows from the file's path and bytes,
the rules, and the check's edition; so the run that looks at some files and is told about the rest yields, item by item,
what the run that looks at all would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Check, Extent, FileCheck, Note
from hallmarked.core.evidence import Item


@dataclass(frozen=True, slots=True)
class Look:
    """All that a check said of one file."""

    items: tuple[Item, ...]
    data: Mapping[str, Any]
    """What its note holds."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a check is known to say of files."""

    edition: str = ""
    """The edition of the check that said it; said by another one, it counts for nothing."""
    looks: Mapping[str, Look] = field(default_factory=dict)
    """By path."""

    @property
    def notes(self) -> dict[str, Note]:
        """What the check is told."""
        return {path: Note(path, look.data) for path, look in self.looks.items()}


@dataclass(frozen=True, slots=True)
class Edition:
    """Says at the beginning and at the end of a run of which edition its results are."""

    name: str


Said = Item | Note | Edition
"""What comes out of a run."""


def follow(check: Check, artifact: Artifact, edition: str | None, notes: Mapping[str, Note]) -> Iterator[Said]:
    """Run a check, but for files that are known when it is the same edition; without an edition run it plainly."""
    if check.extent is not Extent.FILE or edition is None:
        yield from check.run(artifact)
        return
    single = cast("FileCheck", check)
    now = single.edition()
    yield Edition(now)
    yield from single.look(artifact, notes if now == edition else {})
    yield Edition(single.edition())


def items_of(stream: Iterable[Item | Note]) -> Iterator[Item]:
    """Leave the notes out."""
    return (item for item in stream if not isinstance(item, Note))


@dataclass(slots=True)
class Assembly:
    """Puts together what is known and what a run says, and sorts out what is new.

    Args:
        earlier: What was known before.
        add: Takes every item, in order.
    """

    earlier: Earlier
    add: Callable[[Item], None]
    looks: dict[str, Look] = field(default_factory=dict, init=False)
    """What the run said of files that were not known."""
    edition: str | None = field(default=None, init=False)
    """Of these; None until the run says so."""
    _last: list[Item] = field(default_factory=list, init=False)
    _known: Mapping[str, Look] = field(default_factory=dict, init=False)
    _mixed: bool = field(default=False, init=False)

    def take(self, said: Said) -> int:
        """Take what comes next, and say how many items it stood for."""
        if isinstance(said, Edition):
            self._take_edition(said.name)
            return 0
        if isinstance(said, Note):
            return self._end(said)
        if self.edition is not None:
            self._last.append(said)
        self.add(said)
        return 1

    def finish(self, whole: bool) -> None:
        """Forget what may be of two editions: a scanner took up new signatures meanwhile, or we cannot know.

        Args:
            whole: Whether the run came to its end.
        """
        if self._mixed or (not whole and self.edition):
            self.looks.clear()

    def _take_edition(self, name: str) -> None:
        if self.edition is None:
            self.edition = name
            self._known = self.earlier.looks if name == self.earlier.edition else {}
        self._mixed |= name != self.edition

    def _end(self, note: Note) -> int:
        if (known := self._known.get(note.path)) is not None:
            for item in known.items:
                self.add(item)
            return len(known.items)
        if note.path and note.alone and self.edition is not None:
            self.looks[note.path] = Look(tuple(self._last), note.data)
        self._last.clear()
        return 0
