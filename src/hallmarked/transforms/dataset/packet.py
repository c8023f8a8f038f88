"""What a confined process hands back: a JSON object and named bytes, read without trusting who wrote them.

Layout: eight bytes (little-endian) that say how long the JSON is, the JSON, and the bytes one behind the other. The
JSON is ``{"head": …, "blobs": [[name, size], …]}``.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from hallmarked.core.check import Learned
from hallmarked.core.errors import FormatError

LENGTH = struct.Struct("<Q")
MAX_HEAD = 64 << 20
CHUNK = 1 << 20


@dataclass(slots=True)
class Packet:
    """What is handed back, before it is bytes."""

    head: Mapping[str, Any]
    blobs: list[tuple[str, bytes]] = field(default_factory=list)

    def dump(self) -> bytes:
        """Write it."""
        sizes = [[name, len(data)] for name, data in self.blobs]
        text = json.dumps({"head": self.head, "blobs": sizes}, ensure_ascii=False, separators=(",", ":")).encode()
        return b"".join((LENGTH.pack(len(text)), text, *(data for _, data in self.blobs)))


@dataclass(frozen=True, slots=True)
class Received:
    """A packet in the hands of who asked for it. Its bytes are read when they are needed."""

    head: Mapping[str, Any]
    places: Sequence[tuple[str, int, int]]
    """Name, start and size of each of its bytes."""
    open: Callable[[], BinaryIO]

    def blob(self, name: str, item: int = 1) -> bytes:
        """Return bytes by their name; nothing when there are none.

        Args:
            name: The name.
            item: Bytes of each of the things they hold.

        Raises:
            FormatError: When they end inside of a thing.
        """
        for each, start, size in self.places:
            if each == name:
                if size % item:
                    raise FormatError(f"{name} ends inside of an entry")
                with self.open() as stream:
                    stream.seek(start)
                    return stream.read(size)
        return b""

    def copy(self, place: tuple[str, int, int], take: Callable[[bytes], object]) -> None:
        """Hand on bytes piece by piece."""
        _, start, left = place
        with self.open() as stream:
            stream.seek(start)
            while left:
                data = stream.read(min(CHUNK, left))
                if not data:
                    raise FormatError("the bytes end early")
                take(data)
                left -= len(data)


def receive(learned: Learned) -> Received:
    """Read the head of a packet.

    Raises:
        FormatError: When it is none.
    """
    with learned.open() as stream:
        start = stream.read(LENGTH.size)
        if len(start) < LENGTH.size:
            raise FormatError("a process sent nothing")
        (length,) = LENGTH.unpack(start)
        if length > min(MAX_HEAD, learned.size):
            raise FormatError("a process sent something that is no packet")
        try:
            value = json.loads(stream.read(length))
            head, sizes = value["head"], value["blobs"]
            places, at = [], LENGTH.size + length
            for name, size in sizes:
                if not isinstance(name, str) or not isinstance(size, int) or not 0 <= size <= learned.size - at:
                    raise FormatError("a process sent something that is no packet")
                places.append((name, at, size))
                at += size
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise FormatError("a process sent something that is no packet") from error
    if not isinstance(head, dict):
        raise FormatError("a process sent something that is no packet")
    return Received(head, tuple(places), learned.open)
