"""What every reader reads from, and what it may cost.

A ``Blob`` is bytes that can be read from any place: a file, a member of an archive, the inside of a compressed
stream. A ``Budget`` is shared by everything that is read below one file, so that nesting cannot multiply it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from hallmarked.core.errors import FormatError, LimitExceeded

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may cost. Hitting a limit makes the file ``malformed``, never clean."""

    expansion_ratio: int = 100
    """Expanded bytes per stored byte, enforced once ``expansion_floor`` bytes were expanded."""
    expansion_floor: int = GIB
    """Bytes that may be expanded whatever the ratio."""
    members: int = 100_000
    """Members of all archives together."""
    depth: int = 5
    """Containers within containers."""
    nodes: int = 5_000_000
    """Nodes of JSON, YAML, XML, msgpack, protobuf and similar trees."""
    node_depth: int = 100
    """Depth of such trees."""
    opcodes: int = 100_000_000
    """Pickle instructions."""
    pickle_nodes: int = 1_000_000_000
    """Objects a pickle unfolds to, counted with sharing."""
    text: int = 100_000_000
    """Bytes of a document that has to be held in memory: a JSON header, a template, a configuration."""


@dataclass(slots=True)
class Budget:
    """A running account against ``Limits``."""

    stored: int
    """Bytes of the outermost file, the base of the expansion ratio."""
    limits: Limits = field(default_factory=Limits)
    spent: dict[str, int] = field(default_factory=dict)

    def spend(self, what: str, amount: int = 1) -> None:
        """Account for ``amount`` units of ``what`` (a field name of ``Limits``) before using them.

        Raises:
            LimitExceeded: When the limit would be passed.
        """
        total = self.spent.get(what, 0) + amount
        limit: int = getattr(self.limits, what)
        if total > limit:
            raise LimitExceeded(f"more than {limit:,} {what.replace('_', ' ')}")
        self.spent[what] = total

    def expand(self, amount: int) -> None:
        """Account for ``amount`` bytes that came out of a decompressor.

        Raises:
            LimitExceeded: When the file unfolds to more than its size allows.
        """
        total = self.spent.get("expanded", 0) + amount
        if total > self.limits.expansion_floor and total > self.stored * self.limits.expansion_ratio:
            raise LimitExceeded(f"expands to more than {self.limits.expansion_ratio} times its size")
        self.spent["expanded"] = total


@dataclass(frozen=True, slots=True)
class Blob:
    """Readable bytes with a place in an artifact."""

    path: str
    """Location: ``weights.pt`` or ``weights.pt!archive/data.pkl``."""
    size: int
    """Bytes."""
    opener: Callable[[], BinaryIO]
    """Opens a fresh, seekable stream at the start."""
    depth: int = 0
    """How many containers it lies in."""
    origin: tuple[Blob, int] | None = None
    """The blob this one is a range of, and where it starts there; lets a few bytes be read without going through it."""

    def open(self) -> BinaryIO:
        """Open the bytes for reading from the start; the caller closes."""
        return self.opener()

    def head(self, count: int = 4096) -> bytes:
        """Return the first ``count`` bytes, fewer when the blob is shorter."""
        with self.open() as stream:
            return stream.read(count)

    def tail(self, count: int) -> bytes:
        """Return the last ``count`` bytes, fewer when the blob is shorter."""
        with self.open() as stream:
            stream.seek(max(0, self.size - count))
            return stream.read(count)

    def ends(self, first: int, last: int) -> tuple[bytes, bytes]:
        """Return that many bytes of the beginning and of the end, fewer when the blob is shorter, opening it once."""
        blob, start, origin = self, 0, self.origin
        while origin is not None:
            blob, start, origin = origin[0], start + origin[1], origin[0].origin
        with blob.open() as stream:
            if start:
                stream.seek(start)
            head = stream.read(min(first, self.size))
            if self.size <= min(first, last):
                return head, head
            last = min(last, self.size)
            stream.seek(start + self.size - last)
            return head, stream.read(last)

    def read_all(self, budget: Budget) -> bytes:
        """Return everything, when it fits into the budget for documents held in memory.

        Raises:
            LimitExceeded: When it does not.
        """
        if self.size > budget.limits.text:
            raise LimitExceeded(f"document of {self.size:,} bytes, more than {budget.limits.text:,}")
        with self.open() as stream:
            return stream.read(self.size)

    def window(self, offset: int, size: int, name: str = "", *, deeper: int = 0) -> Blob:
        """Return a part of this blob as a blob of its own, without copying.

        Args:
            offset: Where it starts.
            size: Bytes.
            name: What it is called within this one.
            deeper: 1 when this blob is a container and the part its content.

        Raises:
            FormatError: When the part does not lie inside.
        """
        if offset < 0 or size < 0 or offset + size > self.size:
            raise FormatError(f"bytes {offset} to {offset + size} lie outside of {self.size} bytes", offset=offset)
        path = f"{self.path}!{name}" if name else self.path

        def opener() -> BinaryIO:
            return io.BufferedReader(_Window(self.open(), offset, size))

        return Blob(path, size, opener, self.depth + deeper, (self, offset))

    @classmethod
    def of_bytes(cls, path: str, data: bytes, depth: int = 0) -> Blob:
        """Wrap bytes that are already in memory."""
        return cls(path, len(data), lambda: io.BytesIO(data), depth)


class _Window(io.RawIOBase):
    """A seekable view on a range of another stream, which it owns."""

    def __init__(self, stream: BinaryIO, offset: int, size: int) -> None:
        self._stream, self._offset, self._size, self._at = stream, offset, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = min(len(buffer), max(0, self._size - self._at))
        self._stream.seek(self._offset + self._at)
        got: int = self._stream.readinto(memoryview(buffer)[:count]) or 0  # type: ignore[attr-defined]
        self._at += got
        return got

    def close(self) -> None:
        self._stream.close()
        super().close()
