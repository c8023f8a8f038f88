"""Put finished files into a folder, all or none, so that nobody ever sees half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType

from hallmarked.core.errors import BackendError, InputError


class Staging:
    """Files that get their names only when ``commit`` is called; without it nothing is left behind.

    Raises:
        BackendError: When a file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._parts: dict[str, Path] = {}

    def __enter__(self) -> Staging:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self.folder} cannot be used as a folder: {error.strerror}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._parts):
            self.discard(name)
        if isinstance(error, OSError):
            raise BackendError(f"{self.folder}: {error.strerror or error}") from error

    def refuse_existing(self, name: str) -> None:
        """Make sure that nothing would be overwritten.

        Raises:
            InputError: When a file of that name is there or planned.
        """
        if name in self._parts:
            raise InputError(f"two files would be written as {name}")
        if os.path.lexists(self.folder / name):
            raise InputError(f"{self.folder / name} is there already; nothing is overwritten")

    def create(self, name: str) -> int:
        """Open a new file for writing; the caller closes the descriptor."""
        self.refuse_existing(name)
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(prefix=f".{target.name[:80]}.", suffix=".part", dir=target.parent)
        self._parts[name] = Path(part)
        os.fchmod(descriptor, 0o644)
        return descriptor

    def path(self, name: str) -> Path:
        """Return where a file lies for now."""
        return self._parts[name]

    def discard(self, name: str) -> None:
        """Give up a file."""
        self._parts.pop(name).unlink(missing_ok=True)

    def commit(self) -> None:
        """Give every file its name; each has to be on the disk already (``os.fsync``)."""
        done: list[Path] = []
        try:
            for name, part in self._parts.items():
                os.replace(part, self.folder / name)
                done.append(self.folder / name)
            for folder in {path.parent for path in done}:
                descriptor = os.open(folder, os.O_RDONLY)
                os.fsync(descriptor)
                os.close(descriptor)
        except OSError:
            for path in done:
                path.unlink(missing_ok=True)
            raise
        self._parts.clear()
