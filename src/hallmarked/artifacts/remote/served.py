"""An artifact inside of a check's process, which has no network: every byte is asked of the process that started it."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, BinaryIO

from hallmarked.core.artifact import Artifact, File, Omission
from hallmarked.core.errors import BackendError, NotFound
from hallmarked.core.evidence import Subject

AT_ONCE = 4 << 20
BUFFER = 4 << 10

Ask = Callable[[int, int, int], bytes]
"""Returns a range of a file, given its number, start and size."""


class ServedArtifact:
    """A revision whose bytes somebody else holds.

    Args:
        description: What ``RemoteArtifact.describe`` said.
        ask: How bytes are had.
    """

    excluded: Sequence[str] = ()
    container: File | None = None
    base: Artifact | None = None
    beside: Mapping[str, Artifact] = MappingProxyType({})

    def __init__(self, description: Mapping[str, Any], ask: Ask) -> None:
        self.name: str = description["name"]
        self.files = [File(path, size) for path, size in description["files"]]
        self.omitted = [Omission(path, reason) for path, reason in description["omitted"]]
        self.subject = Subject(self.name, description["digest"])
        self._ask, self._lock = ask, threading.Lock()
        self._numbers = {file.path: number for number, file in enumerate(self.files)}

    def digests(self) -> Mapping[str, str]:
        """Refuse: nobody has seen all bytes.

        Raises:
            BackendError: Always.
        """
        raise BackendError("the digests of files that were not downloaded are not known")

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading.

        Raises:
            NotFound: When no file has that path.
        """
        if path not in self._numbers:
            raise NotFound(f"no file {path} in {self.name}")
        number = self._numbers[path]
        return ranges(self._take, number, self.files[number].size, BUFFER)

    def _take(self, number: int, start: int, size: int) -> bytes:
        with self._lock:  # one question at a time
            return self._ask(number, start, size)


def ranges(ask: Ask, number: int, size: int, buffer: int) -> BinaryIO:
    """Open a file that is read by asking.

    Args:
        ask: How bytes are had.
        number: Of the file.
        size: Of the file, bytes.
        buffer: Bytes that are asked for at once when less is read.
    """
    return io.BufferedReader(_Ranges(ask, number, size), buffer)


class _Ranges(io.RawIOBase):
    """A file read by asking."""

    def __init__(self, ask: Ask, number: int, size: int) -> None:
        self._ask, self._number, self._size, self._at = ask, number, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(22, "position before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = min(len(buffer), max(0, self._size - self._at), AT_ONCE)
        if not count:
            return 0
        data = self._ask(self._number, self._at, count)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
