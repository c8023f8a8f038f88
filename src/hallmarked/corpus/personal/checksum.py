"""Check digits that several kinds of numbers share. Arguments are digits as text unless said otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

_D5 = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_TURN = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_DOUBLED = str.maketrans("0123456789", "0246813579")
"""Digits doubled, and the digits of the result added."""


def digits_of(text: str) -> str:
    """Return the ASCII digits of a text."""
    return "".join(c for c in text if "0" <= c <= "9")


def is_luhn(digits: str) -> bool:
    """Check by the formula of ISO/IEC 7812-1, annex B."""
    return (sum(map(int, digits[-1::-2])) + sum(map(int, digits[-2::-2].translate(_DOUBLED)))) % 10 == 0


def is_verhoeff(digits: str) -> bool:
    """Check by the dihedral group D5 (J. Verhoeff, Error Detecting Decimal Codes, 1969)."""
    check = 0
    for place, c in enumerate(reversed(digits)):
        value = int(c)
        for _ in range(place % 8):
            value = _TURN[value]
        check = _D5[check][value]
    return check == 0


def is_mod97(text: str) -> bool:
    """Check letters and digits by ISO/IEC 7064 MOD 97-10, check digits last."""
    return int("".join(str(int(c, 36)) for c in text)) % 97 == 1


def is_mod11_10(digits: str) -> bool:
    """Check by ISO/IEC 7064 MOD 11,10."""
    rest = 10
    for c in digits[:-1]:
        total = (int(c) + rest) % 10 or 10
        rest = total * 2 % 11
    return (rest + int(digits[-1])) % 10 == 1


def weigh(digits: Iterable[str], weights: Sequence[int]) -> int:
    """Return the sum of digits times weights, for as many as there are of both."""
    return sum(int(c) * weight for c, weight in zip(digits, weights, strict=False))


def is_varied(digits: str) -> bool:
    """Say whether digits are no filler: not all alike, nor counted up or down."""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(digits)}
    return len(steps) > 1 or steps.isdisjoint({0, 1, 9})
