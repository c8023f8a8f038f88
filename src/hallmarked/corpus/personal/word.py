"""Words that speak for a kind; the lists lie beside this module."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files

WORDS: Mapping[str, tuple[str, ...]] = {
    name: tuple(words)
    for name, words in tomllib.loads(
        files("hallmarked.corpus.personal").joinpath("word.toml").read_text("utf-8")
    ).items()
}
"""Lists by name, of regular expressions."""
_LETTER = r"[^\W\d_]"


def words_of(words: str | tuple[str, ...]) -> re.Pattern[str]:
    """Compile a list, given or by its name; underscores and digits are no part of words."""
    listed = WORDS[words] if isinstance(words, str) else words
    return re.compile(rf"(?<!{_LETTER})(?:{'|'.join(listed)})(?!{_LETTER})", re.IGNORECASE)
