"""Sketches: a few numbers per set, of which two sets share about as many as they share members.

The method is *Fast Similarity Sketching* (Dahlgaard, Knudsen and Thorup, FOCS 2017, https://arxiv.org/abs/1704.04370):
like MinHash (Broder 1997) the chance that two sets agree in one of their numbers is their Jaccard similarity, but
members are hashed once per round until every number is set, not once per number: a long text needs one round or two
instead of ``size`` of them. In each round a member is hashed by multiplication with an odd number of 64 bits, of which
the upper half counts (Dietzfelbinger et al. 1997): its product with ``size`` says which number it may set, and to what;
members themselves are mixed numbers already, see ``text.shingle``. What a number is depends on no other member, and not
on their order.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hallmarked.core.errors import InputError
from hallmarked.corpus.text.normal import Folded, fold_all
from hallmarked.corpus.text.shingle import I64, U64, Numbers, Shingler, derive, mix

U32 = npt.NDArray[np.uint32]

METHOD = "Fast Similarity Sketching"
UNSET = 0xFFFFFFFF
"""No number yet; a text without words keeps it."""
MANY = 64
"""Members of a set on average that leave a number unset after ``LOOK`` rounds only where most of them are the same."""
BLOCK = 1 << 17
"""Numbers that are worked on at once: so many that calls do not count, so few that they stay in the cache."""
LOOK = 8
"""Rounds after which it is looked only now and then whose numbers are all set: short texts need many of them."""
LOWEST = 0.5
_MISSED = 0.01
_HALF = np.uint64(32)


@dataclass(frozen=True, slots=True)
class Settings:
    """How near duplicates are looked for. All of it belongs into a statement.

    Raises:
        InputError: When a setting is out of bounds.
    """

    words: int = 5
    """Words of a shingle."""
    bands: int = 25
    rows: int = 5
    """Two texts are compared when all numbers of a band agree: likely from (1/bands)^(1/rows) on, here 0.53."""
    threshold: float = 0.7
    """Jaccard similarity of the sets of shingles from which two texts are near duplicates."""
    seed: int = 1

    def __post_init__(self) -> None:
        bounds = (
            ("words of a shingle", self.words, 1, 100),
            ("bands", self.bands, 1, 256),
            ("rows of a band", self.rows, 1, 64),
            ("numbers of a sketch", self.size, 1, 1024),
            ("threshold", self.threshold, 0.1, 1),
            ("seed", self.seed, 0, 2**64 - 1),
        )
        for name, value, least, most in bounds:
            if not least <= value <= most:
                raise InputError(
                    f"duplicates cannot be looked for with {value} as {name}: it must be {least} to {most}"
                )

    @classmethod
    def at(cls, threshold: float, seed: int = 1) -> Settings:
        """Return settings for a threshold from 0.5 on, with bands by which 99 of 100 pairs at the threshold are found.

        Raises:
            InputError: When the threshold is lower, or above 1.
        """
        if not LOWEST <= threshold <= 1:
            raise InputError(f"near duplicates are found from a similarity of {LOWEST} on, up to 1, not at {threshold}")
        rows = next(rows for least, rows in ((0.7, 5), (0.6, 4), (LOWEST, 3)) if threshold >= least)
        agree = min(threshold**rows, 1 - _MISSED)
        bands = max(25, round(math.log(_MISSED) / math.log(1 - agree)))
        return cls(bands=bands, rows=rows, threshold=threshold, seed=seed)

    @property
    def size(self) -> int:
        """Numbers of a sketch."""
        return self.bands * self.rows


class Sketcher:
    """Turns texts into sketches."""

    def __init__(self, settings: Settings | None = None, key: bytes = b"") -> None:
        """Take how.

        Args:
            settings: What is chosen.
            key: With one (at most 64 bytes), nobody who lacks it can find out which texts a sketch may be of; equal
                keys give equal sketches.
        """
        self.settings = settings or Settings()
        seed = self.settings.seed
        if key:
            seed ^= int.from_bytes(hashlib.blake2b(b"sketch", key=key, digest_size=8).digest(), "little")
        self.shingler = Shingler(self.settings.words, seed, key)
        self._keyed = bool(key)
        self._factors = derive(seed, 3, 2 * self.settings.size) | np.uint64(1)

    def sketch(self, texts: Sequence[str]) -> U32:
        """Return the sketch of each text: an array of texts by ``settings.size``."""
        if self._keyed:
            return self.of_shingles(self.shingler.shingles(self.shingler.words(texts)))
        found = [self.sketch_block(block) for block in fold_all(texts)]
        return np.concatenate(found) if found else np.zeros((0, self.settings.size), np.uint32)

    def sketch_block(self, block: Folded) -> U32:
        """Return the sketches of a block of folded texts; not for a key."""
        return self.of_shingles(self.shingler.shingles(self.shingler.words_of([block])))

    def of_shingles(self, shingles: Numbers) -> U32:
        """Return the sketch of each set of shingles; members that come twice count once."""
        result = np.full((len(shingles.ends), self.settings.size), UNSET, np.uint32)
        for first, last in _blocks(shingles.ends):
            start = int(shingles.ends[first - 1]) if first else 0
            values = shingles.values[start : shingles.ends[last - 1]]
            counts = shingles.counts[first:last] if first or last < len(result) else shingles.counts
            self._fill(result[first:last], values, np.repeat(np.arange(last - first), counts))
        return result

    def _fill(self, table: U32, values: U64, owners: I64) -> None:
        """Set the numbers of some sketches, round by round, until all are set."""
        size = self.settings.size
        flat = table.reshape(-1)
        cells, factor = owners * size, np.uint64(size)
        for number, odd in enumerate(self._factors):
            hashed = values * odd
            hashed >>= _HALF
            hashed *= factor
            drawn = hashed.astype(np.uint32)  # the lower half; the upper one is a number below size
            if number < size:
                hashed >>= _HALF
                places = hashed.view(np.int64)
                places += cells
            else:  # each number in its turn, so that all are set in the end
                places = cells + (number - size)
            if number:
                free = np.flatnonzero(flat[places] == UNSET)
                places, drawn = places[free], drawn[free]
            np.minimum.at(flat, places, drawn)
            if number < LOOK or number % LOOK == 0:
                going = (table == UNSET).any(axis=1)[owners]
                values, owners = values[going], owners[going]
                if not len(values):
                    return
                if number == LOOK - 1 and len(values) > MANY * len(np.unique(owners)):
                    values, owners = _different(values, owners)
                cells = owners * size


def _different(values: U64, owners: I64) -> tuple[U64, I64]:
    """Leave out members that come again in their set."""
    order = np.lexsort((values, owners))
    values, owners = values[order], owners[order]
    new = np.ones(len(values), bool)
    new[1:] = (values[1:] != values[:-1]) | (owners[1:] != owners[:-1])
    return values[new], owners[new]


def _blocks(ends: I64) -> list[tuple[int, int]]:
    """Cut sets into runs of about ``BLOCK`` members each, one set at least."""
    found, first = [], 0
    while first < len(ends):
        start = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, start + BLOCK, "right")))
        found.append((first, last))
        first = last
    return found


def bands_of(sketches: U32, settings: Settings) -> U32:
    """Return a number per band of each sketch, which two sketches share when they agree in the whole band.

    Others share it by accident once in 2^32 times; what shares it is compared, so an accident costs only time.

    Returns:
        An array of ``settings.bands`` by texts.
    """
    rows = sketches.reshape(len(sketches), settings.bands, settings.rows).astype(np.uint64)
    factors = derive(settings.seed, 4, settings.rows) | np.uint64(1)
    sums: U64 = (rows * factors).sum(axis=2, dtype=np.uint64)
    return np.ascontiguousarray((mix(sums) >> _HALF).astype(np.uint32).T)


def prints_of(sketches: U32) -> npt.NDArray[np.uint8]:
    """Return the lowest byte of each number, enough to estimate with (b-bit minwise hashing, Li and Koenig 2010)."""
    return (sketches & np.uint32(0xFF)).astype(np.uint8)


def minhash(text: str, key: bytes, settings: Settings | None = None) -> U32:
    """Return the sketch of one text under a key; see :class:`Sketcher` when there are many."""
    sketch: U32 = Sketcher(settings, key).sketch([text])[0]
    return sketch


def estimate(one: U32, other: U32) -> float:
    """Estimate the Jaccard similarity of two sets by their sketches; the standard error is at most 0.045 for 125."""
    return float(np.mean(one == other)) if (one != UNSET).any() and (other != UNSET).any() else 0.0
