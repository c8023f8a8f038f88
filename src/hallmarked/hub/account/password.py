"""Passwords: what is accepted, how it is kept, how it is checked.

Kept as argon2id (RFC 9106) with the parameters of its second recommended choice; checked in the same time whether or
not there is such a user.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.profiles import RFC_9106_LOW_MEMORY

from hallmarked.core.errors import InputError

SHORTEST, LONGEST = 10, 256
"""Characters. The upper bound keeps the work of checking one small."""
DIFFERENT = 5
"""Different characters a password has at least."""
COMMON = frozenset(
    [
        "0123456789",
        "1234567890",
        "12345678910",
        "1q2w3e4r5t",
        "administrator",
        "administrador",
        "changeme",
        "changemenow",
        "contraseña",
        "correcthorse",
        "helloworld",
        "iloveyou",
        "iloveyou1",
        "letmeinletmein",
        "letmeinnow",
        "passw0rd1",
        "password",
        "password1",
        "password12",
        "password123",
        "password1234",
        "passwordpassword",
        "princess123",
        "qwerty1234",
        "qwertyuiop",
        "qwertyuiop123",
        "qwertz1234",
        "sunshine123",
        "superman123",
        "trustno1trustno1",
        "welcome123",
        "welcome1234",
    ]
)
"""Passwords that everybody tries first, long enough to be accepted otherwise."""


def check_password(password: str, *names: str) -> str:
    """Return a new password in the form in which it is kept, or refuse it.

    Args:
        password: As it was typed.
        names: The account's name and address, which it must not be made of.

    Raises:
        InputError: When it is too short, too long or too easy to guess.
    """
    plain = normalize(password)
    if not SHORTEST <= len(plain) <= LONGEST:
        raise InputError(f"a password has {SHORTEST} to {LONGEST} characters")
    folded = plain.casefold()
    parts = {part for name in names for part in (name.casefold(), name.casefold().partition("@")[0]) if len(part) > 2}
    rest = folded
    for part in sorted(parts, key=len, reverse=True):
        rest = rest.replace(part, "")
    if folded in COMMON or folded.rstrip("0123456789!.?") in COMMON or len(set(folded)) < DIFFERENT:
        raise InputError("this password is one of those that are tried first; choose another one")
    if parts and len(rest) < SHORTEST // 2:
        raise InputError("this password is made of the account's own name; choose another one")
    return plain


def hash_password(password: str) -> str:
    """Return what is kept of a password; see :func:`check_password` for whether it is accepted."""
    return _hasher().hash(normalize(password))


def verify_password(kept: str, password: str) -> bool:
    """Say whether a password is the right one, in about the same time for every answer.

    Args:
        kept: What :func:`hash_password` made; empty for somebody who has no password, or is not there.
        password: As it was typed.
    """
    # NOTE: a password is checked also where there is none, so that the time does not tell who has an account
    known = bool(kept)
    try:
        matches = _hasher().verify(kept or _nobody(), normalize(password[: LONGEST + 1]))
    except (Argon2Error, InvalidHashError):
        return False
    return known and matches


def normalize(password: str) -> str:
    """Write a password in one way, however a keyboard composes its letters (RFC 8265)."""
    return unicodedata.normalize("NFC", password)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")
