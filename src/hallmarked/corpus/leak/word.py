"""Words of texts as numbers, many at once.

A word is a run of letters and digits whatever its case; in scripts that put no spaces between words, a character is a
word. Words are known by a 64-bit hash of their bytes: of the first eight, the last eight and the length, so that long
words cost no more than short ones. Texts that are all ASCII are never looked at one by one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

SLICE_BYTES = 1 << 19
"""Text that is worked on at a time: few enough that what is made of it stays in the processor's caches."""
_ASCII = bytes(
    byte if byte >= 0x80 or chr(byte).isdigit() or chr(byte).islower() else byte + 32 if chr(byte).isupper() else 0
    for byte in range(256)
)
"""What bytes become: letters small ones, digits and parts of other characters themselves, all else zero."""
_PAD = bytes(16)
_MASKS = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)
_SHIFT = np.uint64(32)

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of some texts."""

    hashes: Hashes
    """Of all words, one text after the other."""
    stops: Places
    """Where the words of each text begin, and at the end their number: one more than there are texts."""


def words_of(texts: pa.Array) -> Words:
    """Return the words of texts.

    Args:
        texts: A ``large_string`` array without nulls.
    """
    hashes, counts = [], []
    for piece in _slices(texts):
        found = _words(*piece)
        hashes.append(found.hashes)
        counts.append(np.diff(found.stops))
    stops = np.concatenate([np.zeros(1, np.int64), *counts]).cumsum() if counts else np.zeros(1, np.int64)
    return Words(np.concatenate(hashes) if hashes else np.empty(0, np.uint64), stops)


def word_slices(texts: pa.Array) -> Iterator[tuple[int, Words]]:
    """Yield the words of texts, some texts at a time, with the number of the first text.

    Args:
        texts: A ``large_string`` array without nulls.
    """
    done = 0
    for piece in _slices(texts):
        yield done, _words(*piece)
        done += len(piece[1]) - 1


def _slices(texts: pa.Array) -> Iterator[tuple[bytes, Places]]:
    """Yield bytes of some texts after each other, and where each begins."""
    if not len(texts):
        return
    _, places, data = texts.buffers()
    all_starts = np.frombuffer(places, np.int64, len(texts) + 1, texts.offset * 8)
    view = memoryview(data) if data is not None else memoryview(b"")
    first = 0
    while first < len(texts):
        limit = int(all_starts[first]) + SLICE_BYTES
        last = max(first + 1, int(np.searchsorted(all_starts, limit, "right")) - 1)
        begin, end = int(all_starts[first]), int(all_starts[last])
        yield bytes(view[begin:end]), all_starts[first : last + 1] - begin
        first = last


def _words(data: bytes, starts: Places) -> Words:
    small = data.isascii()
    if not small:
        data, starts = _fold_all(data, starts)
    bytes_ = np.frombuffer(b"\0" + data.translate(_ASCII) + _PAD, np.uint8)
    if not small:
        bytes_ = bytes_.copy()
        alone = _other_scripts(bytes_)
    else:
        alone = np.empty(0, np.int64)
    inside = (bytes_ != 0).view(np.int8)
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    begins, ends = edges[0::2], edges[1::2]
    # A word ends where its text does, and where a character begins or ends that is a word by itself.
    cuts = starts[1:-1] + 1
    if len(alone):
        cuts = np.unique(np.concatenate([cuts, alone]))
    cuts = cuts[(bytes_[cuts] != 0) & (bytes_[cuts - 1] != 0)]
    if len(cuts):
        cuts = np.unique(cuts)
        begins, ends = _merged(begins, cuts), _merged(ends, cuts)
    return Words(_hash(bytes_, begins, ends), np.searchsorted(begins, starts + 1))


def _merged(many: Places, few: Places) -> Places:
    """Return two ascending rows as one; few are put in where they belong, which is faster than to sort again."""
    merged: Places = np.insert(many, np.searchsorted(many, few), few)
    return merged


def _hash(data: npt.NDArray[np.uint8], begins: Places, ends: Places) -> Hashes:
    """Return a hash of each word, given where it begins and ends."""
    eights = np.ndarray((len(data) - 7,), np.dtype("<u8"), data, 0, (1,))
    lengths = ends - begins
    found: Hashes = (eights[begins] & _MASKS[np.minimum(lengths, 8)]) * _FACTORS[0]
    long = np.flatnonzero(lengths > 8)
    found[long] ^= eights[ends[long] - 8] * _FACTORS[1]
    found += lengths.astype(np.uint64) * _FACTORS[2]
    found ^= found >> _SHIFT
    found *= _FACTORS[3]
    found ^= found >> _SHIFT
    return found


def _fold_all(data: bytes, starts: Places) -> tuple[bytes, Places]:
    """Write texts in small letters and without variants of the same characters.

    Texts in which nothing but quotation marks and the like is not ASCII stay as they are: these are no part of words.
    """
    raw = np.frombuffer(data + _PAD, np.uint8)
    leads = np.flatnonzero(raw >= 0xC0)
    plain = (raw[leads] == 0xE2) & (raw[leads + 1] == 0x80)
    plain |= (raw[leads] == 0xC2) & _PLAIN_LATIN[raw[leads + 1]]
    wanted = np.unique(np.searchsorted(starts, leads[~plain], "right") - 1).tolist()
    if not wanted:
        return data, starts
    sizes, pieces, done = np.diff(starts), [], 0
    for number in wanted:
        begin, end = int(starts[number]), int(starts[number + 1])
        folded = fold(data[begin:end].decode("utf-8", "replace")).encode()
        pieces += [data[done:begin], folded]
        sizes[number], done = len(folded), end
    return b"".join([*pieces, data[done:]]), np.concatenate([[0], np.cumsum(sizes)])


def fold(text: str) -> str:
    """Return a text as it is compared: compatibility characters as the ordinary ones (Unicode NFKC), case folded."""
    return unicodedata.normalize("NFKC", text).casefold()


_PLAIN_LATIN = np.zeros(256, bool)
"""By the second byte of a Latin-1 sign: whether it is no part of a word, however it is written."""
_PLAIN_LATIN[[0xA0, 0xA7, 0xA9, 0xAB, 0xAE, 0xB0, 0xB1, 0xB7, 0xBB]] = True
_SPACED = np.ones(256, bool)
"""By the first byte of a character: whether words of its script may have several characters."""
_SPACED[[*range(0xE4, 0xEA)]] = False
_UNSPACED: tuple[tuple[int, int, int], ...] = (
    (0xE0, 0xB8, 0xBB),  # Thai, Lao
    (0xE1, 0x80, 0x82),  # Burmese
    (0xE1, 0x9E, 0x9F),  # Khmer
    (0xE3, 0x81, 0xBF),  # kana, the first ideographs
    (0xEF, 0xA4, 0xAB),  # compatibility ideographs
    (0xF0, 0xA0, 0xB3),  # further ideographs
)
"""The same where the second byte decides: first byte, second byte from, to."""
_MARKS: tuple[tuple[int, int, int], ...] = (
    (0xC2, 0x80, 0xBF),  # Latin-1 signs
    (0xE2, 0x80, 0x81),  # dashes, quotation marks, spaces
    (0xE2, 0x84, 0xAF),  # symbols, arrows, mathematics, shapes
    (0xE2, 0xB8, 0xB9),
    (0xE3, 0x80, 0x80),  # ideographic full stop and brackets
    (0xEF, 0xB8, 0xB9),
    (0xF0, 0x9F, 0x9F),  # pictures
)
"""Characters that are no part of words: first byte, second byte from, to."""


def _other_scripts(data: npt.NDArray[np.uint8]) -> Places:
    """Blank out signs, and return where characters begin and end that are words by themselves."""
    leads = np.flatnonzero(data >= 0xC0)
    first, second = data[leads], data[leads + 1]
    sizes = np.select([first >= 0xF0, first >= 0xE0], [4, 3], 2)
    marks = np.zeros(len(leads), bool)
    for lead, least, most in _MARKS:
        marks |= (first == lead) & (second >= least) & (second <= most)
    for offset in range(4):
        data[leads[marks & (sizes > offset)] + offset] = 0
    alone = ~_SPACED[first] & ~marks
    for lead, least, most in _UNSPACED:
        alone |= (first == lead) & (second >= least) & (second <= most) & ~marks
    return np.unique(np.concatenate([leads[alone], leads[alone] + sizes[alone]]))
