"""Folders and single files on this machine.

What counts as part of a revision is decided here, once: regular files with names that every client can hold. Anything
else is listed as omitted with its reason, never skipped quietly.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple, cast

from hallmarked.core.artifact import Artifact, File, Omission
from hallmarked.core.digest import dir_hash
from hallmarked.core.errors import BackendError, InputError, NotFound
from hallmarked.core.evidence import Subject

EXCLUDED = (".git", ".cache/huggingface")
"""Folders that clients keep beside the files of a revision, relative to its root."""

OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class _State(NamedTuple):
    """What changes when somebody writes to a file."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, info: os.stat_result) -> _State:
        return cls(info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)


class _Listing(NamedTuple):
    """What lies below a root at one moment."""

    states: dict[str, _State]
    omitted: list[Omission]
    excluded: list[str]


class LocalArtifact:
    """A folder, or one file, on this machine.

    Args:
        path: The folder or file.
        base: The artifact this one says it was made from.

    Raises:
        InputError: When the path is missing, a whole file system, or neither a folder nor a regular file.
    """

    container: File | None = None
    beside: Mapping[str, Artifact] = MappingProxyType({})

    def __init__(self, path: Path, *, base: Artifact | None = None) -> None:
        self.path, self.base = path, base
        try:
            info = path.stat()
        except OSError as error:
            raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
        self._root: Path | None = None
        if stat.S_ISDIR(info.st_mode):
            self._root = path.resolve()
        elif not stat.S_ISREG(info.st_mode):
            raise InputError(f"{path} is neither a folder nor a regular file")
        self.name = path.resolve().name
        if not self.name:
            raise InputError(f"{path} is a whole file system; name the folder or file that is meant")
        self._listing = self._list(info)
        self._digests: dict[str, str] | None = None

    @property
    def is_file(self) -> bool:
        """True for a single file."""
        return self._root is None

    @property
    def files(self) -> Sequence[File]:
        """All files, sorted by path, bytewise."""
        return [File(path, state.size) for path, state in self._listing.states.items()]

    @property
    def omitted(self) -> Sequence[Omission]:
        """Entries that are there but cannot be part of the revision."""
        return self._listing.omitted

    @property
    def excluded(self) -> Sequence[str]:
        """Folders left out by rule."""
        return self._listing.excluded

    @property
    def subject(self) -> Subject:
        """``dirHash`` of a folder, ``sha256`` of a single file."""
        digests = self.digests()
        if self._root is None:
            return Subject(self.name, {"sha256": digests[self.name]})
        return Subject(self.name, {"dirHash": dir_hash(digests)})

    def open(self, path: str) -> BinaryIO:
        """Open a file of the artifact for reading.

        Raises:
            NotFound: When no file has that path.
            BackendError: When it cannot be read, or is no longer the file that was listed.
        """
        state = self._listing.states.get(path)
        if state is None:
            raise NotFound(f"no file {path} in {self.name}")
        where = self.path if self._root is None else self._root / path
        try:
            # NOTE: O_NONBLOCK, so that a FIFO put in the place of a file cannot hang the reader.
            descriptor = os.open(where, OPEN_FLAGS)
        except OSError as error:
            raise BackendError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode) or (info.st_dev, info.st_ino) != (state.device, state.inode):
            os.close(descriptor)
            raise BackendError(f"{path} changed while it was read")
        return os.fdopen(descriptor, "rb")

    def digests(self) -> Mapping[str, str]:
        """SHA-256 of every file, computed once."""
        if self._digests is None:
            paths = list(self._listing.states)
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                self._digests = dict(zip(paths, pool.map(self._sha256, paths), strict=True))
        return self._digests

    @property
    def fingerprint(self) -> str:
        """Tells one state of these files on this machine from another; two processes that see it see the same files.

        Folders may be exchanged and put back without a trace on the files, so that every process has to compare.
        """
        digest = hashlib.sha256()
        for path, state in self._listing.states.items():
            digest.update(f"{path}\n{tuple(state)}\n".encode())
        return digest.hexdigest()

    @property
    def origin(self) -> str:
        """Nothing worth telling: it lies here."""
        return ""

    serve: Callable[[int, int, int], bytes] | None = None
    """Processes open these files themselves."""

    def prepare(self) -> None:
        """Hash every file.

        Raises:
            BackendError: When one cannot be read.
        """
        self.digests()

    def describe(self) -> dict[str, Any]:
        """Describe it as JSON so that another process can open the same; see ``source.from_description``."""
        return {
            "path": str(self.path.absolute()),
            "fingerprint": self.fingerprint,
            "base": self.base.describe() if isinstance(self.base, LocalArtifact) else None,
        }

    def coverage(self) -> dict[str, Any]:
        """Say in the evidence which files were seen: all of them, whole."""
        return {"files": dict(self.digests()), "excluded": list(self.excluded)}

    def confirm_unchanged(self) -> None:
        """Make sure that nothing was written since the files were listed.

        Raises:
            InputError: When something was; nothing that was read may then be reported.
        """
        try:
            now = self._list(self.path.stat())
        except OSError as error:
            raise InputError(f"{self.path} went away while it was read") from error
        for path, state in self._listing.states.items():
            if now.states.get(path) != state:
                raise InputError(f"{path} changed while it was read; nothing was reported, run the audit again")
        if now != self._listing:
            raise InputError(f"files were added to {self.name} while it was read; run the audit again")

    def _sha256(self, path: str) -> str:
        try:
            with self.open(path) as stream:
                return hashlib.file_digest(cast("io.BufferedReader", stream), "sha256").hexdigest()
        except OSError as error:
            raise BackendError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error

    def _list(self, info: os.stat_result) -> _Listing:
        if self._root is None:
            _refuse_name(self.name)
            return _Listing({self.name: _State.of(info)}, [], [])
        listing = _Listing({}, [], [])
        roots = [self._root, *_client_cache(self._root)]
        for entry, path in _walk(self._root, listing):
            reason = _name_problem(path)
            if reason is None:
                state = _state(entry, roots)
                if isinstance(state, _State):
                    listing.states[path] = state
                    continue
                reason = state
            listing.omitted.append(Omission(os.fsencode(path).decode("utf-8", "backslashreplace"), reason))
        ordered = dict(sorted(listing.states.items(), key=lambda item: item[0].encode()))
        return _Listing(ordered, sorted(listing.omitted, key=lambda o: o.path), sorted(listing.excluded))


def _walk(root: Path, listing: _Listing) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield everything below ``root`` that is not a folder, with its relative path. Links are not entered."""
    pending = [("", root)]
    while pending:
        prefix, folder = pending.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            raise InputError(f"{prefix or folder}: {(error.strerror or 'cannot be read').lower()}") from error
        for entry in entries:
            path = f"{prefix}/{entry.name}" if prefix else entry.name
            if not entry.is_dir(follow_symlinks=False):
                yield entry, path
            elif path in EXCLUDED:
                listing.excluded.append(path)
            else:
                pending.append((path, Path(entry.path)))


def _state(entry: os.DirEntry[str], roots: Sequence[Path]) -> _State | str:
    """Return the state of a regular file, or the reason why the entry is not one."""
    try:
        if entry.is_symlink():
            target = Path(entry.path).resolve(strict=True)
            if not any(target.is_relative_to(root) for root in roots):
                return "link that leaves the folder"
            if target.is_dir():
                return "link to a folder"
        info = entry.stat()
    except (OSError, RuntimeError):
        return "link that leads nowhere or in a circle" if entry.is_symlink() else "cannot be read"
    if not stat.S_ISREG(info.st_mode):
        return "not a regular file (socket, pipe or device)"
    return _State.of(info)


def _client_cache(root: Path) -> list[Path]:
    """Return the ``blobs`` folder a client's cache links into, if this is a folder ``snapshots/<revision>`` of one."""
    blobs = root.parent.parent / "blobs"
    return [blobs.resolve()] if root.parent.name == "snapshots" and blobs.is_dir() else []


def _name_problem(path: str) -> str | None:
    """Say why a name cannot be part of a revision."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return "name is not UTF-8"
    if "\n" in path or "\\" in path:
        return "name holds a line break or a backslash"
    return None


def _refuse_name(name: str) -> None:
    problem = _name_problem(name)
    if problem:
        shown = os.fsencode(name).decode("utf-8", "backslashreplace")
        raise InputError(f"{shown}: {problem}")
