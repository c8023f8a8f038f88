"""Texts nearly alike, found by digests from which nobody without the registry's key can tell anything about the text.

A sketch is MinHash (Broder, *On the resemblance and containment of documents*, 1997) over shingles of five words: 128
least values, in 25 bands of five. What is kept are keyed digests of the bands, by which candidates are found, and keyed
digests of the single values, from which the resemblance (Jaccard) of a candidate is estimated; its standard error is
``sqrt(J * (1 - J) / 128)``, about 0.04. The function is spelt out here, and not taken from a library, because sketches
are kept for years: XXH3 (https://github.com/Cyan4973/xxHash) of each shingle, then multiplication modulo 2^64.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xxhash

from hallmarked.core.errors import InputError
from hallmarked.corpus.consent.key import RegistryKey
from hallmarked.corpus.consent.selector import normal_text

VALUES = 128
BANDS, ROWS = 25, 5
WORDS = 5
"""Words of a shingle."""
LETTERS = 20
"""Characters of a shingle of a text that has hardly any spaces."""
LONG_WORDS = 16
"""Characters of a word on average from which a text counts as one without spaces."""
SHORTEST = 20
"""Shingles that a text must have; two short texts are alike by accident."""
THRESHOLD = 0.7
"""Resemblance from which a text counts as nearly like another one."""
BAND_SIZE, VALUE_SIZE = 12, 4
"""Bytes of the keyed digests."""
SIZE = BANDS * BAND_SIZE + VALUES * VALUE_SIZE
"""Bytes of a sketch as it is kept."""
MAX_SHINGLES = 1 << 19
"""Shingles that are looked at; of a longer text, the first ones."""
CHUNK = 1 << 9
"""Shingles at once: so many that what is computed stays in the processor's cache."""

Signature = npt.NDArray[np.uint32]


def _constants() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Return multipliers (odd) and summands of the 128 functions, from SHA-256 of their numbers."""
    stream = b"".join(hashlib.sha256(b"hallmarked consent sketch 1 %d" % number).digest() for number in range(VALUES))
    numbers = np.frombuffer(stream, "<u8").reshape(VALUES, 4).astype(np.uint64)
    return numbers[:, 0] | np.uint64(1), numbers[:, 1]


_TIMES, _PLUS = _constants()


@dataclass(frozen=True, slots=True, repr=False)
class Sketch:
    """What is kept of a text that is to be found again."""

    bands: tuple[bytes, ...]
    values: tuple[bytes, ...]

    def resemblance(self, values: tuple[bytes, ...]) -> float:
        """Estimate the Jaccard resemblance to the text with these keyed values."""
        return sum(mine == theirs for mine, theirs in zip(self.values, values, strict=True)) / VALUES

    def to_bytes(self) -> bytes:
        """Return bands, then values."""
        return b"".join((*self.bands, *self.values))

    def cover(self, key: RegistryKey) -> Sketch:
        """Put the newest layer of a key over it."""
        return Sketch(tuple(map(key.cover, self.bands)), tuple(map(key.cover, self.values)))


def read_sketch(data: bytes) -> Sketch:
    """Read a sketch from its bytes.

    Raises:
        InputError: When they are none.
    """
    if len(data) != SIZE:
        raise InputError(f"a sketch of a text has {SIZE} bytes")
    middle = BANDS * BAND_SIZE
    bands = (data[start : start + BAND_SIZE] for start in range(0, middle, BAND_SIZE))
    values = (data[start : start + VALUE_SIZE] for start in range(middle, SIZE, VALUE_SIZE))
    return Sketch(tuple(bands), tuple(values))


def sign_text(normal: str) -> Signature | None:
    """Return the 128 least values of a text in its normal form; None when it is too short to be told from others."""
    hashes = np.fromiter({xxhash.xxh3_64_intdigest(shingle) for shingle in _shingles(normal)}, np.uint64)
    if len(hashes) < SHORTEST:
        return None
    least = np.full(VALUES, np.iinfo(np.uint32).max, np.uint32)
    for start in range(0, len(hashes), CHUNK):
        values = hashes[start : start + CHUNK, None] * _TIMES + _PLUS
        np.minimum(least, (values.min(axis=0) >> np.uint64(32)).astype(np.uint32), out=least)
    return least


def make_sketch(key: RegistryKey, text: str) -> Sketch:
    """Make the sketch of a text.

    Raises:
        InputError: When the text is too short.
    """
    signature = sign_text(normal_text(text))
    if signature is None:
        raise InputError(
            f"the text is too short to find others like it; give at least {SHORTEST + WORDS - 1} words, or its"
            " exact content"
        )
    return Sketch(key_bands(key, signature), key_values(key, signature))


def key_bands(key: RegistryKey, signature: Signature) -> tuple[bytes, ...]:
    """Return the keyed digests by which candidates are found."""
    data = signature.astype("<u4").tobytes()
    width = ROWS * 4
    return tuple(
        key.digest(b"band %d" % band, data[band * width : (band + 1) * width], BAND_SIZE) for band in range(BANDS)
    )


def key_values(key: RegistryKey, signature: Signature) -> tuple[bytes, ...]:
    """Return the keyed digests by which the resemblance is estimated."""
    data = signature.astype("<u4").tobytes()
    return tuple(key.digest(b"value %d" % n, data[n * 4 : n * 4 + 4], VALUE_SIZE) for n in range(VALUES))


def _shingles(normal: str) -> Iterator[bytes]:
    words = normal.split(" ")
    if len(normal) > LONG_WORDS * len(words):
        for start in range(min(max(0, len(normal) - LETTERS + 1), MAX_SHINGLES)):
            yield normal[start : start + LETTERS].encode("utf-8", "surrogatepass")
        return
    encoded = [word.encode("utf-8", "surrogatepass") for word in words[: MAX_SHINGLES + WORDS]]
    for start in range(max(0, len(encoded) - WORDS + 1)):
        yield b" ".join(encoded[start : start + WORDS])


def standard_error(resemblance: float) -> float:
    """Return the standard error of an estimated resemblance."""
    return math.sqrt(resemblance * (1 - resemblance) / VALUES)
