"""Recognise a credential where one of its anchors stands, and mask it."""

from __future__ import annotations

import re

from hallmarked.core.evidence import Level
from hallmarked.corpus.personal.credential import verify
from hallmarked.corpus.personal.credential.pattern import Pattern

REACH = 300
"""Characters from an anchor to the end of a credential that can begin before the anchor."""


def match_at(pattern: Pattern, buffer: str, start: int, at: int) -> re.Match[str] | None:
    """Return what is there, if anything, before it is tested.

    Args:
        pattern: One whose anchor stands at ``at``, and whose ``back`` is not negative.
        buffer: The text.
        start: Where a match may begin at the earliest.
        at: Where the anchor stands.
    """
    if pattern.whole_line:
        return pattern.regex.match(buffer, max(start, buffer.rfind("\n", max(0, at - REACH), at) + 1), at + REACH)
    if pattern.back:
        return pattern.regex.search(buffer, max(start, at - pattern.back), at + REACH)
    return pattern.regex.match(buffer, at)


def level_of(pattern: Pattern, text: str) -> Level:
    """Grade a credential: a key that is itself sealed by a passphrase is less of a leak."""
    if pattern.regex.pattern.startswith("-----BEGIN") and verify.is_encrypted_key(text):
        return Level.WARNING
    return pattern.level


def mask(pattern: Pattern, text: str) -> str:
    """Return the ends of a token, at most the issuer's prefix and two characters on each side."""
    if pattern.keep < 0 or len(text) < pattern.keep + 16:
        return ""
    return f"{text[: pattern.keep + 2]}…{text[-2:]}"
