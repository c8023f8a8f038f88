"""What a digest must look like before it becomes part of a path or a key."""

from __future__ import annotations

import re

from hallmarked.core.errors import InputError

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def require_sha256(text: str) -> str:
    """Return the digest unchanged when it is one, so that no caller can build a path from anything else.

    Raises:
        InputError: When it is not 64 lower-case hexadecimal digits.
    """
    if not _SHA256.fullmatch(text):
        raise InputError("a file is named by its SHA-256 digest: 64 lower-case hexadecimal digits")
    return text


def is_sha256(text: str) -> bool:
    """Say whether this is a SHA-256 digest as the hub writes it."""
    return _SHA256.fullmatch(text) is not None
