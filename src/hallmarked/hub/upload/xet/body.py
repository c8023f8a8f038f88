"""Bodies of xorbs, unpacked, as files of this machine: ``<folder>/ab/<hash>``. All of them may be lost at any time.

A body is only needed until the files made of it are in the blob store. It is not flushed to the disk: after a power cut
it may be gone or damaged, which shows when a file is rebuilt (its SHA-256 is checked), and the client sends it again.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from hallmarked.core.errors import BackendError, FormatError, InputError
from hallmarked.formats.xet.hash import Aggregate, from_text, hash_chunk, to_text
from hallmarked.formats.xet.xorb import XorbDecoder
from hallmarked.hub.blob.passing import PassingFile, write_all
from hallmarked.hub.error import FULL, StorageFull
from hallmarked.hub.hub import Hub

FOLDER = "xet"
"""Of the bodies, in the data folder."""
_BATCH = 256 << 10
"""Bytes written at once: as many wait in memory for each xorb that arrives."""
_PIECES = 512
"""Chunks written at once: half of what Linux takes."""
_KEPT = 4 << 20
"""Bytes of a body that stay in memory until a file is made of it; large bodies are many, and wait longer."""
_LEFT_OVER = 86_400.0
"""Seconds after which a body that is still arriving is not arriving any more."""


@dataclass(frozen=True, slots=True)
class Received:
    """A xorb whose hash is that of its chunks."""

    name: str
    """Its hash, as clients write it."""
    chunks: bytes
    """See ``hub.schema.xet``."""
    size: int
    """Bytes, unpacked."""


class Bodies:
    """The bodies of xorbs in a folder. Several processes may share it.

    Args:
        folder: Created when something is put into it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def receive(self, name: str) -> Iterator[Incoming]:
        """Begin a xorb; leaving the context without ``finish`` forgets it.

        Raises:
            InputError: When the name is not a hash.
            BackendError: When the disk fails.
        """
        with _refused():
            from_text(name)
        with _told():
            place = self._folder / "incoming"
            place.mkdir(parents=True, exist_ok=True)
            descriptor, path = tempfile.mkstemp(dir=place)
        part = Path(path)
        try:
            yield Incoming(name, descriptor, part, self._path(name))
        finally:
            os.close(descriptor)
            with _told():
                part.unlink(missing_ok=True)

    def open(self, name: str, size: int) -> BinaryIO | None:
        """Open a body; None when it is not there as it should be.

        Raises:
            BackendError: When the disk fails.
        """
        with _told(), contextlib.suppress(FileNotFoundError):
            file = cast("BinaryIO", PassingFile(self._path(name)))
            if os.fstat(file.fileno()).st_size == size:
                return file
            file.close()
        return None

    def has(self, name: str) -> bool:
        """Say whether there is a body."""
        return self._path(name).is_file()

    def delete(self, name: str) -> None:
        """Delete a body; absent is fine.

        Raises:
            BackendError: When the disk fails.
        """
        with _told():
            self._path(name).unlink(missing_ok=True)

    def list(self) -> Iterator[tuple[str, float]]:
        """Yield name and time of arrival (seconds since the epoch) of every body.

        Raises:
            BackendError: When the disk fails.
        """
        with _told():
            for path in self._folder.glob("[0-9a-f][0-9a-f]/*"):
                with contextlib.suppress(FileNotFoundError):
                    yield path.name, path.stat().st_mtime

    def remove_leftovers(self) -> None:
        """Delete what began to arrive long ago.

        Raises:
            BackendError: When the disk fails.
        """
        with _told():
            for path in self._folder.glob("incoming/*"):
                with contextlib.suppress(FileNotFoundError):
                    if path.stat().st_mtime < time.time() - _LEFT_OVER:
                        path.unlink()

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name


def bodies_of(hub: Hub) -> Bodies:
    """Return where the bodies of a hub's xorbs lie."""
    return Bodies(hub.settings.data / FOLDER)


class Incoming:
    """A xorb that is arriving: unpacked, hashed and written piece by piece."""

    def __init__(self, name: str, descriptor: int, part: Path, path: Path) -> None:
        self._name, self._descriptor, self._part, self._path = name, descriptor, part, path
        self._decoder, self._tree = XorbDecoder(), Aggregate()
        self._chunks = bytearray()
        self._unwritten: list[bytes | memoryview] = []
        self._size = self._written = 0

    def write(self, data: bytes | memoryview) -> None:
        """Add bytes as the client sent them; they must not change afterwards.

        Raises:
            InputError: When this is not a xorb.
            BackendError: When the disk is full or fails.
        """
        with _refused():
            for chunk in self._decoder.feed(data):
                hash_, length = hash_chunk(chunk), len(chunk)
                self._tree.add(hash_, length)
                self._chunks += hash_ + length.to_bytes(4, "little")
                self._size += length
                self._unwritten.append(chunk)
                if self._size - self._written >= _BATCH or len(self._unwritten) == _PIECES:
                    self._flush()

    def finish(self) -> Received:
        """Put the body where it can be read.

        Raises:
            InputError: When this is not a xorb, or another one than was announced.
            BackendError: When the disk fails.
        """
        self._flush()
        with _refused():
            self._decoder.finish()
        if to_text(self._tree.xorb_hash()) != self._name:
            raise InputError("the chunks of this xorb have another hash than its address says")
        with _told():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._part.rename(self._path)
        return Received(self._name, bytes(self._chunks), self._size)

    def _flush(self) -> None:
        with _told():
            write_all(self._descriptor, self._unwritten, self._written, keep=self._written < _KEPT)
        self._written = self._size
        self._unwritten.clear()


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except FormatError as error:
        raise InputError(f"this is not a xorb as clients send it: {error}") from error


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull from error
        raise BackendError("the hub cannot keep what was sent; tell whoever runs it") from error
