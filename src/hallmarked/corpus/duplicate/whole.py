"""The rows of all parts as one: numbered from 0 in the order of the parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hallmarked.corpus.duplicate.state import DIGEST, Bytes, State

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

STEP = 1 << 16
"""Rows that are read at a time."""


@dataclass(frozen=True, slots=True)
class Whole:
    """What was kept of all parts."""

    states: Sequence[State]
    starts: I64
    """The first row of each part, and behind them the number of all."""
    sketch_starts: I64
    """Likewise of sketches."""

    @classmethod
    def of(cls, states: Sequence[State]) -> Whole:
        """Put parts together."""
        starts = np.cumsum([0] + [state.rows for state in states])
        return cls(states, starts, np.cumsum([0] + [state.sketches for state in states]))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.starts[-1])

    @property
    def sketches(self) -> int:
        """How many of them have a sketch."""
        return int(self.sketch_starts[-1])

    def digests(self, column: str) -> Iterator[tuple[int, Bytes]]:
        """Yield a column of digests piece by piece, each with the row at which it begins."""
        for start, state in zip(self.starts.tolist(), self.states, strict=False):
            for first in range(0, state.rows, STEP):
                last = min(first + STEP, state.rows)
                yield start + first, state.raw(first, last) if column == "raw" else state.folded(first, last)

    def counts(self) -> U32:
        """Return the words of every row."""
        return _joined([state.counts() for state in self.states])

    def sizes(self) -> U32:
        """Return the bytes of every row's text."""
        return _joined([state.sizes() for state in self.states])

    def sketched(self) -> U32:
        """Return the row of every sketch."""
        starts = self.starts.tolist()
        return _joined([state.sketched() + np.uint32(start) for start, state in zip(starts, self.states, strict=False)])

    def band(self, number: int) -> Iterator[tuple[int, U32]]:
        """Yield a band part by part, each with the sketch at which it begins."""
        for start, state in zip(self.sketch_starts.tolist(), self.states, strict=False):
            if state.sketches:
                yield start, state.band(number)

    def band_of(self, number: int, sketches: I64) -> U32:
        """Return a band's numbers of some sketches, in ascending order."""
        result = np.zeros(len(sketches), np.uint32)
        for index, wanted in self._by_part(sketches, self.sketch_starts):
            result[wanted] = self.states[index].band(number)[sketches[wanted] - self.sketch_starts[index]]
        return result

    def prints(self, sketches: I64) -> Bytes:
        """Return the prints of some sketches, in ascending order."""
        size = self.states[0].settings.size
        result = np.zeros((len(sketches), size), np.uint8)
        for index, part in self._by_part(sketches, self.sketch_starts):
            own = sketches[part] - self.sketch_starts[index]
            for first in range(int(own[0]), int(own[-1]) + 1, STEP):
                low, high = np.searchsorted(own, (first, first + STEP))
                if low < high:
                    table = self.states[index].prints(first, min(first + STEP, self.states[index].sketches))
                    result[part.start + low : part.start + high] = table[own[low:high] - first]
        return result

    def by_part(self, rows: I64) -> Iterator[tuple[int, I64]]:
        """Yield parts that hold some of the rows, which ascend, with the rows' places in the part."""
        for index, wanted in self._by_part(rows, self.starts):
            yield index, rows[wanted] - self.starts[index]

    def _by_part(self, ascending: I64, starts: I64) -> Iterator[tuple[int, slice]]:
        bounds = np.searchsorted(ascending, starts)
        for index, (low, high) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
            if low < high:
                yield index, slice(low, high)


def halves(digests: Bytes) -> tuple[U64, U64]:
    """Return the first and the second eight bytes of digests as numbers that sort like them."""
    numbers = np.ascontiguousarray(digests).view(">u8").reshape(-1, DIGEST // 8)
    return numbers[:, 0].astype(np.uint64), numbers[:, 1].astype(np.uint64)


def _joined(arrays: Sequence[npt.NDArray[np.uint32]]) -> U32:
    return np.concatenate(arrays).astype(np.uint32) if arrays else np.zeros(0, np.uint32)
