"""Writes xorbs and shards as clients do, straight from the description of the format and slowly."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import lz4.frame
from blake3 import blake3

CHUNK_KEY = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
SEGMENT_KEY = bytes.fromhex("7f1857d6ce56ed66127ff913e7a5c3f3a4cd26d5b5db49e64124987f28fb94c3")
TAG = b"HFRepoMetaData\0" + bytes.fromhex("556967456a7b815783a5bdd95ccdd14aa9")
END = b"\xff" * 32 + bytes(16)


def swap(raw: bytes) -> bytes:
    """Turn the bytes round within each group of eight."""
    return b"".join(raw[at : at + 8][::-1] for at in range(0, 32, 8))


def text(raw: bytes) -> str:
    return swap(raw).hex()


def chunk_hash(data: bytes) -> bytes:
    return blake3(data, key=CHUNK_KEY).digest()


def aggregate(nodes: Sequence[tuple[bytes, int]]) -> bytes:
    """Hash a list of (hash, length), one row of the tree after the other."""
    row = list(nodes)
    while len(row) > 1:
        parents = []
        while row:
            cut = len(row)
            if cut > 2:
                ends = [at + 1 for at in range(2, min(9, cut)) if struct.unpack("<Q", row[at][0][24:])[0] % 4 == 0]
                cut = ends[0] if ends else min(9, cut)
            group, row = row[:cut], row[cut:]
            lines = "".join(f"{text(hash_)} : {length}\n" for hash_, length in group)
            parents.append((blake3(lines.encode(), key=NODE_KEY).digest(), sum(length for _, length in group)))
        row = parents
    return row[0][0]


def pack_chunk(data: bytes, scheme: int) -> bytes:
    packed = data
    if scheme == 2:
        packed = b"".join(data[place::4] for place in range(4))
    if scheme:
        packed = lz4.frame.compress(packed)
    return chunk_header(len(packed), scheme, len(data)) + packed


def chunk_header(packed: int, scheme: int, length: int, version: int = 0) -> bytes:
    return bytes([version]) + packed.to_bytes(3, "little") + bytes([scheme]) + length.to_bytes(3, "little")


@dataclass(frozen=True)
class Xorb:
    """A xorb that can be uploaded."""

    chunks: tuple[bytes, ...]
    schemes: tuple[int, ...] = (0,)

    @property
    def nodes(self) -> list[tuple[bytes, int]]:
        return [(chunk_hash(chunk), len(chunk)) for chunk in self.chunks]

    @property
    def hash(self) -> bytes:
        return aggregate(self.nodes)

    @property
    def name(self) -> str:
        return text(self.hash)

    @property
    def body(self) -> bytes:
        schemes = self.schemes * len(self.chunks)
        return b"".join(pack_chunk(chunk, scheme) for chunk, scheme in zip(self.chunks, schemes, strict=False))


Part = tuple[Xorb, int, int]
"""A xorb, the first chunk, and the chunk after the last."""


def shard_header(version: int = 2, footer: int = 0, tag: bytes = TAG) -> bytes:
    return tag + struct.pack("<QQ", version, footer)


def file_records(
    parts: Sequence[Part], sha256: str | None, *, verified: bool = True, hash_: bytes | None = None
) -> bytes:
    """Describe one file."""
    nodes = [node for xorb, first, end in parts for node in xorb.nodes[first:end]]
    flags = (1 << 31 if verified else 0) | (1 << 30 if sha256 is not None else 0)
    made = struct.pack("<32s2I8x", hash_ or blake3(aggregate(nodes), key=bytes(32)).digest(), flags, len(parts))
    for xorb, first, end in parts:
        length = sum(len(chunk) for chunk in xorb.chunks[first:end])
        made += struct.pack("<32s4I", xorb.hash, 0, length, first, end)
    if verified:
        for xorb, first, end in parts:
            hashes = b"".join(node[0] for node in xorb.nodes[first:end])
            made += blake3(hashes, key=SEGMENT_KEY).digest() + bytes(16)
    return made if sha256 is None else made + swap(bytes.fromhex(sha256)) + bytes(16)


def xorb_records(xorb: Xorb) -> bytes:
    """Describe one new xorb."""
    made = struct.pack("<32s4x2I4x", xorb.hash, len(xorb.chunks), sum(map(len, xorb.chunks)))
    start = 0
    for hash_, length in xorb.nodes:
        made += struct.pack("<32s2I8x", hash_, start, length)
        start += length
    return made


def shard(files: Sequence[bytes], xorbs: Sequence[Xorb] = ()) -> bytes:
    """Put a shard together."""
    return shard_header() + b"".join(files) + END + b"".join(map(xorb_records, xorbs)) + END
