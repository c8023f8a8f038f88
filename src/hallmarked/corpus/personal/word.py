"""Words that speak for a kind; the lists lie beside this module."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

WORDS: Mapping[str, tuple[str, ...]] = {
    name: tuple(words)
    for name, words in tomllib.loads(
        files("hallmarked.corpus.personal").joinpath("word.toml").read_text("utf-8")
    ).items()
}
"""Lists by name, of regular expressions."""


@dataclass(frozen=True, slots=True)
class Words:
    """Words and short phrases, of which one may stand in a text; underscores and digits are no part of words."""

    pattern: Any
    """Compiled by RE2: there are many of them, and they are looked for beside every number."""

    def are_in(self, text: str) -> bool:
        """Say whether one stands in a text."""
        return self.pattern.search(text.encode("utf-8", "replace")) is not None


def words_of(words: str | tuple[str, ...]) -> Words:
    """Compile a list, given or by its name."""
    listed = WORDS[words] if isinstance(words, str) else words
    return Words(importlib.import_module("re2").compile(rf"(?i)(?:^|\P{{L}})(?:{'|'.join(listed)})(?:\P{{L}}|$)"))
