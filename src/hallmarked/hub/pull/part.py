"""Files of another hub on their way here: fetched in parts that survive a crash, and compared with what was listed."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hallmarked.artifacts.remote.address import Address
from hallmarked.artifacts.remote.answer import TryAgain
from hallmarked.artifacts.remote.client import HubClient
from hallmarked.artifacts.remote.listing import Listing, RemoteFile
from hallmarked.core.errors import BackendError, InputError
from hallmarked.hub.path import check_path

CHUNK = 1 << 20

Progress = Callable[[str, int, int], None]
"""Told the path of a file, how much of it is here and its size."""


@dataclass(slots=True)
class Fetcher:
    """Fetches the files of one revision.

    Args:
        client: Reads from the other hub.
        source: The repository there, with the commit as revision.
        folder: Where parts of files lie.
        progress: Told as bytes arrive.
    """

    client: HubClient
    source: Address
    folder: Path
    progress: Progress
    fetched: int = 0
    """Bytes that had to be fetched."""

    def read(self, file: RemoteFile) -> bytes:
        """Return a small file.

        Raises:
            InputError: When it is not what was listed.
            NotFound, Forbidden, BackendError: When it cannot be had.
        """
        data = self.client.read(self.source, file.path, 0, file.size)
        if not _is_listed(file, io.BytesIO(data)):
            raise _other_bytes(file)
        self.fetched += file.size
        self.progress(file.path, file.size, file.size)
        return data

    @contextmanager
    def complete(self, file: RemoteFile) -> Iterator[io.BufferedRandom]:
        """Give a file as a stream at its start, whole and verified; forget it when all went well.

        Raises:
            InputError: When it is not what was listed; then it is forgotten.
            NotFound, Forbidden: When it cannot be had.
            BackendError: When it broke off; what arrived is kept for the next time.
        """
        with _part(self.folder, file.sha256 or f"git-{file.oid}") as (path, stream):
            self._download(file, stream)
            stream.seek(0)
            if not _is_listed(file, stream):
                path.unlink()
                raise _other_bytes(file)
            stream.seek(0)
            yield stream
            path.unlink()

    def _download(self, file: RemoteFile, stream: io.BufferedRandom) -> None:
        """Fetch the rest of a file, going on from where it breaks as long as there is progress."""
        at = stream.seek(0, os.SEEK_END)
        if at > file.size:
            at = stream.truncate(0)
            stream.seek(0)
        patience, failures = self.client.patience, 0
        while at < file.size:
            before = at
            try:
                with self.client.stream(self.source, file.path, at, file.size - at) as chunks:
                    for chunk in chunks:
                        _write(stream, chunk)
                        at += len(chunk)
                        self.fetched += len(chunk)
                        self.progress(file.path, at, file.size)
            except TryAgain as error:
                failures = 0 if at > before else failures + 1
                if failures >= patience.attempts:
                    raise
                patience.sleep(max(error.after, patience.first_delay * 2**failures))


def require_names(listing: Listing, address: Address) -> None:
    """Refuse a revision that cannot be kept whole: leaving files out would make another one of it.

    Raises:
        InputError: When it is one.
    """
    if not listing.files:
        raise InputError(f"{address} holds no files: nothing to import")
    if listing.omitted:
        first = listing.omitted[0]
        raise InputError(f"{address} holds names that cannot be kept, such as {first.path[:80]!r}: {first.reason}")
    for file in listing.files:
        check_path(file.path)


@contextmanager
def _part(folder: Path, name: str) -> Iterator[tuple[Path, io.BufferedRandom]]:
    """Open the part of a file that was fetched so far, for this process alone."""
    path = folder / f"{name}.part"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stream = path.open("a+b")
    except OSError as error:
        raise BackendError(f"{path} cannot be written: {error.strerror}") from error
    with stream:
        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError("another pull is fetching the same file; wait for it") from error
        yield path, stream


def _write(stream: io.BufferedRandom, chunk: bytes) -> None:
    try:
        stream.write(chunk)
        stream.flush()
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise BackendError("the disk is full" if full else "the disk cannot be written") from error


def _is_listed(file: RemoteFile, stream: io.BufferedRandom | io.BytesIO) -> bool:
    """Compare bytes with what was listed: SHA-256 of a large file, git's id of another."""
    digest = hashlib.sha256() if file.sha256 else hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest() == (file.sha256 or file.oid)


def _other_bytes(file: RemoteFile) -> InputError:
    return InputError(f"{file.path} holds other bytes than the other hub's own list says; nothing was imported")
