"""Texts as they are compared: without what a copy may change and stay the same text.

1. Unicode normalisation form C (https://www.unicode.org/reports/tr15/), so that an accent is the same however it is
   written; invisible marks that say nothing (soft hyphen, zero-width space, word joiner, byte order mark) are left out.
2. Case folding (Unicode Standard, section 3.13), then form C again, since folding may take letters apart.
3. Runs of white space count as one space, and none counts at the ends.
4. In scripts that are written without spaces between words every character stands for itself (see ``word``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RULE = "NFC, case folded, white space as one space"
"""The rule in words, for statements."""
INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]+")
SPACELESS = re.compile(
    "([\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff\uaa60-\uaa7f"  # Myanmar, Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Japanese, radicals
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff])"  # Han
)
"""One character of a script that is written without spaces between words."""


def fold(text: str) -> str:
    """Return a text with what does not count taken out; its white space stands for where words end.

    Two texts are the same text when their words are the same (see ``word.split``), however much white space stands
    between them.
    """
    if text.isascii():
        return text.casefold()
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    text = INVISIBLE.sub("", text).casefold()
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if SPACELESS.search(text):
        text = SPACELESS.sub(r" \1 ", text)
    return " ".join(text.split())


BLOCK_BYTES = 1 << 19
"""Bytes of text that are worked on at once, so that they stay in the processor's cache."""
_BLANK = 32
_BLANKS = bytes(_BLANK if byte in (9, 10, 11, 12, 13, 28, 29, 30, 31) else byte for byte in range(256))
"""Makes a space of all that ``str.split`` takes for white space in ASCII; ``fold`` leaves no other."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded texts as UTF-8, one behind the other: every word is followed by one space."""

    data: npt.NDArray[np.uint8]
    ends: npt.NDArray[np.int64]
    """Where each text ends in ``data``, as many as texts."""

    def texts(self) -> Iterator[memoryview]:
        """Yield the bytes of each text, its last space left out."""
        view, start = self.data.data, 0
        for end in self.ends.tolist():
            yield view[start : max(start, end - 1)]
            start = end


def fold_all(texts: Sequence[str]) -> Iterator[Folded]:
    """Fold many texts, in blocks of several; the blocks together have as many texts, in order."""
    block: list[bytes] = []
    size = 0
    for text in texts:
        data = fold(text).encode("utf-8", "surrogatepass")
        block.append(data)
        size += len(data)
        if size >= BLOCK_BYTES:
            yield _squeeze(block)
            block, size = [], 0
    if block:
        yield _squeeze(block)


def _squeeze(texts: Sequence[bytes]) -> Folded:
    data = np.frombuffer((b" ".join(texts) + b" ").translate(_BLANKS), np.uint8)
    ends = np.cumsum([len(text) + 1 for text in texts])
    space = data == _BLANK
    space[1:] &= space[:-1]  # white space behind white space, or at the beginning, is dropped
    dropped = np.flatnonzero(space)
    if not len(dropped):
        return Folded(data, ends)
    return Folded(data[~space], ends - np.searchsorted(dropped, ends))
