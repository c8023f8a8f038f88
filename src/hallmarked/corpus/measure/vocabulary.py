"""The vocabulary of texts: how many words differ, how many occur once, and how much the commonest make up."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from hallmarked.corpus.measure.distinct import Distinct

MOST_WORDS = 1 << 17
"""Different words up to which all is exact."""
TOP = 100
"""Commonest words whose share is told."""
_BITS = 16


@dataclass(slots=True)
class Vocabulary:
    """What is known of the words of some texts."""

    words: int = 0
    """All of them."""
    different: Distinct = field(default_factory=lambda: Distinct(MOST_WORDS))
    sums: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(1 << _BITS, np.int64))
    """How many words have a hash that begins with these bits."""

    def add(self, hashes: npt.NDArray[np.uint64]) -> None:
        """Take words by their hashes."""
        found, counts = np.unique(hashes, return_counts=True)
        self.words += len(hashes)
        self.different.add(found, counts)
        self._sum(found, counts)

    def _sum(self, hashes: npt.NDArray[np.uint64], counts: npt.NDArray[np.int64]) -> None:
        np.add.at(self.sums, (hashes >> np.uint64(64 - _BITS)).astype(np.int64), counts)

    def merge(self, other: Vocabulary) -> None:
        """Take what is known of other texts."""
        self.words += other.words
        self.different.merge(other.different)
        self.sums += other.sums

    @property
    def top(self) -> float:
        """Share of all words that the commonest make up.

        Exact where the vocabulary is; else it is of the fullest of 65,536 places into which words fall by their hashes,
        so that it is no less than the true share, and more by what rarer words add there: about 0.2 points.
        """
        if not self.words:
            return 0.0
        counts = self.sums if self.different.more else self.different.counts
        return int(np.sort(counts)[-TOP:].sum()) / self.words

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON."""
        sums = self.sums.astype("<i8").tobytes() if self.different.more else b""
        return {
            "words": self.words,
            "different": self.different.to_json(),
            "sums": base64.b64encode(sums).decode(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Vocabulary:
        """Read what :meth:`to_json` wrote."""
        found = cls(data["words"], Distinct.from_json(data["different"]))
        if found.different.more:
            found.sums = np.frombuffer(base64.b64decode(data["sums"]), "<i8").astype(np.int64)
        else:
            found._sum(found.different.hashes, found.different.counts)
        return found
