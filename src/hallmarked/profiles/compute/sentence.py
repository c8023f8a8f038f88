"""Sentences in every language, from a table beside the modules that say them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from hallmarked.profiles.language import LANGUAGES, Text, pick


def say(key: str, **values: Text | str) -> Text:
    """Return a sentence about operations in every language, with values filled in.

    Args:
        key: Which sentence.
        values: What is filled in; a text is put into each language in that language.
    """
    return fill(sentences("hallmarked.profiles.compute")[key], values)


def fill(patterns: Text, values: Mapping[str, Text | str]) -> Text:
    """Fill values into a sentence, in every language it has."""
    return {
        language: pattern.format(
            **{name: value if isinstance(value, str) else pick(value, language) for name, value in values.items()}
        )
        for language, pattern in patterns.items()
    }


def join(texts: list[Text], between: str = "; ") -> Text:
    """Return several texts as one, in every language."""
    return {language: between.join(pick(text, language) for text in texts) for language in LANGUAGES}


@cache
def sentences(package: str) -> Mapping[str, Text]:
    """Return every sentence of a package by key."""
    found: Mapping[str, Text] = tomllib.loads((files(package) / "sentences.toml").read_text("utf-8"))
    return found
