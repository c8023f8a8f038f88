"""Put together what was seen of all rows, and decide which of them go: copies of others, wherever they lie.

What arrives here was computed by processes that read hostile bytes. Sizes are compared with each other and numbers with
their bounds; that a process lies about a row cannot be seen here, and harms no other file than the one it read.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from hallmarked.core.check import Learned
from hallmarked.core.errors import FormatError
from hallmarked.corpus.proof.identifier import SIZE
from hallmarked.transforms.dataset.field import unify
from hallmarked.transforms.dataset.packet import Received, receive

SORTED_ROWS = 1 << 22
"""Rows whose digests are sorted at once; so many times their digests are held."""
MOST_ROWS = 1 << 40
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


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


def read_group(source: int, learned: Learned) -> Group:
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
    return Group(source, learned.part, pieces, marks, received)


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


def mark_copies(groups: Sequence[Group], mark: int) -> None:
    """Mark every row whose content a row before it has, in the order of the groups.

    Args:
        groups: All of them.
        mark: What copies are marked with.
    """
    total = sum(len(group.marks) for group in groups)
    turns = max(1, math.ceil(total / SORTED_ROWS))
    starts = np.cumsum([0, *(len(group.marks) for group in groups)])
    for turn in range(turns):
        high, low, place = _collect(groups, starts, turn, turns)
        order = np.lexsort((place, low, high))
        high, low, place = high[order], low[order], place[order]
        same = np.flatnonzero((high[1:] == high[:-1]) & (low[1:] == low[:-1])) + 1
        firsts = np.ones(len(place), bool)
        firsts[same] = False
        originals = place[np.maximum.accumulate(np.where(firsts, np.arange(len(place)), 0))]
        for copy, original in sorted(zip(place[same].tolist(), originals[same].tolist(), strict=True)):
            owner = int(np.searchsorted(starts, copy, "right")) - 1
            while copy >= starts[owner + 1]:
                owner += 1
            row = copy - int(starts[owner])
            groups[owner].marks[row] = mark
            groups[owner].originals.append((row, original))
    for group in groups:
        group.originals.sort()


def _collect(groups: Sequence[Group], starts: I64, turn: int, turns: int) -> tuple[U64, U64, I64]:
    """Return the first half of the digests of unmarked rows that are this turn's, and the rows' places."""
    found: list[tuple[U64, U64, I64]] = []
    for group, start in zip(groups, starts.tolist(), strict=False):
        digests = np.frombuffer(group.received.blob("digests", SIZE), ">u8").reshape(-1, SIZE // 8)
        if len(digests) != len(group.marks):
            raise FormatError("a process sent other digests than rows")
        rows = np.flatnonzero((group.marks == 0) & (digests[:, 2] % np.uint64(turns) == turn))
        found.append((digests[rows, 0].astype(np.uint64), digests[rows, 1].astype(np.uint64), rows + start))
    return (
        np.concatenate([each[0] for each in found]),
        np.concatenate([each[1] for each in found]),
        np.concatenate([each[2] for each in found]),
    )


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
