"""Fakes shared by tests: an artifact from a dict, and where the development data lies."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import pytest

from hallmarked.core.artifact import Artifact, File, Omission
from hallmarked.core.errors import NotFound
from hallmarked.core.evidence import Subject

DATA = Path(os.environ.get("HALLMARKED_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
"""Development data kept outside of the project."""

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"development data not found at {DATA}")


class MemoryArtifact:
    """An artifact from a dict of path to content."""

    def __init__(
        self,
        contents: Mapping[str, bytes | str],
        *,
        name: str = "memory",
        base: Artifact | None = None,
        beside: Mapping[str, Artifact] | None = None,
    ) -> None:
        self._contents = {path: c.encode() if isinstance(c, str) else c for path, c in contents.items()}
        self.name, self.base, self.beside = name, base, beside or {}
        self.omitted: tuple[Omission, ...] = ()
        self.excluded: tuple[str, ...] = ()
        self.container: File | None = None

    @property
    def files(self) -> tuple[File, ...]:
        return tuple(File(path, len(self._contents[path])) for path in sorted(self._contents, key=str.encode))

    @property
    def subject(self) -> Subject:
        rows = "".join(f"{digest}  {path}\n" for path, digest in self.digests().items())
        return Subject(self.name, {"dirHash": hashlib.sha256(rows.encode()).hexdigest()})

    def digests(self) -> dict[str, str]:
        return {file.path: hashlib.sha256(self._contents[file.path]).hexdigest() for file in self.files}

    def open(self, path: str) -> BinaryIO:
        if path not in self._contents:
            raise NotFound(f"no file {path}")
        return io.BytesIO(self._contents[path])
