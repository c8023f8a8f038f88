"""Text from files that may be hostile, made fit for people's eyes and terminals.

Categories of characters: https://www.unicode.org/reports/tr44/#General_Category_Values
"""

from __future__ import annotations

import unicodedata

INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Unicode categories of characters that do not show."""


def clean(text: object) -> str:
    """Make characters visible that could move a cursor, hide text or turn its direction."""
    return "".join(
        character.encode("unicode_escape").decode() if is_invisible(character) else character for character in str(text)
    )


def is_invisible(character: str) -> bool:
    """Say whether a character does not show, or changes how others do."""
    return unicodedata.category(character) in INVISIBLE
