"""Hashes of Xet: how they are written, and what they are computed over.

All are BLAKE3 in keyed mode, with published keys that keep the uses apart. A list of chunks is hashed by a tree whose
shape follows from the hashes themselves.

https://huggingface.co/docs/xet/hashing
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from blake3 import blake3

from hallmarked.core.errors import FormatError

SIZE = 32
"""Bytes of a hash."""
_CHUNK = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
_NODE = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
_SEGMENT = bytes.fromhex("7f1857d6ce56ed66127ff913e7a5c3f3a4cd26d5b5db49e64124987f28fb94c3")
_FILE = bytes(SIZE)
_LITTLE, _BIG = struct.Struct("<4Q"), struct.Struct(">4Q")
_TEXT = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FEWEST, _MOST, _FANOUT = 3, 9, 4
"""A node has 3 to 9 children (the last of a row may have fewer) and ends after a hash that is 0 modulo 4."""


def to_text(raw: bytes) -> str:
    """Write a hash as clients do: four little-endian 64-bit words, 16 hexadecimal digits each."""
    return _BIG.pack(*_LITTLE.unpack(raw)).hex()


def from_text(text: str) -> bytes:
    """Read a hash from its text.

    Raises:
        FormatError: When it is not 64 lower-case hexadecimal digits.
    """
    if not _TEXT.fullmatch(text):
        raise FormatError("a Xet hash has 64 lower-case hexadecimal digits")
    return b"".join(bytes.fromhex(text[at : at + 16])[::-1] for at in range(0, 2 * SIZE, 16))


def hash_chunk(data: bytes | memoryview) -> bytes:
    """Return the hash of a chunk's bytes."""
    return blake3(data, key=_CHUNK).digest()


def hash_segment(hashes: bytes | memoryview) -> bytes:
    """Return the verification hash of a segment, from the raw hashes of its chunks in a row.

    Whoever can state it knows every one of them, and these are not published anywhere.
    """
    return blake3(hashes, key=_SEGMENT).digest()


@dataclass(slots=True)
class _Row:
    """One level of the tree while it is built: the children of the node that is still open."""

    lines: list[bytes] = field(default_factory=list)
    length: int = 0
    count: int = 0
    """Nodes of this level so far."""
    last: bytes = bytes(SIZE)
    """Hash of the latest."""


class Aggregate:
    """The hash of a list of chunks, computed as they come: memory grows with the logarithm of their number."""

    def __init__(self) -> None:
        self._rows = [_Row()]

    def add(self, hash_: bytes, length: int) -> None:
        """Append a chunk (or, inside of the tree, a node): its hash and its length in bytes."""
        self._add(0, hash_, length)

    def xorb_hash(self) -> bytes:
        """Return the hash of a xorb made of these chunks. Nothing may be added afterwards."""
        level = 0
        while self._rows[level].count > 1:
            if self._rows[level].lines:
                self._close(level)
            level += 1
        return self._rows[level].last

    def file_hash(self) -> bytes:
        """Return the hash of a file made of these chunks. Nothing may be added afterwards."""
        return blake3(self.xorb_hash(), key=_FILE).digest()

    def _add(self, level: int, hash_: bytes, length: int) -> None:
        row = self._rows[level]
        row.lines.append(b"%s : %d\n" % (to_text(hash_).encode(), length))
        row.length += length
        row.count += 1
        row.last = hash_
        ends = int.from_bytes(hash_[24:], "little") % _FANOUT == 0
        if len(row.lines) == _MOST or (ends and len(row.lines) >= _FEWEST):
            self._close(level)

    def _close(self, level: int) -> None:
        row = self._rows[level]
        if level + 1 == len(self._rows):
            self._rows.append(_Row())
        parent = blake3(b"".join(row.lines), key=_NODE).digest()
        length, row.lines, row.length = row.length, [], 0
        self._add(level + 1, parent, length)
