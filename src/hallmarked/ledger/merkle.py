"""The RFC 6962 Merkle tree: hashes, append with a frontier, inclusion and consistency proofs.

Specification: https://www.rfc-editor.org/rfc/rfc6962#section-2.1 (trees and proofs),
https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3 (the same proofs, verified without recursion).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from hallmarked.core.errors import InputError
from hallmarked.ledger.strict import fail


def leaf_hash(data: bytes) -> bytes:
    """Return the RFC 6962 hash of a log entry."""
    return hashlib.sha256(b"\x00" + data).digest()


def inner_hash(left: bytes, right: bytes) -> bytes:
    """Return the RFC 6962 hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """Return the root an inclusion proof leads to (RFC 9162 section 2.1.3.2, RFC 6962 trees).

    Args:
        index: Position of the leaf.
        size: Size of the tree.
        leaf: Hash of the leaf.
        path: Hashes from the leaf's sibling up to the root's child.

    Raises:
        VerificationError: When the proof is too long or too short for that place in the tree.
    """
    if not 0 <= index < size:
        fail("inclusion", "the proof's index lies outside of the log")
    node, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            fail("inclusion", "the inclusion proof is too long")
        if node & 1 or node == last:
            root = inner_hash(sibling, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = inner_hash(root, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        fail("inclusion", "the inclusion proof is too short")
    return root


def empty_root() -> bytes:
    """Return the root of a log without entries."""
    return hashlib.sha256(b"").digest()


def split_size(size: int) -> int:
    """Return where a tree of ``size`` > 1 leaves splits: the largest power of two smaller than it."""
    return 1 << (size - 1).bit_length() - 1


NodeReader = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree number ``index`` of height ``level`` (over 2^level leaves)."""


def range_hash(start: int, stop: int, node: NodeReader) -> bytes:
    """Return MTH(D[start:stop]) of RFC 6962 for a range as it occurs in a tree (start is a multiple of the split)."""
    width = stop - start
    if width == 0:
        return empty_root()
    if width & (width - 1) == 0:
        return node(width.bit_length() - 1, start // width)
    middle = start + split_size(width)
    return inner_hash(range_hash(start, middle, node), range_hash(middle, stop, node))


def prove_inclusion(index: int, size: int, node: NodeReader) -> list[bytes]:
    """Return PATH(index, D[size]) of RFC 6962 section 2.1.1: hashes from the leaf's sibling up.

    Raises:
        InputError: When there is no such leaf.
    """
    if not 0 <= index < size:
        raise InputError(f"the log of size {size} has no entry {index}")
    path, start, stop = [], 0, size
    while stop - start > 1:
        middle = start + split_size(stop - start)
        if index < middle:
            path.append(range_hash(middle, stop, node))
            stop = middle
        else:
            path.append(range_hash(start, middle, node))
            start = middle
    return path[::-1]


def prove_consistency(old: int, new: int, node: NodeReader) -> list[bytes]:
    """Return PROOF(old, D[new]) of RFC 6962 section 2.1.2; empty when either log is empty or both are equal.

    Raises:
        InputError: When the old log is larger.
    """
    if not 0 <= old <= new:
        raise InputError(f"a log of size {new} does not extend one of size {old}")
    if old in (0, new):
        return []
    path, start, stop, whole = [], 0, new, True
    while old != stop:
        middle = start + split_size(stop - start)
        if old <= middle:
            path.append(range_hash(middle, stop, node))
            stop = middle
        else:
            path.append(range_hash(start, middle, node))
            start, whole = middle, False
    if not whole:
        path.append(range_hash(start, stop, node))
    return path[::-1]


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> None:
    """Check that the log of size ``new`` begins with the one of size ``old`` (RFC 9162 section 2.1.4.2).

    Raises:
        VerificationError: When it does not, or the proof does not show it.
    """
    if not 0 <= old <= new:
        fail("consistency", "a log must not shrink")
    if old in (0, new):
        if path or (old == new and old_root != new_root) or (old == 0 and old_root != empty_root()):
            fail("consistency", "two different logs of the same size, or a proof where none is needed")
        return
    whole = old & (old - 1) == 0
    first, second = roots_from_consistency(old, new, [old_root, *path] if whole else path)
    if first != old_root or second != new_root:
        fail("consistency", "the log does not contain what it contained before")


def prove_roots(old: int, new: int, node: NodeReader) -> list[bytes]:
    """Return what gives the roots of the first ``old`` and of all ``new`` leaves, without knowing either.

    It is PROOF(old, D[new]) of RFC 6962, with the first hash never left out.

    Raises:
        InputError: When not 0 < old < new.
    """
    if not 0 < old < new:
        raise InputError(f"a log of size {new} does not extend one of size {old}")
    path = prove_consistency(old, new, node)
    return [range_hash(0, old, node), *path] if old & (old - 1) == 0 else path


def roots_from_consistency(old: int, new: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return the roots of the first ``old`` and of all ``new`` leaves that a consistency proof leads to.

    Args:
        old: Size of the older log, above 0.
        new: Size of the newer log, above ``old``.
        hashes: What :func:`prove_roots` returns.

    Raises:
        VerificationError: When the proof is too long or too short for these sizes.
    """
    if not hashes:
        fail("consistency", "the consistency proof is too short")
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            fail("consistency", "the consistency proof is too long")
        if node & 1 or node == last:
            first, second = inner_hash(sibling, first), inner_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = inner_hash(second, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        fail("consistency", "the consistency proof is too short")
    return first, second


class Frontier:
    """The least one must keep to append to a tree and know its root: one hash per set bit of the size."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._hashes: list[bytes] = []
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf: bytes) -> None:
        """Add a leaf's hash."""
        size, self.size = self.size, self.size + 1
        while size & 1:
            leaf, size = inner_hash(self._hashes.pop(), leaf), size >> 1
        self._hashes.append(leaf)

    def root(self) -> bytes:
        """Return the root of the leaves so far."""
        if not self._hashes:
            return empty_root()
        root = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            root = inner_hash(left, root)
        return root
