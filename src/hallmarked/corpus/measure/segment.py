"""Characters and words of texts: scripts, and where words begin and end.

A word is a run of letters, digits and the marks that belong to them; an apostrophe, a middle point or an invisible
joiner between two of them does not end it. In scripts that are written without spaces between words each letter with
its marks is a word. Words are compared in lower case, character by character. This follows the main rules of Unicode
Standard Annex 29 (https://www.unicode.org/reports/tr29/), without dictionaries and exceptions for single languages.

Which character is what is read from ``script.toml``, so that counts do not depend on the Unicode tables of a machine.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from hallmarked.corpus.text.normal import Folded

RULE = (
    "runs of letters, digits and marks (UAX 29 without dictionaries); letters of Han, Kana, Thai, Lao, Khmer, Burmese"
)
"""What a word is, in short, for statements."""
BLOCK = 1 << 18
"""Characters that are worked on at once, so that they stay in the processor's cache."""
SPACELESS = frozenset({"Burmese", "Han", "Hiragana", "Katakana", "Khmer", "Lao", "Thai"})
BETWEEN = (0x27, 0x2019, 0xB7, 0xAD, 0x200C, 0x200D)
"""Apostrophes, middle point, soft hyphen and invisible joiners."""
_ALL = 0x110000
_OTHER, _WORD, _ALONE, _MARK, _BETWEEN = range(5)
"""What a character is to words: none of one, part of one, one by itself, its mark, or what may stand within one."""
_SPACE = 32

Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Characters:
    """What each of all characters is."""

    names: tuple[str, ...]
    """Kinds: scripts, and ``digits``, ``marks``, ``lost``, ``control``, ``private``, ``other``."""
    kinds: npt.NDArray[np.uint8]
    """By code point: the place of its kind in ``names``."""
    roles: npt.NDArray[np.uint8]
    """By code point: what it is to words."""
    lower: Codes
    """By code point: its lower case, the first character of it where there are several."""


SPECIAL: Mapping[str, Sequence[tuple[int, int]]] = {
    "lost": ((0xFFFD, 0xFFFD),),
    "control": ((0x0, 0x8), (0xB, 0xC), (0xE, 0x1F), (0x7F, 0x84), (0x86, 0x9F)),
    "private": ((0xE000, 0xF8FF), (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD)),
}
"""Characters that commonly are damage: what stands for one that could not be read, controls, and private ones."""


@cache
def characters() -> Characters:
    """Return what each character is."""
    tables = tomllib.loads((files("hallmarked.corpus.measure") / "script.toml").read_text(encoding="utf-8"))
    ranges = {name: list(_ranges(text)) for name, text in tables["letters"].items()}
    named = {**ranges, **{name: list(_ranges(text)) for name, text in tables["others"].items()}, **SPECIAL}
    names = ("other", *named)
    kinds, roles = np.zeros(_ALL, np.uint8), np.zeros(_ALL, np.uint8)
    lower = np.arange(_ALL, dtype=np.uint32)
    for number, (name, found) in enumerate(named.items(), 1):
        for first, last in found:
            kinds[first : last + 1] = number
            if name not in SPECIAL:
                roles[first : last + 1] = _ALONE if name in SPACELESS else _WORD
        if name in ranges and name not in SPACELESS:
            for code in (code for first, last in found for code in range(first, last + 1)):
                lower[code] = ord(chr(code).lower()[0])
    roles[list(BETWEEN)] = _BETWEEN
    for first, last in named["marks"]:
        near = kinds[max(0, first - 64) : first]
        if any(names[kind] in SPACELESS for kind in np.unique(near)):
            roles[first : last + 1] = _MARK
    return Characters(names, kinds, roles, lower)


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    for each in text.split():
        first, _, last = each.partition("-")
        yield int(first, 16), int(last or first, 16)


@dataclass(frozen=True, slots=True)
class Segmented:
    """Some texts, cut into words."""

    words: Folded
    """Their words in lower case, each followed by a space."""
    lengths: npt.NDArray[np.int64]
    """Characters of each text."""
    kinds: npt.NDArray[np.int64]
    """How many characters are of each kind, in the order of :attr:`Characters.names`."""
    damaged: npt.NDArray[np.bool_]
    """Whether a text holds characters of a kind that commonly is damage (see ``SPECIAL``)."""


def segment(texts: Sequence[str]) -> Iterator[Segmented]:
    """Cut texts into words, in blocks of several texts; the blocks together have as many texts, in order."""
    block: list[str] = []
    size = 0
    for text in texts:
        block.append(text)
        size += len(text)
        if size >= BLOCK:
            yield _segment(block)
            block, size = [], 0
    if block:
        yield _segment(block)


def _segment(texts: Sequence[str]) -> Segmented:
    known = characters()
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    ends = np.cumsum(lengths + 1)  # behind each text stands one more character, which is of no word
    joined = "\n".join([*texts, ""])
    codes, kinds, roles = _look_up(joined)
    counts = np.bincount(kinds, minlength=len(known.names))
    counts[0] -= len(texts)
    damaged = np.zeros(len(texts), np.bool_)
    special = [known.names.index(name) for name in SPECIAL]
    if counts[special].any():
        damaged = np.add.reduceat(np.isin(kinds, special), ends - lengths - 1, dtype=np.int64) > 0
    starts, inside = _bounds(roles)
    return Segmented(_spaced(codes, starts, inside, ends), lengths, counts, damaged)


def _look_up(text: str) -> tuple[Codes, npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return for each character its lower case, its kind and its role."""
    known = characters()
    if not text.isascii():
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
        return known.lower[codes], known.kinds[codes], known.roles[codes]
    data = text.encode("ascii")
    kinds, roles = (data.translate(table[:256].tobytes()) for table in (known.kinds, known.roles))
    return np.frombuffer(data.lower(), np.uint8), np.frombuffer(kinds, np.uint8), np.frombuffer(roles, np.uint8)


def _bounds(roles: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which characters begin a word, and which are in one."""
    before, behind = np.zeros_like(roles), np.zeros_like(roles)
    before[1:], behind[:-1] = roles[:-1], roles[1:]
    joins = (roles == _BETWEEN) & (before == _WORD) & (behind == _WORD)
    roles = np.where(joins, _WORD, np.where(roles == _BETWEEN, _OTHER, roles)).astype(np.uint8)
    before[1:] = roles[:-1]
    starts = (
        (roles == _ALONE)
        | ((roles == _WORD) & (before != _WORD))
        | ((roles == _MARK) & (before != _ALONE) & (before != _MARK))
    )
    return starts, roles != _OTHER


def _spaced(
    codes: Codes, starts: npt.NDArray[np.bool_], inside: npt.NDArray[np.bool_], ends: npt.NDArray[np.int64]
) -> Folded:
    """Keep the characters of words, put a space behind each word, and write it as UTF-8."""
    last = inside.copy()
    last[:-1] &= ~inside[1:] | starts[1:]
    behind = np.zeros_like(last)
    behind[1:] = last[:-1]
    if (behind & inside).any():  # words that stand side by side, so that there is no room for a space
        places = np.flatnonzero(inside)
        spaced = np.insert(codes[places], np.flatnonzero(last[places]) + 1, _SPACE)
    else:
        spaced = np.where(inside, codes, np.uint32(_SPACE))[inside | behind]
    if codes.max(initial=0) < 0x80:
        data, sizes = spaced.astype(np.uint8), inside
    else:
        text = spaced.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
        data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
        sizes = np.where(inside, 1 + (codes >= 0x80) + (codes >= 0x800) + (codes >= 0x10000), 0)
    return Folded(data, np.cumsum(sizes.astype(np.int64) + last)[ends - 1])
