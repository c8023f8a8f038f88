"""Blocks of remote files, fetched once, kept in a temporary file while an audit runs.

Small files are fetched whole and compared with what the listing says of them. Of large ones only the blocks are fetched
that somebody reads, more at a time while they are read in order.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from hallmarked.artifacts.remote.listing import RemoteFile
from hallmarked.core.errors import BackendError, InputError

BLOCK = 4 << 10
SMALL = 1 << 20
"""Files up to this size are fetched whole."""
MOST_AHEAD = 4 << 20
MOST_RANGES = 10_000

Fetch = Callable[[RemoteFile, int, int], bytes]
"""Returns a range of a file, given start and size."""


@dataclass(slots=True)
class _Known:
    """What was fetched of one file, and what was asked for."""

    blocks: dict[int, int] = field(default_factory=dict)
    """Block number to its place in the temporary file."""
    ranges: list[tuple[int, int]] = field(default_factory=list)
    """Start and end of what was read, in order, not touching each other."""
    expected: int = 0
    """The block after the last one fetched."""
    ahead: int = 1
    """Blocks to fetch at a time."""
    sha256: str | None = None
    """Of the whole file, once all of it was seen and found to be what was stated."""
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of a file."""

    ranges: Sequence[tuple[int, int]]
    """Start and end (exclusive) of what was read."""
    sha256: str
    """Of the bytes in these ranges, one after the other."""


class BlockCache:
    """The bytes of remote files, as they are needed. Safe to use from several threads.

    Args:
        files: What there is.
        fetch: How bytes are had.
        most: Bytes that may be fetched altogether.
    """

    def __init__(self, files: Sequence[RemoteFile], fetch: Fetch, most: int) -> None:
        self._files, self._fetch, self._most = files, fetch, most
        self._known: defaultdict[int, _Known] = defaultdict(_Known)
        self._lock = threading.Lock()
        self._store = tempfile.TemporaryFile()  # noqa: SIM115 -- closed by close()
        self._end = self.fetched = 0

    def close(self) -> None:
        """Forget everything."""
        self._store.close()

    def read(self, index: int, start: int, size: int) -> bytes:
        """Return a range of a file.

        Raises:
            InputError: When a file is not what the listing says.
            BackendError: When the bytes cannot be had, or more would have to be fetched than is allowed.
        """
        file = self._files[index]
        size = min(size, file.size - start)
        if start < 0 or size <= 0:
            return b""
        with self._lock:
            known = self._known[index]
        with known.lock:
            self._need(file, known, start // BLOCK, -(-(start + size) // BLOCK))
            _add(known.ranges, start, start + size)
            return self._stored(known, start, size)

    def sha256(self, index: int) -> str | None:
        """Return the SHA-256 of a file all of which was seen; None for others.

        Raises:
            InputError: When it is another one than the endpoint states.
        """
        file = self._files[index]
        known = self._known[index]
        with known.lock:
            if known.sha256 is None and len(known.blocks) == -(-file.size // BLOCK):
                known.sha256 = self._verify(file, known)
            return known.sha256

    def seen(self, index: int) -> Seen | None:
        """Return what was read of a file; None when nothing was."""
        known = self._known[index]
        with known.lock:
            if not known.ranges:
                return None
            digest = hashlib.sha256()
            for start, end in known.ranges:
                for offset in range(start, end, SMALL):
                    digest.update(self._stored(known, offset, min(SMALL, end - offset)))
            return Seen(tuple(known.ranges), digest.hexdigest())

    def _need(self, file: RemoteFile, known: _Known, first: int, last: int) -> None:
        """Fetch the blocks from ``first`` to before ``last`` that are not there yet."""
        if file.size <= SMALL and not known.blocks:
            first, last = 0, -(-file.size // BLOCK)
        for begin, end in list(_missing(known.blocks, first, last)):
            known.ahead = min(2 * known.ahead, MOST_AHEAD // BLOCK) if begin and begin == known.expected else 1
            further = min(max(end, begin + known.ahead), -(-file.size // BLOCK))
            stop = next((block for block in range(end, further) if block in known.blocks), further)
            for part in range(begin, stop, MOST_AHEAD // BLOCK):
                self._load(file, known, part, min(part + MOST_AHEAD // BLOCK, stop))
            known.expected = stop
        if file.size <= SMALL and known.sha256 is None:
            known.sha256 = self._verify(file, known)

    def _load(self, file: RemoteFile, known: _Known, begin: int, end: int) -> None:
        start, size = begin * BLOCK, min(end * BLOCK, file.size) - begin * BLOCK
        with self._lock:
            if self.fetched + size > self._most:
                raise BackendError(f"more than {self._most >> 20:,} MiB would have to be fetched")
            self.fetched += size
        data = self._fetch(file, start, size)
        if len(data) != size:
            raise BackendError(f"{file.path} could not be fetched")
        with self._lock:
            place, self._end = self._end, self._end + size
        try:
            _write(self._store.fileno(), data, place)
        except OSError as error:
            raise BackendError("what was fetched cannot be stored: the disk is full or broken") from error
        for block in range(begin, end):
            known.blocks[block] = place + (block - begin) * BLOCK

    def _stored(self, known: _Known, start: int, size: int) -> bytes:
        parts, end = [], start + size
        while start < end:
            block, within = divmod(start, BLOCK)
            count = min(BLOCK - within, end - start)
            parts.append(os.pread(self._store.fileno(), count, known.blocks[block] + within))
            start += count
        return b"".join(parts)

    def _verify(self, file: RemoteFile, known: _Known) -> str:
        digest, git = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
        for start in range(0, file.size, SMALL):
            data = self._stored(known, start, min(SMALL, file.size - start))
            digest.update(data)
            git.update(data)
        found = digest.hexdigest()
        if (found != file.sha256) if file.sha256 else (git.hexdigest() != file.oid):
            raise InputError(f"{file.path} holds other bytes than the hub's own list says; nothing was reported")
        return found


def _missing(blocks: dict[int, int], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the runs of blocks that are not there."""
    begin = None
    for block in range(first, last):
        if block in blocks:
            if begin is not None:
                yield begin, block
            begin = None
        elif begin is None:
            begin = block
    if begin is not None:
        yield begin, last


def _add(ranges: list[tuple[int, int]], start: int, end: int) -> None:
    """Add a range to others, joining those that touch."""
    before = [pair for pair in ranges if pair[1] < start]
    after = [pair for pair in ranges if pair[0] > end]
    between = ranges[len(before) : len(ranges) - len(after)]
    if between:
        start, end = min(start, between[0][0]), max(end, between[-1][1])
    if len(before) + len(after) >= MOST_RANGES:
        raise BackendError(f"a file was read in more than {MOST_RANGES:,} places")
    ranges[:] = [*before, (start, end), *after]


def _write(descriptor: int, data: bytes, place: int) -> None:
    view = memoryview(data)
    while view:
        count = os.pwrite(descriptor, view, place)
        view, place = view[count:], place + count
