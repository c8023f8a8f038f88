"""The log cut into tiles of 256 hashes: how it is kept, and how it is served as static files.

Specification: https://c2sp.org/tlog-tiles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from hallmarked.core.errors import BackendError, InputError
from hallmarked.ledger.merkle import inner_hash, range_hash
from hallmarked.ledger.strict import fail

WIDTH = 256
HASH = 32


def tile_path(level: int | None, index: int, width: int = WIDTH) -> str:
    """Return the path of a tile below the log's prefix.

    Args:
        level: Height of the tile; None for a bundle of entries.
        index: Number of the tile at that level.
        width: How many hashes or entries it has; fewer than 256 make it a partial tile.

    Raises:
        InputError: When no tile has such a place.
    """
    if (level is not None and not 0 <= level < 64) or index < 0 or not 1 <= width <= WIDTH:
        raise InputError(f"there is no tile {index} of width {width} at level {level}")
    name, rest = f"{index % 1000:03}", index // 1000
    while rest:
        name, rest = f"x{rest % 1000:03}/{name}", rest // 1000
    suffix = "" if width == WIDTH else f".p/{width}"
    return f"tile/{'entries' if level is None else level}/{name}{suffix}"


def read_tile_path(path: str) -> tuple[int | None, int, int]:
    """Return level (None for a bundle of entries), index and width of a tile from its path; one tile has one path.

    Raises:
        InputError: When no tile has that path.
    """
    found = re.fullmatch(r"tile/(entries|\d{1,2})/((?:x\d{3}/){0,6}\d{3})(?:\.p/(\d{1,3}))?", path, re.ASCII)
    if found is None:
        raise InputError("there is no such tile")
    level = None if found[1] == "entries" else int(found[1])
    index, width = int(found[2].replace("x", "").replace("/", "")), int(found[3] or WIDTH)
    if tile_path(level, index, width) != path:
        raise InputError("there is no such tile")
    return level, index, width


def list_tiles(size: int) -> Iterator[tuple[int, int, int]]:
    """Yield level, index and width of every hash tile that a log of this size has."""
    level, count = 0, size
    while count:
        full, partial = divmod(count, WIDTH)
        for index in range(full):
            yield level, index, WIDTH
        if partial:
            yield level, full, partial
        level, count = level + 1, full


def write_entries(entries: Iterable[bytes]) -> bytes:
    """Write a bundle of entries: each with its length as a big-endian u16 before it."""
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def read_entries(data: bytes) -> list[bytes]:
    """Read a bundle of entries.

    Raises:
        VerificationError: When it is cut off, empty or has more than 256 entries.
    """
    entries, position = [], 0
    while position < len(data):
        start = position + 2
        position = start + int.from_bytes(data[position:start])
        if start > len(data) or position > len(data):
            fail("entries", "the bundle of entries is cut off")
        entries.append(data[start:position])
    if not 1 <= len(entries) <= WIDTH:
        fail("entries", "a bundle of entries must have 1 to 256 entries")
    return entries


class TileTree:
    """A Merkle tree kept as tiles, which can grow and prove.

    Args:
        size: How many leaves it has.
        fetch: Gives the stored bytes of a tile by level and index; they may hold more hashes than this size has.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        self.size = size
        self._fetch = fetch
        self._tiles: dict[tuple[int, int], bytearray] = {}
        self._changed: set[tuple[int, int]] = set()

    def _tile(self, level: int, index: int) -> bytearray:
        if (level, index) not in self._tiles:
            # Another writer may have stored a wider tile since this size; what it added must not be seen.
            width = min(WIDTH, (self.size >> 8 * level) - index * WIDTH)
            data = self._fetch(level, index) if width > 0 else b""
            if width > 0 and len(data) < width * HASH:
                raise BackendError(f"the log lacks hashes of tile {tile_path(level, index)}")
            self._tiles[level, index] = bytearray(data[: max(width, 0) * HASH])
        return self._tiles[level, index]

    def append(self, leaf: bytes) -> None:
        """Add a leaf's hash."""
        level, value = 0, leaf
        while True:
            index, width = divmod(self.size >> 8 * level, WIDTH)
            tile = self._tile(level, index)
            tile += value
            self._changed.add((level, index))
            if width < WIDTH - 1:
                break
            level, value = level + 1, _fold(bytes(tile))
        self.size += 1

    def hashes(self, level: int, index: int) -> bytes:
        """Return the hashes of a tile as it is at this size; empty when there is none."""
        return bytes(self._tile(level, index))

    def take_changed(self, *, full_only: bool = False) -> list[tuple[int, int, bytes]]:
        """Return level, index and bytes of the tiles that changed and were not returned since, and forget full ones."""
        full = {place for place, tile in self._tiles.items() if len(tile) == WIDTH * HASH}
        chosen = self._changed & full if full_only else self._changed
        changed = [(level, index, bytes(self._tiles[level, index])) for level, index in sorted(chosen)]
        self._changed = self._changed - chosen
        self._tiles = {place: tile for place, tile in self._tiles.items() if place not in full}
        return changed

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree (see :data:`hallmarked.ledger.merkle.NodeReader`)."""
        height, rest = divmod(level, 8)
        number, place = divmod(index << rest, WIDTH)
        tile = self._tile(height, number)
        return _fold(bytes(tile[place * HASH : (place + (1 << rest)) * HASH]))

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first ``size`` leaves; of all by default."""
        return range_hash(0, self.size if size is None else size, self.node)


def _fold(hashes: bytes) -> bytes:
    """Return the root over a power of two of hashes, as they stand in a tile."""
    row = [hashes[i : i + HASH] for i in range(0, len(hashes), HASH)]
    while len(row) > 1:
        row = [inner_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]
