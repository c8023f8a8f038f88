"""Shingles: runs of n words that stand one after another, as numbers of 64 bits.

After Broder 1997, "On the resemblance and containment of documents". A word's number is made of its UTF-8 bytes, eight
at a time, each step one that can be undone, and the finaliser of MurmurHash3
(https://github.com/aappleby/smhasher/wiki/MurmurHash3): words of the same length up to eight bytes never share a
number; of words longer than ``LONGEST_WORD`` BLAKE2b is taken in. It is no cryptographic hash: where nobody may be able
to try out texts, a key is given, and a word's number is its BLAKE2b (RFC 7693) under that key. A shingle's number is
the sum of those of its words, each multiplied by an odd number for its place.

All is computed for many texts at once, in blocks that stay in the processor's cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hallmarked.corpus.text.normal import Folded, fold, fold_all

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

LONGEST_WORD = 1 << 8
"""Bytes of a word that are taken eight at a time; longer ones (binary data as text) go through BLAKE2b one by one."""
MOST_WORDS_KEPT = 1 << 18
"""Words whose keyed numbers are remembered."""

_BLANK = 32
_GOLDEN = 0x9E3779B97F4A7C15
_STEP = np.uint64(0x9FB21C651E98DF25)
_M1, _M2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_MASKS = np.array([(1 << (8 * size)) - 1 for size in range(9)], np.uint64)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of several texts, one text behind the other."""

    values: U64
    ends: I64
    """Where each text ends in ``values``, as many as texts."""

    @property
    def counts(self) -> I64:
        """How many numbers each text has."""
        return np.diff(self.ends, prepend=0)

    @property
    def owners(self) -> I64:
        """The text of each number."""
        return np.repeat(np.arange(len(self.ends)), self.counts)

    def take(self, indexes: I64) -> Numbers:
        """Return some of the texts, in the order of ``indexes``."""
        counts = self.counts[indexes]
        ends = np.cumsum(counts)
        places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(self.ends[indexes] - ends, counts)
        return Numbers(self.values[places], ends)

    def of(self, index: int) -> U64:
        """Return the numbers of one text."""
        return self.values[self.ends[index - 1] if index else 0 : self.ends[index]]


def mix(values: U64) -> U64:
    """Mix the bits of numbers in place (the 64-bit finaliser of MurmurHash3), and return them."""
    for factor in (_M1, _M2):
        values ^= values >> np.uint64(33)
        values *= factor
    values ^= values >> np.uint64(33)
    return values


def derive(seed: int, label: int, count: int) -> U64:
    """Return ``count`` numbers that follow from a seed (SplitMix64: Steele, Lea and Flood 2014)."""
    start = (seed + (label << 32) + 1) * _GOLDEN % 2**64
    return mix(np.uint64(start) + np.arange(count, dtype=np.uint64) * np.uint64(_GOLDEN))


class Shingler:
    """Turns texts into numbers of their words and shingles."""

    def __init__(self, size: int = 5, seed: int = 1, key: bytes = b"") -> None:
        """Take how shingles are made.

        Args:
            size: Words of a shingle.
            seed: Chooses among the functions; equal seeds give equal numbers on every machine.
            key: Makes the numbers such that nobody without it can find them (at most 64 bytes); slower.
        """
        self.size = size
        self._key = key
        self._known: dict[str, int] = {}
        self._seed = derive(seed, 1, 1)[0]
        self._factors = derive(seed, 2, size) | np.uint64(1)

    def words(self, texts: Sequence[str]) -> Numbers:
        """Return the number of each word of some texts, in order."""
        if self._key:
            return self._keyed(texts)
        return self.words_of(fold_all(texts))

    def words_of(self, blocks: Iterable[Folded]) -> Numbers:
        """Return the number of each word of folded texts, in order; not for a key."""
        return _join([_hash_words(block, self._seed) for block in blocks])

    def shingles(self, words: Numbers) -> Numbers:
        """Return the number of each run of words; a text of fewer words is one shingle, one of none has none."""
        values, counts = words.values, words.counts
        sums = np.zeros(len(values), np.uint64)
        for place, factor in enumerate(self._factors):
            sums[: max(0, len(values) - place)] += values[place:] * factor
        whole = counts >= self.size
        result_counts = np.where(whole, counts - self.size + 1, np.minimum(counts, 1))
        starts = words.ends - counts
        ends = np.cumsum(result_counts)
        taken = np.repeat(starts - (ends - result_counts), result_counts)
        taken += np.arange(len(taken))
        result = sums[taken]
        for index in np.flatnonzero(~whole & (counts > 0)).tolist():
            own = values[starts[index] : words.ends[index]]
            result[ends[index] - 1] = np.sum(own * self._factors[: len(own)], dtype=np.uint64)
        return Numbers(result, ends)

    def sets(self, texts: Sequence[str]) -> list[U64]:
        """Return the different shingles of each text, ascending."""
        found = self.shingles(self.words(texts))
        return [np.unique(found.of(index)) for index in range(len(texts))]

    def _keyed(self, texts: Sequence[str]) -> Numbers:
        parts, ends, end = [], [], 0
        for text in texts:
            words = fold(text).split()
            parts.append(np.fromiter(map(self._digest, words), np.uint64, len(words)))
            end += len(words)
            ends.append(end)
        return Numbers(np.concatenate(parts) if parts else np.zeros(0, np.uint64), np.array(ends, np.int64))

    def _digest(self, word: str) -> int:
        number = self._known.get(word)
        if number is None:
            if len(self._known) >= MOST_WORDS_KEPT:
                self._known.clear()
            data = word.encode("utf-8", "surrogatepass")
            number = int.from_bytes(hashlib.blake2b(data, digest_size=8, key=self._key).digest(), "little")
            self._known[word] = number
        return number


def _join(found: Sequence[Numbers]) -> Numbers:
    if len(found) == 1:
        return found[0]
    shifts = np.cumsum([0] + [len(each.values) for each in found])
    ends = [each.ends + shift for each, shift in zip(found, shifts.tolist(), strict=False)]
    empty = Numbers(np.zeros(0, np.uint64), np.zeros(0, np.int64))
    return Numbers(np.concatenate([each.values for each in found]), np.concatenate(ends)) if found else empty


def _hash_words(block: Folded, seed: np.uint64) -> Numbers:
    behind = np.flatnonzero(block.data == _BLANK)
    starts = np.concatenate((np.zeros(1, np.int64), behind + 1))[: len(behind)]
    padded = np.concatenate((block.data, np.zeros(8, np.uint8)))
    return Numbers(_hash_ranges(padded, starts, behind - starts, seed), np.searchsorted(behind, block.ends))


def _hash_ranges(data: npt.NDArray[np.uint8], starts: I64, lengths: I64, seed: np.uint64) -> U64:
    """Number ranges of bytes, eight bytes of all of them at a time."""
    eights = np.ndarray((len(data) - 7,), "<u8", data, strides=(1,))
    values = lengths.astype(np.uint64) * np.uint64(_GOLDEN) + seed
    _absorb(values, eights[starts] & _MASKS[np.minimum(lengths, 8)])
    long = lengths > LONGEST_WORD
    rows, offset = np.flatnonzero((lengths > 8) & ~long), 8
    while len(rows):
        left = lengths[rows] - offset
        some = values[rows]
        _absorb(some, eights[starts[rows] + offset] & _MASKS[np.minimum(left, 8)])
        values[rows] = some
        rows, offset = rows[left > 8], offset + 8
    for row in np.flatnonzero(long).tolist():
        word = data[starts[row] : starts[row] + lengths[row]].tobytes()
        values[row] ^= np.uint64(int.from_bytes(hashlib.blake2b(word, digest_size=8).digest(), "little"))
    return mix(values)


def _absorb(values: U64, block: U64) -> None:
    values ^= block
    values *= _STEP
    values ^= values >> np.uint64(32)
