"""Words as they are compared: without regard to case, white space, punctuation and ways to write the same character.

A text is folded with NFKC and full case folding (Unicode Standard Annex 15; the Unicode Standard, section 3.13), then
cut into runs of letters, digits and their marks. Scripts that put no spaces between words give a word per character:
there eight of them say less than eight words of English do.

Words never reach across :data:`MASK`, which stands where something was taken out of a text.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

EDITION = "words-1"
"""Raised when the same text may give other words; an index names the edition it was made with."""
MASK = "█████"
"""Stands where personal data were, whatever their length."""
SPACE, BARRIER = b" ", b"\n"
"""After each word of a folded text; before the first one of each stretch that words may not reach across."""
LEAST_WORDS = 8
"""Words from which a passage counts as the same passage and not as the same phrase."""

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
"""Thai, Lao, Burmese, Khmer, kana and Han."""


def _marks() -> str:
    """Return ranges of the characters that count with the letter before them, which regular expressions do not."""
    found: list[list[int]] = []
    for code in range(0x300, min(sys.maxunicode, 0x1FFFF) + 1):
        if unicodedata.category(chr(code)).startswith("M"):
            if found and found[-1][1] == code - 1:
                found[-1][1] = code
            else:
                found.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in found)


_MARKS = _marks()
_LETTER = f"[^\\W_{UNSPACED}]"
_WORD = re.compile(f"{_LETTER}+(?:[{_MARKS}]+{_LETTER}*)*|[{UNSPACED}][{_MARKS}]*")
_SIMPLE = re.compile(r"[^\W_]+")
_PARTICULAR = re.compile(f"[{UNSPACED}{_MARKS}]")
IS_UNSPACED = re.compile(f"[{UNSPACED}]")
"""Matches a word of a script that puts no spaces between words."""
_CHUNK = re.compile(r"\S+")
_CLUSTER = re.compile(f".[{_MARKS}\u1160-\u11ff\uff9e\uff9f]*", re.DOTALL)
"""A character with what composes with it: marks, and the later letters of Hangul syllables."""
_PLAIN = bytes(ord(chr(code).lower()) if chr(code).isalnum() else 0x20 for code in range(128)) + b" " * 128


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text as it was written."""

    start: int
    stop: int
    """Where it stands in the text, characters. Where folding changed what cannot be told apart, that of its
    neighbours too."""
    folded: str


def fold(text: str) -> str:
    """Return a text in the form in which texts are compared."""
    if text.isascii():
        return text.lower()
    return _composed(_composed(text).casefold())


def _composed(text: str) -> str:
    return text if unicodedata.is_normalized("NFKC", text) else unicodedata.normalize("NFKC", text)


def fold_words(text: str) -> bytes:
    """Return the words of a text as an index keeps them: UTF-8, a space after each, a line feed at each mask."""
    if MASK in text:
        return BARRIER.join(fold_words(stretch) for stretch in text.split(MASK))
    # Line by line where that helps: plain ASCII is several times as fast, and nothing composes across a line's end.
    stretches = groupby(text.split("\n"), str.isascii) if not text.isascii() else [(True, [text])]
    return b"".join(
        _fold_plain("\n".join(lines)) if plain else _fold_any("\n".join(lines)) for plain, lines in stretches
    )


def _fold_plain(text: str) -> bytes:
    found = text.encode().translate(_PLAIN).split()
    return b" ".join(found) + SPACE if found else b""


def _fold_any(text: str) -> bytes:
    folded = fold(text)
    found = (_WORD if _PARTICULAR.search(folded) else _SIMPLE).findall(folded)
    return (" ".join(found) + " ").encode("utf-8", "replace") if found else b""


def words(text: str) -> Iterator[Word]:
    """Yield the words of a text with where they stand; the same words as :func:`fold_words`, in the same order."""
    for chunk in _CHUNK.finditer(text.replace(MASK, " " * len(MASK))):
        start, piece = chunk.start(), chunk.group()
        folded = fold(piece)
        places = _places(piece, folded)
        for found in _WORD.finditer(folded):
            if places is None:
                yield Word(start, start + len(piece), found.group())
            else:
                yield Word(start + places[found.start()][0], start + places[found.end() - 1][1], found.group())


def _places(piece: str, folded: str) -> list[tuple[int, int]] | None:
    """Say for each character of a folded piece from where to where it stands in the piece; None when nobody can."""
    if piece.isascii():
        return [(index, index + 1) for index in range(len(piece))]
    places: list[tuple[int, int]] = []
    rebuilt: list[str] = []
    for cluster in _CLUSTER.finditer(piece):
        part = fold(cluster.group())
        rebuilt.append(part)
        places += [cluster.span()] * len(part)
    return places if "".join(rebuilt) == folded else None
