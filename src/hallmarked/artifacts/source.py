"""Open what the user named, and describe it so that another process can open the same.

The process that speaks to the user opens files and folders only. Archives are looked into where the checks run, which
is a process that can do no harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.artifacts.packed import unpacked
from hallmarked.core.artifact import Artifact


def open_artifact(path: str | Path, *, base: str | Path | None = None) -> LocalArtifact:
    """Open a folder or a single file.

    Args:
        path: Where it lies.
        base: Where the artifact lies that it says it was made from.

    Raises:
        InputError: When it cannot be opened.
    """
    return LocalArtifact(Path(path), base=open_artifact(base) if base is not None else None)


def describe(artifact: LocalArtifact) -> dict[str, Any]:
    """Describe an artifact as JSON for ``from_description``."""
    base = artifact.base
    return {"path": str(artifact.path.absolute()), "base": describe(base) if isinstance(base, LocalArtifact) else None}


def from_description(description: Mapping[str, Any]) -> Artifact:
    """Open the artifact that ``describe`` described; an archive of a folder is opened as that folder.

    Raises:
        InputError: When it cannot be opened.
    """
    base = description["base"]
    artifact = LocalArtifact(Path(description["path"]), base=from_description(base) if base else None)
    return unpacked(artifact) or artifact
