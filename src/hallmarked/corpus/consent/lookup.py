"""The list that askers compare with: which identifiers somebody consented or objected for, readable by who asks.

An identifier's line is made of its final value (:mod:`hallmarked.corpus.consent.blind`): 16 bytes by which it is
recognised, and one byte that says opt-out, opt-in or partial and is covered with another one, so that nobody can read
it who did not ask about that very identifier.

Lines lie in buckets by their first bits, so that not all have to be fetched. A bucket must hold many, or asking for it
would tell what one asks about: there are ``max(0, floor(log2(n / 2k)))`` bits, fewer where the smallest bucket would
hold less than ``k``; all are filled up to one size with lines that mean nothing and stay the same.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Iterable
from dataclasses import dataclass

from hallmarked.core.errors import InputError
from hallmarked.corpus.consent.blind import final_value
from hallmarked.corpus.consent.record import Mode
from hallmarked.corpus.consent.selector import Kind, Selector

TAG = 16
"""Bytes by which a line is recognised."""
LINE = TAG + 1
SMALLEST = 20
"""Real lines that every bucket has at least (``k``)."""
STEP = 64
"""Buckets are filled up to a multiple of so many lines."""
MAX_BITS = 24
_MODES = {Mode.OPT_OUT: 1, Mode.OPT_IN: 2, Mode.PARTIAL: 3}


@dataclass(frozen=True, slots=True)
class Buckets:
    """The list, in buckets of one size."""

    bits: int
    buckets: tuple[bytes, ...]

    def bucket(self, number: int) -> bytes:
        """Return a bucket.

        Raises:
            InputError: When there is none of that number.
        """
        if not 0 <= number < len(self.buckets):
            raise InputError(f"the list has {len(self.buckets)} buckets")
        return self.buckets[number]


def question(selector: Selector) -> bytes:
    """Return what is blinded to ask about a selector.

    Raises:
        InputError: When it is one that cannot be looked up.
    """
    if selector.kind is Kind.SIMILAR:
        raise InputError("a text nearly alike cannot be looked up privately; look its exact content up")
    return f"{selector.kind.value}\0{selector.value}".encode("utf-8", "surrogatepass")


def make_line(element: bytes, mode: Mode) -> bytes:
    """Return the line of an evaluated selector."""
    value = final_value(element)
    return value[:TAG] + bytes([value[TAG] ^ _MODES[mode]])


def bucket_of(element: bytes, bits: int) -> int:
    """Return the number of the bucket in which an evaluated selector would lie.

    Raises:
        InputError: When no list has so many buckets.
    """
    if not 0 <= bits <= MAX_BITS:
        raise InputError(f"a list has at most {MAX_BITS} bits of buckets")
    return _number(final_value(element), bits)


def find_line(bucket: bytes, element: bytes) -> Mode | None:
    """Say what a bucket says of an evaluated selector; None when it is not in the list."""
    value, found = final_value(element), 0
    for start in range(0, len(bucket) - LINE + 1, LINE):  # all of it, so that time tells nothing
        same = hmac.compare_digest(bucket[start : start + TAG], value[:TAG])
        found |= (bucket[start + TAG] ^ value[TAG]) if same else 0
    return next((mode for mode, number in _MODES.items() if number == found), None)


def make_buckets(lines: Iterable[bytes], filler: bytes) -> Buckets:
    """Put lines into buckets of one size.

    Args:
        lines: Lines of all selectors; one that stands there twice is kept once.
        filler: Secret from which the lines that mean nothing are made, so that they stay the same: whoever fetched the
            list twice could otherwise tell which lines are real.
    """
    unique = sorted(set(lines))
    bits = bits_for(len(unique))
    while bits and min(_counts(unique, bits)) < SMALLEST:
        bits -= 1
    parts: list[list[bytes]] = [[] for _ in range(1 << bits)]
    for line in unique:
        parts[_number(line, bits)].append(line)
    size = math.ceil(max(1, *map(len, parts)) / STEP) * STEP
    for number, part in enumerate(parts):
        part.extend(_fill(filler, number, count, bits) for count in range(size - len(part)))
    return Buckets(bits, tuple(b"".join(sorted(part)) for part in parts))


def bits_for(count: int) -> int:
    """Return by how many bits lines are told apart when there are so many of them."""
    return max(0, min(MAX_BITS, math.floor(math.log2(count / (2 * SMALLEST))))) if count >= 2 * SMALLEST else 0


def _counts(lines: list[bytes], bits: int) -> list[int]:
    counts = [0] * (1 << bits)
    for line in lines:
        counts[_number(line, bits)] += 1
    return counts


def _number(value: bytes, bits: int) -> int:
    return int.from_bytes(value[:4], "big") >> (32 - bits)


def _fill(secret: bytes, bucket: int, count: int, bits: int) -> bytes:
    made = hmac.digest(secret, b"filler %d %d %d" % (bits, bucket, count), "sha256")[:LINE]
    number = (bucket << (32 - bits)) | (int.from_bytes(made[:4], "big") & ((1 << (32 - bits)) - 1))
    return number.to_bytes(4, "big") + made[4:]
