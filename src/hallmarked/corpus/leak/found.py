"""What was found in some rows; what was found in parts of a data set merges into what was found in all of it."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from hallmarked.core.errors import FormatError
from hallmarked.corpus.leak.index import Index
from hallmarked.corpus.leak.scan import Match, scan
from hallmarked.corpus.leak.word import Places

MOST_PLACES = 20
"""Places of one piece of an item that are kept, the best ones; the others are counted."""
_HEAD = struct.Struct("<QQ")
"""Bytes of the JSON that follows, and numbers that follow that."""


@dataclass(frozen=True, slots=True)
class Place:
    """A match, and where the row is that holds it."""

    path: str
    row: int
    """From 1 at the beginning of the file."""
    match: Match
    """The number of its text says nothing here."""

    @property
    def rank(self) -> tuple[float, str, int, int]:
        """Order places of one item: the best match first, then as they stand in the data set."""
        return (-self.match.share, self.path, self.row, self.match.start)


@dataclass(slots=True)
class Found:
    """What was found so far."""

    size: int
    """How many runs the index has, which is as many numbers as are counted."""
    rows: int = 0
    """Those that were read, and those that are known not to have been."""
    words: int = 0
    unread: int = 0
    """Rows that could not be read."""
    lost: list[str] = field(default_factory=list)
    """Why parts, or rows of unknown number, could not be read."""
    passed_over: int = 0
    """Places that were not compared, because a text was made to match all over."""
    places: dict[int, list[Place]] = field(default_factory=dict)
    """By number of the target; the best ones."""
    strong: dict[int, int] = field(default_factory=dict)
    """How many strong matches each target has."""
    possible: dict[int, int] = field(default_factory=dict)
    occurrences: Places = field(init=False)
    """How often each run occurs."""
    inside: Places = field(init=False)
    """How often within a strong match."""

    def __post_init__(self) -> None:
        self.occurrences, self.inside = np.zeros(self.size, np.int64), np.zeros(self.size, np.int64)

    def take(self, index: Index, path: str, texts: pa.Array) -> None:
        """Look for items in the texts of the rows that follow.

        Args:
            index: What to look for.
            path: The file of the rows.
            texts: A ``large_string`` array without nulls, one text per row.
        """
        for scanned in scan(index, texts):
            self.words += scanned.words
            self.passed_over += scanned.passed_over
            for kept, runs in ((self.occurrences, scanned.runs), (self.inside, scanned.inside)):
                which, counts = np.unique(runs, return_counts=True)
                kept[which] += counts
            for match in scanned.matches:
                counted = self.strong if match.strong else self.possible
                counted[match.target] = counted.get(match.target, 0) + 1
                self._place([Place(path, self.rows + match.text + 1, replace(match, text=0))], match.target)
        self.rows += len(texts)

    def skip(self, rows: int | None, reason: str) -> None:
        """Pass over rows that could not be read; None when nobody knows how many they are."""
        if rows is None:
            self.lost.append(reason)
        else:
            self.rows += rows
            self.unread += rows

    def _place(self, places: Iterable[Place], target: int) -> None:
        self.places[target] = sorted([*self.places.get(target, ()), *places], key=lambda p: p.rank)[:MOST_PLACES]

    def merge(self, other: Found, shift: int = 0) -> None:
        """Take what was found elsewhere, in rows that stand ``shift`` rows further down their file than it says."""
        self.rows += other.rows
        self.words += other.words
        self.unread += other.unread
        self.passed_over += other.passed_over
        self.lost += other.lost
        self.occurrences += other.occurrences
        self.inside += other.inside
        for target, places in other.places.items():
            self._place((replace(place, row=place.row + shift) for place in places), target)
        for mine, theirs in ((self.strong, other.strong), (self.possible, other.possible)):
            for target, count in theirs.items():
                mine[target] = mine.get(target, 0) + count

    def dump(self) -> bytes:
        """Write it as JSON and numbers."""
        head: dict[str, Any] = {
            "rows": self.rows,
            "words": self.words,
            "unread": self.unread,
            "passed_over": self.passed_over,
            "lost": self.lost,
            "strong": sorted(self.strong.items()),
            "possible": sorted(self.possible.items()),
            "places": [_write(place) for target in sorted(self.places) for place in self.places[target]],
        }
        text = json.dumps(head, ensure_ascii=False).encode()
        there = np.flatnonzero(self.occurrences)
        numbers = np.stack([there, self.occurrences[there], self.inside[there]]).astype("<i8")
        return _HEAD.pack(len(text), len(there)) + text + numbers.tobytes()

    @classmethod
    def load(cls, data: bytes, index: Index) -> Found:
        """Read what :meth:`dump` wrote; nothing in it is trusted.

        Raises:
            FormatError: When it is something else, or not of this index.
        """
        try:
            size, count = _HEAD.unpack_from(data)
            numbers = np.frombuffer(data, "<i8", 3 * count, _HEAD.size + size).reshape(3, count)
            if len(data) != _HEAD.size + size + numbers.nbytes or (numbers < 0).any():
                raise FormatError("what was learned of a part is not whole")
            if count and numbers[0].max() >= index.size:
                raise FormatError("what was learned of a part is of other benchmarks")
            head = json.loads(data[_HEAD.size : _HEAD.size + size])
            found = cls(index.size)
            found.rows, found.words = _count(head["rows"]), _count(head["words"])
            found.unread, found.passed_over = _count(head["unread"]), _count(head["passed_over"])
            found.lost = [str(reason) for reason in head["lost"]]
            for kept, name in ((found.strong, "strong"), (found.possible, "possible")):
                kept.update((_count(target, len(index.targets)), _count(number)) for target, number in head[name])
            for written in head["places"]:
                place = _read(written, index)
                found._place([place], place.match.target)
        except (
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            ArithmeticError,
            RecursionError,
            struct.error,
        ) as error:
            raise FormatError("what was learned of a part cannot be read") from error
        np.add.at(found.occurrences, numbers[0], numbers[1])
        np.add.at(found.inside, numbers[0], numbers[2])
        return found


def _count(value: Any, below: int = 1 << 53) -> int:
    if type(value) is not int or not 0 <= value < below:
        raise ValueError("not a count")
    return value


def _write(place: Place) -> list[Any]:
    match = place.match
    return [
        place.path,
        place.row,
        match.target,
        match.start,
        match.stop,
        round(match.share * 10_000),
        match.matched,
        match.longest,
        match.answer,
        match.shadowed,
    ]


def _read(written: Any, index: Index) -> Place:
    path, row, target, start, stop, share, matched, longest, answer, shadowed = written
    words = int(index.lengths[_count(target, len(index.targets))])
    ranges = tuple((_count(begin, words), _count(end, words + 1)) for begin, end in matched)
    answered = answer if answer is None else answer is True
    match = Match(
        target,
        0,
        _count(start),
        _count(stop),
        _count(share, 10_001) / 10_000,
        ranges,
        _count(longest, words + 1),
        answered,
        shadowed is True,
    )
    return Place(str(path), _count(row), match)
