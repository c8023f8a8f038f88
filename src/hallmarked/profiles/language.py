"""Sentences of profiles in the languages they are shown in.

Profiles belong to the smallest installation, which has no message catalogues. Their sentences lie in the
``sentences.toml`` of each package, and those of a framework in its own file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

Text = Mapping[str, str]
"""A text by language code. English is always there; other languages may be missing."""
LANGUAGES = ("en", "es")
"""Languages that all sentences of ours are in."""


def pick(text: Text, language: str) -> str:
    """Return a text in a language, in English where it is not translated, and else in any language."""
    return text.get(language) or text.get("en") or next(iter(text.values()), "")


def say(key: str, /, **values: Text | str) -> Text:
    """Return a sentence in every language, with values filled in.

    Args:
        key: Which sentence.
        values: What is filled in: a text is put into each language in that language.
    """
    return say_of(__package__, key, **values)


def say_of(package: str, key: str, /, **values: Text | str) -> Text:
    """Return a sentence of a package in every language, with values filled in as ``say`` does."""
    return {
        language: pattern.format(
            **{name: value if isinstance(value, str) else pick(value, language) for name, value in values.items()}
        )
        for language, pattern in sentences(package)[key].items()
    }


def join(texts: Sequence[Text], between: str = "; ") -> Text:
    """Return several texts as one, in every language."""
    return {language: between.join(pick(text, language) for text in texts) for language in LANGUAGES}


@cache
def sentences(package: str = __package__) -> Mapping[str, Text]:
    """Return every sentence of a package by key."""
    found: Mapping[str, Text] = tomllib.loads((files(package) / "sentences.toml").read_text(encoding="utf-8"))
    return found
