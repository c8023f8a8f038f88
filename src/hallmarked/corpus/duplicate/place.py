"""Where rows stand: the file, and the number of the row in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hallmarked.corpus.duplicate.find import Duplicates
from hallmarked.corpus.duplicate.state import NEAR, SAME, WORDS, State
from hallmarked.corpus.duplicate.whole import I64

REASONS = {SAME: "same text", WORDS: "same words", NEAR: "near duplicate"}
"""Why a row is a duplicate, in words."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A row of a file."""

    path: str
    row: int
    """From 1, rows that cannot be read counted."""

    def __str__(self) -> str:
        return f"{self.path} row {self.row:,}"


@dataclass(frozen=True, slots=True)
class Removal:
    """A row that is not kept."""

    part: int
    """Index of its part."""
    index: int
    """Which of the readable rows of the part it is, from 0."""
    place: Place
    reason: str
    """One of ``REASONS``."""
    kept: Place
    """The row that is kept of its cluster."""


class Places:
    """Finds the places of rows that are numbered over all parts."""

    def __init__(self, paths: Sequence[str], states: Sequence[State]) -> None:
        """Take the parts in their order, and the path of the file of each."""
        self._paths = paths
        self._starts = np.cumsum([0] + [state.rows for state in states])
        self._shifts: list[tuple[I64, I64]] = []
        before: dict[str, int] = {}
        for path, state in zip(paths, states, strict=True):
            first = before.get(path, 0)
            numbers, count = state.numbers()
            shifts = numbers - np.arange(len(numbers))
            changes = np.flatnonzero(np.diff(shifts, prepend=-1))
            self._shifts.append((changes, shifts[changes] + first + 1))
            before[path] = first + count

    def part_of(self, row: int) -> tuple[int, int]:
        """Return the part of a row, and which of its readable rows it is."""
        part = int(np.searchsorted(self._starts, row, "right")) - 1
        return part, row - int(self._starts[part])

    def of(self, row: int) -> Place:
        """Return the place of a row."""
        part, index = self.part_of(row)
        changes, shifts = self._shifts[part]
        return Place(self._paths[part], index + int(shifts[np.searchsorted(changes, index, "right") - 1]))

    def removals(self, found: Duplicates) -> Iterator[Removal]:
        """Yield the rows that are not kept, in their order."""
        for row in np.flatnonzero(found.reasons).tolist():
            part, index = self.part_of(row)
            kept = self.of(int(found.kept[row]))
            yield Removal(part, index, self.of(row), REASONS[int(found.reasons[row])], kept)
