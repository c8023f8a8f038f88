"""Blobs as files of this machine: ``<folder>/ab/cd/<sha256>``.

A blob appears under its name by one rename, after its bytes and before its folder have been flushed to the disk; so a
name is either absent or holds exactly the bytes it promises, also after a power cut. What is being received lies in
``<folder>/incoming`` under a lock that ends with the process that holds it: a file there without a lock is left over
from a crash and is removed the next time a store is opened on the folder.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from hallmarked.core.errors import BackendError, NotFound
from hallmarked.hub.blob.digest import is_sha256, require_sha256
from hallmarked.hub.blob.passing import write_all
from hallmarked.hub.blob.store import Claim, Stored
from hallmarked.hub.error import FULL, StorageFull

_LARGE = 256 << 10
"""Bytes from which it pays to hash and write at once, in two threads."""
_KEPT = 64 << 20
"""Bytes of a file that stay in memory once they are written: readers want its beginning first."""
_YOUNG = 60.0
"""Seconds during which a file without a lock may be one whose writer is just about to lock it."""


class LocalBlobs:
    """A :class:`hallmarked.hub.blob.store.BlobStore` in a folder.

    Several processes may share the folder.

    Args:
        folder: Created when absent.

    Raises:
        BackendError: When the folder cannot be created or read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._incoming = folder / "incoming"
        with _told():
            self._incoming.mkdir(parents=True, exist_ok=True)
            self._remove_leftovers()

    @contextmanager
    def receive(self, sha256: str | None = None, size: int | None = None) -> Iterator[LocalIncoming]:
        """Begin a blob; leaving the context without ``finish`` removes what was written."""
        with _told():
            if size is not None and size > shutil.disk_usage(self.folder).free:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        path = self._incoming / f"{secrets.token_hex(16)}.part"
        with _told():
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644)
        try:
            with _told():
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            with ThreadPoolExecutor(1, "blob") as writer:
                yield LocalIncoming(self, path, descriptor, Claim(sha256, size), writer)
        finally:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            os.close(descriptor)

    def size(self, sha256: str) -> int | None:
        """Return the size of a blob in bytes; None when the store does not have it."""
        with _told(), contextlib.suppress(FileNotFoundError):
            return self._path(sha256).stat().st_size
        return None

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading; seekable."""
        with _told():
            try:
                return self._path(sha256).open("rb")
            except FileNotFoundError:
                raise NotFound("the hub does not have the bytes of this file") from None

    def path(self, sha256: str) -> Path | None:
        """Return the file that holds the blob; None when the store does not have it."""
        path = self._path(sha256)
        return path if path.is_file() else None

    def url(self, sha256: str, *, expires: timedelta, filename: str) -> str | None:
        """Return None: a folder has no address of its own."""
        return None

    def delete(self, sha256: str) -> None:
        """Delete a blob; absent is fine."""
        with _told():
            self._path(sha256).unlink(missing_ok=True)

    def list(self) -> Iterator[tuple[str, int, float]]:
        """Yield digest, size and time of arrival (seconds since the epoch) of every blob, in no order."""
        for first in _entries(self.folder):
            if len(first.name) == 2 and first.is_dir(follow_symlinks=False):
                for second in _entries(first):
                    yield from _blobs(second)

    def _path(self, sha256: str) -> Path:
        require_sha256(sha256)
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    def keep(self, part: Path, descriptor: int, sha256: str, size: int) -> None:
        """Put a complete file in its place and make that durable; only :class:`LocalIncoming` calls this.

        Raises:
            BackendError: When the disk is full or fails.
        """
        path = self._path(sha256)
        with _told():
            if self.size(sha256) == size:
                os.utime(path)  # it has just arrived again: its age counts from now
            else:
                os.fsync(descriptor)
                path.parent.mkdir(parents=True, exist_ok=True)
                part.rename(path)
            # Each name on the way must survive a power cut too, also when another process has just made it.
            for folder in (path.parent, path.parent.parent, self.folder):
                _flush_folder(folder)

    def _remove_leftovers(self) -> None:
        for entry in _entries(self._incoming):
            with contextlib.suppress(FileNotFoundError, BlockingIOError):
                descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.fstat(descriptor).st_mtime < time.time() - _YOUNG:
                        Path(entry.path).unlink()
                finally:
                    os.close(descriptor)


class LocalIncoming:
    """A file being received; see :class:`hallmarked.hub.blob.store.Incoming`."""

    def __init__(self, store: LocalBlobs, path: Path, descriptor: int, claim: Claim, writer: Executor) -> None:
        self._store, self._path, self._descriptor = store, path, descriptor
        self._claim, self._writer = claim, writer
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes; large pieces are hashed while they are written.

        Raises:
            BackendError: When the disk is full or fails.
        """
        view = memoryview(data).cast("B")
        at = self._size
        self._size += len(view)
        if len(view) < _LARGE:
            self._hash.update(view)
            self._put(view, at)
        else:
            writing = self._writer.submit(self._put, view, at)
            self._hash.update(view)
            writing.result()

    def _put(self, view: memoryview, at: int) -> None:
        with _told():
            write_all(self._descriptor, [view], at, keep=at < _KEPT)

    def finish(self, sha256: str | None = None, size: int | None = None) -> Stored:
        """Make the blob durable under its digest.

        Raises:
            InputError: When the sender said another digest or size than what arrived; then nothing is kept.
            BackendError: When the disk is full or fails.
        """
        stored = Stored(self._hash.hexdigest(), self._size)
        self._claim.check(stored)
        Claim(sha256, size).check(stored)
        self._store.keep(self._path, self._descriptor, stored.sha256, stored.size)
        return stored


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the operating system says into one sentence for people."""
    try:
        yield
    except OSError as problem:
        if problem.errno in FULL:
            raise StorageFull from problem
        raise BackendError("the hub's storage could not be read or written") from problem


def _entries(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    with _told(), contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        return list(entries)
    return []  # removed while we looked


def _blobs(folder: os.DirEntry[str]) -> Iterator[tuple[str, int, float]]:
    if folder.is_dir(follow_symlinks=False):
        for entry in _entries(folder):
            with contextlib.suppress(FileNotFoundError):
                if is_sha256(entry.name) and entry.is_file(follow_symlinks=False):
                    found = entry.stat(follow_symlinks=False)
                    yield entry.name, found.st_size, found.st_mtime


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
