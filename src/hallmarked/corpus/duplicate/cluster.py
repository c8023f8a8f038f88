"""Rows that belong together, and which of each cluster is kept.

The kept row is the one whose text has the smallest digest, and among rows of the same text the first in the order of
path and row: so the text that is kept does not depend on how rows are spread over files, nor on their order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hallmarked.corpus.duplicate.whole import U32, U64


@dataclass(slots=True)
class Forest:
    """Sets of rows that grow together (union-find); the root of a set is the row that is kept."""

    parents: U32
    """Per row another row of its set that is nearer to the root, or itself."""
    keys: U64
    """Puts rows in order, see ``group.keys_of``."""

    @classmethod
    def of(cls, keys: U64) -> Forest:
        """Begin with every row by itself."""
        return cls(np.arange(len(keys), dtype=np.uint32), keys)

    def hang(self, rows: U32, roots: U32) -> None:
        """Put rows that were by themselves under roots, which come before them."""
        self.parents[rows] = roots

    def find(self, row: int) -> int:
        """Return the root of a row's set."""
        parents = self.parents
        while (above := int(parents[row])) != row:
            parents[row] = parents[above]
            row = above
        return row

    def unite(self, one: int, other: int) -> None:
        """Make one set of two rows' sets."""
        one, other = self.find(one), self.find(other)
        if one == other:
            return
        if (self.keys[other], other) < (self.keys[one], one):
            one, other = other, one
        self.parents[other] = one

    def flatten(self) -> U32:
        """Return the root of every row, and remember it."""
        while True:
            above = self.parents[self.parents]
            if (above == self.parents).all():
                return self.parents
            self.parents[:] = above
