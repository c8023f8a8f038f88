"""Identifiers of contents that nobody can guess, and that whoever has the content can check.

A content's digest is known to all who know the content, so that a published list of digests would tell whether a
guessed content is in it. An identifier is the digest keyed with a salt that only the owner of the data set can compute:
the owner's RSA signature over the content's *drawer*, one of 2^14 into which the digest's first bits put it. RSA
signatures with the padding of PKCS #1 v1.5 (https://www.rfc-editor.org/rfc/rfc8017#section-8.2) have one valid value
per message and key, so that the owner cannot choose another identifier for a content when asked: it is a verifiable
random function as in https://www.rfc-editor.org/rfc/rfc9381#section-4. Who is shown the salt of one drawer can test
guesses of contents in this drawer, and in no other.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

DRAWER_BITS = 14
"""Bits of a digest that say in which drawer it lies."""
DRAWERS = 1 << DRAWER_BITS
SIZE = 32
"""Bytes of a digest and of an identifier."""


def canonical_content(text: str) -> bytes:
    """Return the bytes that stand for a content: Unicode NFC, white space as single spaces, none at the ends, UTF-8.

    Raises:
        UnicodeEncodeError: When the text holds half of a character.
    """
    return " ".join(unicodedata.normalize("NFC", text).split()).encode()


def content_digest(text: str) -> bytes:
    """Return the SHA-256 of a content as :func:`canonical_content` writes it."""
    return hashlib.sha256(canonical_content(text)).digest()


def drawer_of(digest: bytes) -> int:
    """Say in which drawer a content lies: the first 14 bits of its digest."""
    return int.from_bytes(digest[:2], "big") >> (16 - DRAWER_BITS)


def drawer_message(drawer: int) -> bytes:
    """Return what the owner signs to open a drawer."""
    return b"hallmarked drawer v1 %d" % drawer


def challenge_message(modulus: bytes, number: int) -> bytes:
    """Return one of the messages that an owner signs to show that a key gives one signature per message."""
    return b"hallmarked row key v1 %d " % number + hashlib.sha256(modulus).digest()


def salt_of(signature: bytes) -> bytes:
    """Return the salt of a drawer."""
    return hashlib.sha256(signature).digest()


def identifier(salt: bytes, digest: bytes) -> bytes:
    """Return the identifier of a content: HMAC-SHA256 of its digest under the salt of its drawer."""
    return hmac.digest(salt, digest, "sha256")
