"""Random texts that open something: the hub keeps their digests only, so that a copy of its database opens nothing."""

from __future__ import annotations

import hashlib
import secrets

BYTES = 30
"""Of randomness: nobody guesses that, so the digest need not be slow."""


def make_secret(prefix: str = "") -> str:
    """Make a random text of letters, digits, ``-`` and ``_``."""
    return prefix + secrets.token_urlsafe(BYTES)


def digest_secret(text: str) -> str:
    """Return what the hub keeps of such a text: its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
