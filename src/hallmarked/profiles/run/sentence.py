"""Sentences about planned runs, in every language."""

from __future__ import annotations

from hallmarked.profiles.compute.sentence import fill, sentences
from hallmarked.profiles.language import Text


def say(key: str, **values: Text | str) -> Text:
    """Return a sentence in every language, with values filled in.

    Args:
        key: Which sentence.
        values: What is filled in; a text is put into each language in that language.
    """
    return fill(sentences("hallmarked.profiles.run")[key], values)
