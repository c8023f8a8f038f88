"""Words of texts: what stands between white space; in scripts without spaces, each character."""

from __future__ import annotations

from hallmarked.corpus.text.normal import fold

RULE = "white space; characters of Han, Kana, Thai, Lao, Khmer and Myanmar"
"""The rule in words, for statements."""


def split(text: str) -> list[str]:
    """Return the words of a text as they are compared."""
    return fold(text).split()
