"""Comparing two runs of words one by one: the best local alignment (Smith and Waterman, 1981) with weighted words.

Everything is counted in whole numbers, so that no two machines round differently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hallmarked.corpus.leak.index import UNIT
from hallmarked.corpus.leak.word import Hashes, Places

PENALTY = UNIT * 2 // 10
"""What a word costs that is changed, missing or in addition."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """How much of an item stands in a text, and where."""

    score: int
    """Weights of the words that match less the penalties, at most the weights of all."""
    matched: Places
    """Places of the words of the item that match, ascending."""
    places: Places
    """Where each of them stands in the text, ascending."""

    @property
    def longest(self) -> int:
        """Most words that match in a row, with nothing between them on either side."""
        if not len(self.matched):
            return 0
        breaks = np.flatnonzero((np.diff(self.matched) != 1) | (np.diff(self.places) != 1)) + 1
        return int(np.diff([0, *breaks.tolist(), len(self.matched)]).max())


def align(item: Hashes, weights: Places, text: Hashes) -> Alignment:
    """Return the best local alignment of an item with a text."""
    rows, columns = len(item), len(text)
    scores = np.zeros((rows + 1, columns + 1), np.int32)
    steps = np.arange(columns + 1, dtype=np.int32) * PENALTY
    same = item[:, None] == text[None, :]
    gains = np.where(same, weights[:, None], -PENALTY).astype(np.int32)
    for row in range(rows):
        above, here = scores[row], scores[row + 1]
        np.maximum(above[:-1] + gains[row], above[1:] - PENALTY, out=here[1:])
        np.maximum(here, 0, out=here)
        # Words in addition: the best of all places to the left, each less a penalty per word.
        np.add(here, steps, out=here)
        np.maximum.accumulate(here, out=here)
        np.subtract(here, steps, out=here)
    return _trace(scores, gains, same)


def _trace(scores: npt.NDArray[np.int32], gains: npt.NDArray[np.int32], same: npt.NDArray[np.bool_]) -> Alignment:
    """Go back from the best place to where its alignment began."""
    row, column = map(int, np.unravel_index(int(np.argmax(scores)), scores.shape))
    best = int(scores[row, column])
    pairs: list[tuple[int, int]] = []
    while row and column and scores[row, column] > 0:
        score = scores[row, column]
        if score == scores[row - 1, column - 1] + gains[row - 1, column - 1]:
            row, column = row - 1, column - 1
            if same[row, column]:
                pairs.append((row, column))
        elif score == scores[row - 1, column] - PENALTY:
            row -= 1
        else:
            column -= 1
    found = np.array(pairs[::-1], np.int64).reshape(-1, 2)
    return Alignment(best, found[:, 0], found[:, 1])
