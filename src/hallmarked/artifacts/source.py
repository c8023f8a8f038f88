"""Open what the user named, and describe it so that another process can open the same.

The process that speaks to the user opens files and folders only. Archives are looked into where the checks run, which
is a process that can do no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.artifacts.packed import PackedArtifact, unpacked
from hallmarked.artifacts.remote.served import Ask, ServedArtifact
from hallmarked.artifacts.stored import StoredArtifact, read_stored
from hallmarked.core.artifact import Artifact, File
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Subject


def open_artifact(path: str | Path, *, base: str | Path | None = None) -> LocalArtifact:
    """Open a folder or a single file.

    Args:
        path: Where it lies.
        base: Where the artifact lies that it says it was made from.

    Raises:
        InputError: When it cannot be opened.
    """
    return LocalArtifact(Path(path), base=open_artifact(base) if base is not None else None)


class Auditable(Protocol):
    """A revision that checks in other processes can be pointed at."""

    @property
    def name(self) -> str:
        """Name for people."""

    @property
    def files(self) -> Sequence[File]:
        """All files, sorted by path, bytewise."""

    @property
    def excluded(self) -> Sequence[str]:
        """Folders left out by rule."""

    beside: Mapping[str, Artifact]
    """Others on this machine to compare it with, by the names that checks see."""

    @property
    def subject(self) -> Subject:
        """What evidence is bound to; asked for once everything was read."""

    @property
    def origin(self) -> str:
        """Where the bytes came from and how far they were seen, in one sentence; empty for files on this machine."""

    @property
    def serve(self) -> Ask | None:
        """How a check's process is given ranges of files; None when it opens them itself."""

    def describe(self) -> dict[str, Any]:
        """Describe it as JSON for :func:`from_description`."""

    def prepare(self) -> None:
        """Do what can be done while the checks run."""

    def confirm_unchanged(self) -> None:
        """Make sure that the checks saw what the evidence will say.

        Raises:
            InputError: When they did not.
        """

    def coverage(self) -> dict[str, Any]:
        """Say for the evidence which bytes were seen."""


def describe(artifact: Auditable) -> dict[str, Any]:
    """Describe an artifact, and what lies beside it on this machine, as JSON for :func:`from_description`."""
    description = artifact.describe()
    others = {name: other.describe() for name, other in artifact.beside.items() if isinstance(other, LocalArtifact)}
    return {**description, "beside": others} if others else description


def from_description(description: Mapping[str, Any], ask: Ask | None = None) -> Artifact:
    """Open the artifact that ``describe`` described; an archive of a folder is opened as that folder.

    Args:
        description: What was described.
        ask: How bytes are had that lie on another machine.

    Raises:
        InputError: When it cannot be opened, or other files lie there than when it was described.
    """
    artifact = _open_described(description, ask)
    artifact.beside = {name: _open_described(other, None) for name, other in description.get("beside", {}).items()}
    return artifact


def _open_described(
    description: Mapping[str, Any], ask: Ask | None
) -> LocalArtifact | PackedArtifact | ServedArtifact | StoredArtifact:
    if "served" in description:
        if ask is None:
            raise InputError("nobody gives the bytes of this revision")
        return ServedArtifact(description["served"], ask)
    if "stored" in description:
        return read_stored(description, ask)
    base = description["base"]
    artifact = LocalArtifact(Path(description["path"]), base=from_description(base) if base else None)
    if description.get("fingerprint", artifact.fingerprint) != artifact.fingerprint:
        raise InputError(f"{artifact.path} changed while it was read")
    return unpacked(artifact) or artifact
