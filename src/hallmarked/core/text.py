"""Text from files that may be hostile, made fit for people's eyes and terminals.

Categories of characters: https://www.unicode.org/reports/tr44/#General_Category_Values
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_UNUSUAL = re.compile(r"[^\n\x20-\x7e]")
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Unicode categories of characters that do not show."""
KEPT = {"\n", "\t", "\u200c", "\u200d", "\u200e", "\u200f", "\u00ad"}
"""Characters without a shape that honest text needs: line breaks, joiners (emoji, Persian, Hindi), direction marks."""


def clean(text: object) -> str:
    """Make characters visible that could move a cursor, hide text or turn its direction."""
    return "".join(
        character.encode("unicode_escape").decode() if is_invisible(character) else character for character in str(text)
    )


def show_invisible(text: str) -> str:
    """Write out characters that turn or hide text, and keep those that honest text needs."""
    return _UNUSUAL.sub(
        lambda found: found[0] if found[0] in KEPT or not is_invisible(found[0]) else clean(found[0]), text
    )


def is_invisible(character: str) -> bool:
    """Say whether a character does not show, or changes how others do."""
    return unicodedata.category(character) in INVISIBLE


def name_part(part: Mapping[str, str]) -> str:
    """Name the part of the data that something was measured on, such as ``group women, language es``."""
    return ", ".join(f"{key} {value}" for key, value in sorted(part.items()))
