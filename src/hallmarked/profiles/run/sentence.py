"""Sentences about planned runs, in every language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from hallmarked.profiles.language import Text, pick


def say(key: str, **values: Text | str) -> Text:
    """Return a sentence in every language, with values filled in.

    Args:
        key: Which sentence.
        values: What is filled in; a text is put into each language in that language.
    """
    return {
        language: pattern.format(
            **{name: value if isinstance(value, str) else pick(value, language) for name, value in values.items()}
        )
        for language, pattern in sentences()[key].items()
    }


def join(texts: list[Text], between: str = "; ") -> Text:
    """Return several texts as one, in every language."""
    return {language: between.join(pick(text, language) for text in texts) for language in ("en", "es")}


@cache
def sentences() -> Mapping[str, Text]:
    """Return every sentence by key."""
    found: Mapping[str, Text] = tomllib.loads((files("hallmarked.profiles.run") / "sentences.toml").read_text("utf-8"))
    return found
