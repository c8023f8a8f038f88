"""A Merkle tree over a set of identifiers in which the place of each follows from its bits.

It is a binary radix tree with compressed paths (D. R. Morrison, "PATRICIA", J. ACM 15(4), 1968), hashed as RFC 6962
hashes, with the branching bit inside::

    empty set         SHA-256 of nothing
    leaf              SHA-256(0x00 ‖ identifier)
    inner             SHA-256(0x01 ‖ bit ‖ left ‖ right)    bit from 0, the most significant; left where it is 0

From the root, an identifier's own bits lead to exactly one leaf. When that leaf is the identifier, it is in the set;
when it is another one, it is not. Both cannot be shown for one root, however its owner put the tree together: there is
no order that somebody could break. That is what a Merkle tree over a sorted list does not give, since a proof that two
neighbours stand around a gap says nothing of the other leaves.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Sequence
from dataclasses import dataclass

from hallmarked.core.errors import FormatError
from hallmarked.corpus.proof.identifier import SIZE

BITS = 8 * SIZE
HELD = 1 << 12
"""Leaves of the smallest subtree whose hash is kept, so that a proof hashes few leaves again."""


def leaf_hash(identifier: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + identifier).digest()


def inner_hash(bit: int, left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node that branches at ``bit``."""
    return hashlib.sha256(bytes((1, bit)) + left + right).digest()


def empty_root() -> bytes:
    """Return the root of the empty set."""
    return hashlib.sha256(b"").digest()


def bit_at(identifier: bytes, bit: int) -> int:
    """Return a bit of an identifier; 0 is the most significant."""
    return identifier[bit >> 3] >> (7 - (bit & 7)) & 1


def branching_bit(first: bytes, second: bytes) -> int:
    """Return the first bit in which two different identifiers differ."""
    return BITS - (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")).bit_length()


@dataclass(frozen=True, slots=True)
class Path:
    """The way from the root to a leaf."""

    leaf: bytes | None
    """The identifier it leads to; None in the empty set."""
    steps: Sequence[tuple[int, bytes]]
    """From the root down: the bit at which it branches, and the hash of the side it does not take."""


class Tree:
    """The tree over a list of identifiers.

    Args:
        identifiers: 32 bytes each, ascending, each once. Bytes, or a file mapped into memory.

    Raises:
        FormatError: When they are not ascending, or one is cut off.
    """

    def __init__(self, identifiers: bytes | mmap.mmap) -> None:
        if len(identifiers) % SIZE:
            raise FormatError("the list of identifiers ends inside of one", offset=len(identifiers))
        self._data = memoryview(identifiers)
        self.count = len(identifiers) // SIZE
        for index in range(1, self.count):
            if self.identifier(index) <= self.identifier(index - 1):
                raise FormatError(f"identifier {index + 1:,} does not follow the one before it", offset=index * SIZE)
        self._held: dict[tuple[int, int], bytes] = {}
        self.root = self._root(0, self.count) if self.count else empty_root()

    def close(self) -> None:
        """Let go of the list, so that a file mapped into memory can be closed."""
        self._data.release()

    def identifier(self, index: int) -> bytes:
        """Return an identifier by its place in the list."""
        return bytes(self._data[index * SIZE : index * SIZE + SIZE])

    def find_path(self, identifier: bytes) -> Path:
        """Return the way that the bits of an identifier lead."""
        if not self.count:
            return Path(None, ())
        start, stop = 0, self.count
        steps: list[tuple[int, bytes]] = []
        while stop - start > 1:
            bit, middle = self._split(start, stop)
            if bit_at(identifier, bit):
                steps.append((bit, self._root(start, middle)))
                start = middle
            else:
                steps.append((bit, self._root(middle, stop)))
                stop = middle
        return Path(self.identifier(start), tuple(steps))

    def _split(self, start: int, stop: int) -> tuple[int, int]:
        """Return where a range branches: the bit, and the first identifier that has it."""
        bit = branching_bit(self.identifier(start), self.identifier(stop - 1))
        low, high = start, stop - 1  # the first has it not, the last has it
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if bit_at(self.identifier(middle), bit) else (middle, high)
        return bit, high

    def _root(self, start: int, stop: int) -> bytes:
        """Return the root of a range that is a subtree."""
        if stop - start <= HELD:
            return self._fold(start, stop)
        if (start, stop) not in self._held:
            bit, middle = self._split(start, stop)
            self._held[start, stop] = inner_hash(bit, self._root(start, middle), self._root(middle, stop))
        return self._held[start, stop]

    def _fold(self, start: int, stop: int) -> bytes:
        """Return the root of a few identifiers, in one pass: a left side waits until all of the right is in."""
        waiting: list[tuple[int, bytes]] = []
        before = self.identifier(start)
        node = leaf_hash(before)
        for index in range(start + 1, stop):
            here = self.identifier(index)
            bit = branching_bit(before, here)
            while waiting and waiting[-1][0] > bit:
                upper, left = waiting.pop()
                node = inner_hash(upper, left, node)
            waiting.append((bit, node))
            before, node = here, leaf_hash(here)
        while waiting:
            bit, left = waiting.pop()
            node = inner_hash(bit, left, node)
        return node


def count_shared(some: bytes | mmap.mmap, others: bytes | mmap.mmap) -> int:
    """Return how many identifiers stand in two ascending lists, looking each of the first up in the second."""
    count, low = 0, 0
    for at in range(0, len(some), SIZE):
        wanted, high = some[at : at + SIZE], len(others) // SIZE
        while low < high:
            middle = (low + high) // 2
            if others[middle * SIZE : middle * SIZE + SIZE] < wanted:
                low = middle + 1
            else:
                high = middle
        count += others[low * SIZE : low * SIZE + SIZE] == wanted
    return count


def root_of_path(identifier: bytes, path: Path) -> bytes:
    """Return the root that a path leads to when the bits of an identifier choose the sides.

    Raises:
        ValueError: When it is not a path that a tree has for this identifier.
    """
    if path.leaf is None:
        if path.steps:
            raise ValueError("the empty set has no branches")
        return empty_root()
    node, below = leaf_hash(path.leaf), BITS
    for bit, sibling in reversed(path.steps):
        if not 0 <= bit < below:
            raise ValueError("the branches do not follow each other")
        side = bit_at(identifier, bit)
        if bit_at(path.leaf, bit) != side:
            raise ValueError("the leaf lies on the other side of a branch")
        node, below = inner_hash(bit, sibling, node) if side else inner_hash(bit, node, sibling), bit
    return node
