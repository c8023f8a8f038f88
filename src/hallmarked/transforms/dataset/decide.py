"""Put together what was seen of all rows, and decide which of them go: copies of others, wherever they lie.

What arrives here was computed by processes that read hostile bytes. Sizes are compared with each other and numbers with
their bounds; that a process lies about a row cannot be seen here, and harms no other file than the one it read.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hallmarked.core.check import Learned
from hallmarked.core.errors import FormatError
from hallmarked.transforms.dataset.field import unify
from hallmarked.transforms.dataset.packet import Received, receive

MOST_ROWS = 1 << 40


@dataclass(frozen=True, slots=True)
class Seen:
    """A piece of a table, as it was read."""

    path: str
    read: int
    unread: tuple[int, ...]
    """Places in the piece, from 0, of rows that could not be read."""
    reasons: tuple[tuple[int, str], ...]
    lost: str
    """Why an unknown number of rows could not be read; empty when that is not so."""
    first: int = 1
    """The number of its first row in its file."""

    @property
    def rows(self) -> int:
        """How many rows it has, as far as that is known."""
        return self.read + len(self.unread)

    def number(self, index: int) -> int:
        """Return the number in its file of a row that was read, given its place among those."""
        place = index
        for gap in self.unread:
            if gap > place:
                break
            place += 1
        return self.first + place


@dataclass(slots=True)
class Group:
    """Pieces that are looked at, and written, in one go."""

    source: int
    """Which source they are from."""
    part: Mapping[str, Any]
    pieces: list[Seen]
    marks: npt.NDArray[np.uint8]
    """One for each row that was read: 0 when it stays, else its reason."""
    received: Received
    path: Path
    """The file of the packet."""
    originals: list[tuple[int, int]] = field(default_factory=list)
    """Rows that are copies, and the place among all rows of what each is a copy of."""

    def to_part(self, places: Places) -> dict[str, Any]:
        """Say what a process needs to write the rows that stay."""
        return {
            **self.part,
            "firsts": [piece.first for piece in self.pieces],
            "marks": base64.b64encode(zlib.compress(self.marks.tobytes(), 1)).decode(),
            "originals": [[row, *places.find(place)] for row, place in self.originals],
        }


def read_group(source: int, learned: Learned, path: Path) -> Group:
    """Read what was seen of some pieces.

    Raises:
        FormatError: When it does not fit together.
    """
    received = receive(learned)
    try:
        pieces = [_seen(each) for each in received.head["pieces"]]
    except (LookupError, TypeError, ValueError) as error:
        raise FormatError("a process sent something that is no survey") from error
    marks = np.frombuffer(received.blob("marks"), np.uint8).copy()
    if [piece.path for piece in pieces] != [each["path"] for each in learned.part["pieces"]]:
        raise FormatError("a process told of other files than it was asked about")
    if len(marks) != sum(piece.read for piece in pieces):
        raise FormatError("a process marked other rows than it read")
    return Group(source, learned.part, pieces, marks, received, path)


def _seen(said: Mapping[str, Any]) -> Seen:
    read, unread = int(said["read"]), tuple(sorted({int(place) for place in said["unread"]}))
    if not 0 <= read < MOST_ROWS or any(not 0 <= place < MOST_ROWS for place in unread):
        raise ValueError("no number of rows")
    reasons = tuple((int(place), str(reason)[:200]) for place, reason in said["reasons"])
    return Seen(str(said["path"]), read, unread, reasons, str(said["lost"])[:200])


def number_rows(groups: Sequence[Group]) -> None:
    """Say of every piece which number its first row has in its file."""
    counts: dict[tuple[int, str], int] = {}
    for group in groups:
        for index, piece in enumerate(group.pieces):
            key = group.source, piece.path
            first = counts.get(key, 1)
            group.pieces[index] = Seen(piece.path, piece.read, piece.unread, piece.reasons, piece.lost, first)
            counts[key] = first + piece.rows


@dataclass(slots=True)
class Places:
    """Finds source, file and number of a row by its place among all rows."""

    names: Sequence[str]
    """Of the sources."""
    _starts: list[int] = field(default_factory=list)
    _pieces: list[tuple[int, Seen]] = field(default_factory=list)

    def add(self, groups: Sequence[Group]) -> Places:
        """Take the rows of groups, in their order."""
        at = 0
        for group in groups:
            for piece in group.pieces:
                self._starts.append(at)
                self._pieces.append((group.source, piece))
                at += piece.read
        return self

    def find(self, place: int) -> tuple[str, str, int]:
        """Return the name of the source, the path and the row number."""
        index = int(np.searchsorted(self._starts, place, "right")) - 1
        source, piece = self._pieces[index]
        return self.names[source], piece.path, piece.number(place - self._starts[index])


def describe_texts(group: Group) -> dict[str, Any]:
    """Say where a confined process finds what is needed to find copies.

    Raises:
        FormatError: When the survey has none.
    """
    for name, start, size in group.received.places:
        if name == "texts":
            return {"path": str(group.path.absolute()), "start": start, "size": size}
    raise FormatError("a process sent no texts to compare")


def mark_copies(groups: Sequence[Group], learned: Learned, mark: int, near: int) -> None:
    """Mark the rows that are copies.

    Args:
        groups: All of them, in the order in which they were compared.
        learned: What ``copy.find`` handed back.
        mark: What rows are marked with that say the same as another one.
        near: What those are marked with that say nearly the same.

    Raises:
        FormatError: When it is about other rows.
    """
    received = receive(learned)
    kept = np.frombuffer(received.blob("kept", 4), "<u4")
    reasons = np.frombuffer(received.blob("reasons"), np.uint8)
    total = sum(len(group.marks) for group in groups)
    if len(kept) != total or len(reasons) != total or (total and (kept.max() >= total or reasons.max() > 2)):
        raise FormatError("a process told of copies among other rows")
    start = 0
    for group in groups:
        stop = start + len(group.marks)
        own = reasons[start:stop]
        rows = np.flatnonzero((own > 0) & (group.marks == 0))
        group.marks[rows] = np.where(own[rows] == 1, mark, near)
        group.originals = list(zip(rows.tolist(), kept[start:stop][rows].tolist(), strict=True))
        start = stop


def unify_fields(groups: Sequence[Group], keep: Sequence[str]) -> list[list[str]]:
    """Return the columns of the result: name, type, and the bytes Arrow reads it back from, in order of appearance.

    Raises:
        FormatError: When a process sent something else.
    """
    fields: dict[str, tuple[str, str]] = {}
    for group in groups:
        for name, kind, written in _fields(group.received.head):
            fields[name] = unify(fields[name], (kind, written)) if name in fields else (kind, written)
    order = [name for name in keep if name in fields] or list(fields)
    return [[name, *fields[name]] for name in order]


def _fields(head: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    try:
        for name, kind, written in head["fields"]:
            yield str(name), str(kind), str(written)
    except (LookupError, TypeError, ValueError) as error:
        raise FormatError("a process sent something that is no survey") from error
