"""One revision of a model, dataset or system, wherever its bytes lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from hallmarked.core.evidence import Subject


@dataclass(frozen=True, slots=True)
class File:
    """A regular file of an artifact."""

    path: str
    """Relative, ``/``-separated, valid UTF-8, without newline or backslash."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Omission:
    """An entry that is there but cannot be part of the revision: a link that leaves the folder, a socket."""

    path: str
    """For display; bytes that are not UTF-8 appear escaped."""
    reason: str


class Artifact(Protocol):
    """One revision that can be read."""

    @property
    def name(self) -> str:
        """Name for people; never identifies."""

    @property
    def files(self) -> Sequence[File]:
        """All files, sorted by path, bytewise."""

    @property
    def omitted(self) -> Sequence[Omission]:
        """Entries that are not covered by the digest, with the reason."""

    @property
    def excluded(self) -> Sequence[str]:
        """Folders left out by rule (``.git``, a client's cache), named in the evidence so that others do the same."""

    @property
    def container(self) -> File | None:
        """The archive the files are packed in, when the artifact is one; openable under its own path."""

    @property
    def base(self) -> Artifact | None:
        """The artifact this one says it was made from, when the caller gave it."""

    @property
    def beside(self) -> Mapping[str, Artifact]:
        """Other artifacts that the caller gave to compare with, by the name given: benchmarks."""

    @property
    def subject(self) -> Subject:
        """The name and digest that evidence is bound to."""

    def digests(self) -> Mapping[str, str]:
        """SHA-256 (lower-case hex) of every file by path, computed once."""

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading, seekable.

        Raises:
            NotFound: When no file has that path.
            BackendError: When it cannot be read.
        """
