"""A revision that a hub keeps: large files lie where the hub stores them, small ones together in one file.

Nothing is copied and nothing hashed again: the hub verified every digest when the bytes arrived, and addresses them by
it. What the checks' processes need to find the bytes is a manifest, a file of JSON lines.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from hallmarked.artifacts.local import OPEN_FLAGS
from hallmarked.artifacts.remote.served import AT_ONCE, Ask, ranges
from hallmarked.core.artifact import Artifact, File, Omission
from hallmarked.core.digest import dir_hash
from hallmarked.core.errors import BackendError, InputError, NotFound
from hallmarked.core.evidence import Subject

MANIFEST, PACK = "manifest", "small"
BUFFER = 256 << 10
"""Bytes that are asked for at once when less is read: each question may be a request to another machine."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a revision, and where its bytes lie on this machine."""

    path: str
    size: int
    sha256: str
    place: str
    """The file that holds the bytes; empty when they are on no disk here and are asked for."""
    offset: int = -1
    """Where in it they begin, when it holds others too; -1 when it is the file itself."""


Reach = Callable[[int, StoredFile, int, int], bytes]
"""Returns a range of a file, given its number, the file, start and size."""


class StoredArtifact:
    """One revision of a hub.

    Args:
        name: ``owner/name``.
        commit: Git's id of the commit.
        files: All files.
        manifest: Where :meth:`describe` wrote them down.
        reach: Gives ranges of files that are on no disk here. The hub verified them when they arrived; what comes is
            not hashed again.
    """

    container: File | None = None
    base: Artifact | None = None
    beside: Mapping[str, Artifact] = MappingProxyType({})
    omitted: Sequence[Omission] = ()
    excluded: Sequence[str] = ()
    origin = ""

    def __init__(
        self, name: str, commit: str, files: Iterable[StoredFile], manifest: Path, reach: Reach | None = None
    ) -> None:
        self.name, self.commit = name, commit
        self._files = {file.path: file for file in sorted(files, key=lambda file: file.path.encode())}
        self._manifest, self._reach = manifest, reach
        self._ordered = list(self._files.values())
        self._numbers = {path: number for number, path in enumerate(self._files)}
        self._problem: BackendError | None = None
        self._lock = threading.Lock()

    @property
    def files(self) -> Sequence[File]:
        """All files, sorted by path, bytewise."""
        return [File(file.path, file.size) for file in self._files.values()]

    @property
    def subject(self) -> Subject:
        """``dirHash`` of the files, which anybody who has them can compute, and the commit."""
        return Subject(self.name, {"dirHash": dir_hash(self.digests()), "gitCommit": self.commit})

    def digests(self) -> Mapping[str, str]:
        """SHA-256 of every file, as it was verified when the bytes arrived."""
        return {path: file.sha256 for path, file in self._files.items()}

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading.

        Raises:
            NotFound: When no file has that path.
            BackendError: When its bytes are not where they should be.
        """
        file = self._files.get(path)
        if file is None:
            raise NotFound(f"no file {path} in {self.name}")
        if not file.place:
            return ranges(self._give, self._numbers[path], file.size, BUFFER)
        try:
            descriptor = os.open(file.place, OPEN_FLAGS)
        except OSError as error:
            raise BackendError(f"the bytes of {path} cannot be read: {(error.strerror or '').lower()}") from error
        stream = os.fdopen(descriptor, "rb")
        if file.offset < 0:
            info = os.fstat(descriptor)
            if stat.S_ISREG(info.st_mode) and info.st_size == file.size:
                return stream
            stream.close()
            raise BackendError(f"the bytes of {path} are not those the hub stored")
        with stream:
            stream.seek(file.offset)
            data = stream.read(file.size)
        if len(data) != file.size:
            raise BackendError(f"the bytes of {path} are not those the hub stored")
        return io.BytesIO(data)

    @property
    def serve(self) -> Ask | None:
        """How a check's process is given ranges of files that are on no disk here; None when all are."""
        return None if all(file.place for file in self._files.values()) else self._give

    def _give(self, number: int, start: int, size: int) -> bytes:
        asked = (number, start, size)
        if any(type(one) is not int or one < 0 for one in asked) or size > AT_ONCE or number >= len(self._ordered):
            raise InputError("the check asked for something that is no range of a file")
        file = self._ordered[number]
        if file.place or self._reach is None:
            raise InputError("the check asked for a file that it opens itself")
        try:
            with self._lock:  # one question at a time
                return self._reach(number, file, start, size)
        except BackendError as error:
            self._problem = error  # the whole audit fails, whatever the check makes of it
            raise

    def prepare(self) -> None:
        """Do nothing: every digest is known."""

    def describe(self) -> dict[str, Any]:
        """Write the manifest, and describe it as JSON for :func:`read_stored`.

        Raises:
            BackendError: When it cannot be written.
        """
        digest = hashlib.sha256()
        try:
            with self._manifest.open("wb") as out:
                for file in self._files.values():
                    line = json.dumps([file.path, file.size, file.sha256, file.place, file.offset]).encode() + b"\n"
                    digest.update(line)
                    out.write(line)
        except OSError as error:
            raise BackendError(f"{self._manifest} cannot be written: {(error.strerror or '').lower()}") from error
        return {
            "stored": str(self._manifest.absolute()),
            "sha256": digest.hexdigest(),
            "name": self.name,
            "commit": self.commit,
        }

    def coverage(self) -> dict[str, Any]:
        """Say in the evidence which files were seen: all of them, whole."""
        return {"files": dict(self.digests()), "excluded": []}

    def confirm_unchanged(self) -> None:
        """Make sure that the bytes are still where the checks looked for them.

        Raises:
            BackendError: When a file is not, for example because somebody removed it from the hub's storage.
        """
        if self._problem is not None:
            raise self._problem
        for file in self._files.values():
            if not file.place:
                continue
            try:
                size = os.stat(file.place).st_size
            except OSError as error:
                raise BackendError(f"the bytes of {file.path} went away while they were checked") from error
            if file.offset < 0 and size != file.size:
                raise BackendError(f"the bytes of {file.path} changed while they were checked")


def read_stored(description: Mapping[str, Any], ask: Ask | None = None) -> StoredArtifact:
    """Open what :meth:`StoredArtifact.describe` described.

    Args:
        description: What was described.
        ask: How bytes are had that are on no disk here.

    Raises:
        InputError: When the manifest is not the one that was written.
    """
    path = Path(description["stored"])
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read") from error
    if hashlib.sha256(data).hexdigest() != description["sha256"]:
        raise InputError(f"{path} changed while it was read")
    files = [StoredFile(*json.loads(line)) for line in data.splitlines()]

    def reach(number: int, file: StoredFile, start: int, size: int) -> bytes:
        if ask is None:
            raise BackendError(f"nobody gives the bytes of {file.path}")
        return ask(number, start, size)

    return StoredArtifact(description["name"], description["commit"], files, path, reach)


def pack(files: Iterable[tuple[str, bytes, str]], target: Path) -> list[StoredFile]:
    """Write small files into one, and say where each lies.

    Args:
        files: Path, bytes and SHA-256 of each.
        target: The file to write.

    Raises:
        BackendError: When it cannot be written.
    """
    packed = []
    try:
        with target.open("wb") as out:
            for path, data, sha256 in files:
                packed.append(StoredFile(path, len(data), sha256, str(target.absolute()), out.tell()))
                out.write(data)
    except OSError as error:
        raise BackendError(f"{target} cannot be written: {(error.strerror or '').lower()}") from error
    return packed
