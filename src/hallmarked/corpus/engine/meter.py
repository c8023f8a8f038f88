"""Count the rows that are read of an artifact, for those who wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from hallmarked.core.artifact import Artifact, File, Omission
from hallmarked.core.evidence import Subject


@dataclass(slots=True)
class Metered:
    """An artifact, and how many rows were read of it since somebody last set that to zero."""

    artifact: Artifact
    rows: int = 0

    @property
    def name(self) -> str:
        """Name for people."""
        return self.artifact.name

    @property
    def files(self) -> Sequence[File]:
        """All files."""
        return self.artifact.files

    @property
    def omitted(self) -> Sequence[Omission]:
        """Entries that are not covered."""
        return self.artifact.omitted

    @property
    def excluded(self) -> Sequence[str]:
        """Folders left out by rule."""
        return self.artifact.excluded

    @property
    def container(self) -> File | None:
        """The archive the files are packed in."""
        return self.artifact.container

    @property
    def base(self) -> Artifact | None:
        """The artifact this one says it was made from."""
        return self.artifact.base

    @property
    def beside(self) -> Mapping[str, Artifact]:
        """Other artifacts to compare with."""
        return self.artifact.beside

    @property
    def subject(self) -> Subject:
        """The name and digest that evidence is bound to."""
        return self.artifact.subject

    def digests(self) -> Mapping[str, str]:
        """SHA-256 of every file by path."""
        return self.artifact.digests()

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading."""
        return self.artifact.open(path)


def count_rows(artifact: Artifact, rows: int) -> None:
    """Say that rows were read of an artifact."""
    if isinstance(artifact, Metered):
        artifact.rows += rows
