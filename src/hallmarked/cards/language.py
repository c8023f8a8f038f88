"""What has to be known of a language to show a text in it. Tags: BCP 47, https://www.rfc-editor.org/info/bcp47."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from hallmarked.core.errors import InputError

SOURCE = "en"
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?(?:-[A-Za-z0-9]{5,8})*")


def check_tag(tag: str) -> str:
    """Return a language tag as it is.

    Raises:
        InputError: When it is none.
    """
    if not _TAG.fullmatch(tag) or len(tag) > 35:
        raise InputError(f"“{tag[:40]}” is no language tag; write one such as es or pt-BR")
    return tag


def is_tag(tag: str) -> bool:
    """Say whether a text is a language tag: a language, perhaps with a script, a region and variants."""
    return len(tag) <= 35 and bool(_TAG.fullmatch(tag))


def primary(tag: str) -> str:
    """Return the language of a tag without region and script, in lower case."""
    return tag.partition("-")[0].lower()


def direction(tag: str) -> str:
    """Say which way a language is written: ``rtl`` or ``ltr``."""
    known = _table()
    subtags = tag.lower().split("-")
    scripts = [each for each in subtags[1:] if len(each) == 4 and each.isalpha()]
    if scripts:
        return "rtl" if scripts[0] in known["right_to_left_scripts"] else "ltr"
    return "rtl" if subtags[0] in known["right_to_left"] else "ltr"


def sets_words_apart(tag: str) -> bool:
    """Say whether a language puts spaces between words."""
    return primary(tag) not in _table()["without_spaces"]


@cache
def _table() -> Mapping[str, Sequence[str]]:
    return tomllib.loads((files("hallmarked.cards") / "languages.toml").read_text(encoding="utf-8"))
