"""Lay a revision out for the checks: large files stay where they are, small ones go into one file."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from hallmarked.artifacts.stored import MANIFEST, PACK, StoredArtifact, StoredFile, pack
from hallmarked.core.errors import BackendError, NotFound
from hallmarked.hub.blob.store import BlobStore
from hallmarked.hub.database import Database
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Entry, Revision, list_files, read_text

CHUNK = 1 << 20
YOUNG = 60.0
"""Seconds."""


@contextmanager
def stage(
    database: Database,
    blobs: BlobStore,
    repo: Repository,
    at: Revision,
    scratch: Path,
    settled: Collection[str] = (),
) -> Iterator[StoredArtifact]:
    """Make a revision readable for checks until the context is left.

    Args:
        database: Has the small files.
        blobs: Have the large ones; what lies on another machine is fetched first, but for those that are settled.
        repo: The repository.
        at: The revision.
        scratch: Where temporary files may be.
        settled: Files of which at most a little is read: when they lie on another machine, that is asked for there.

    Raises:
        BackendError: When a file is missing from the hub's storage, or nothing can be written.
    """
    try:
        scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = Path(tempfile.mkdtemp(prefix="audit-", dir=scratch))
    except OSError as error:
        raise BackendError(f"nothing can be written to {scratch}: {error.strerror}") from error
    lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with database.read() as db:
            entries = list_files(db, at)
            small = pack(
                ((entry.path, read_text(db, entry), entry.sha256) for entry in entries if not entry.large),
                folder / PACK,
            )
        large = _place(blobs, [entry for entry in entries if entry.large], folder, settled)
        yield StoredArtifact(repo.name, at.oid, [*small, *large], folder / MANIFEST, partial(_reach, blobs))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def clear(scratch: Path) -> None:
    """Remove what audits left behind that were killed: nobody holds the lock of their folder any more."""
    for folder in scratch.glob("audit-*"):
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            if folder.stat().st_mtime > time.time() - YOUNG:
                continue  # it may have just been made, and not be locked yet
            lock = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _place(blobs: BlobStore, entries: Sequence[Entry], folder: Path, settled: Collection[str]) -> list[StoredFile]:
    placed: dict[str, str] = {}
    wanted = {entry.sha256 for entry in entries if entry.path not in settled}
    for entry in entries:
        if entry.sha256 not in placed:
            place = blobs.path(entry.sha256)
            if place is None and entry.sha256 not in wanted:
                _confirm(blobs, entry)
            elif place is None:
                place = _fetch(blobs, entry, folder)
            placed[entry.sha256] = str(place.absolute()) if place is not None else ""
    return [StoredFile(e.path, e.size, e.sha256, placed[e.sha256]) for e in entries]


def _confirm(blobs: BlobStore, entry: Entry) -> None:
    """Make sure that the storage has a file that is not fetched."""
    if blobs.size(entry.sha256) != entry.size:
        raise BackendError(f"the hub's storage does not have the bytes of {entry.path}")


def _reach(blobs: BlobStore, _number: int, file: StoredFile, start: int, size: int) -> bytes:
    """Read a range of a file that was not fetched."""
    try:
        with blobs.open(file.sha256) as source:
            source.seek(start)
            return source.read(size)
    except (NotFound, OSError) as error:
        raise BackendError(f"{file.path} cannot be read for its audit: {error}") from error


def _fetch(blobs: BlobStore, entry: Entry, folder: Path) -> Path:
    """Copy a file from another machine, and make sure that it is the one the hub stored there."""
    target, digest = folder / entry.sha256, hashlib.sha256()
    try:
        with blobs.open(entry.sha256) as source, target.open("wb") as out:
            while data := source.read(CHUNK):
                digest.update(data)
                out.write(data)
    except OSError as error:
        raise BackendError(f"{entry.path} cannot be fetched for its audit: {error.strerror}") from error
    if digest.hexdigest() != entry.sha256:
        raise BackendError(f"the storage gave other bytes for {entry.path} than the hub put there")
    return target
