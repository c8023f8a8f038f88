"""Open what the user named, and describe it so that another process can open the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hallmarked.artifacts.local import LocalArtifact


def open_artifact(path: str | Path, *, base: str | Path | None = None) -> LocalArtifact:
    """Open a folder, a single file, or a packed folder.

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


def from_description(description: Mapping[str, Any]) -> LocalArtifact:
    """Open the artifact that ``describe`` described.

    Raises:
        InputError: When it cannot be opened.
    """
    base = description["base"]
    return open_artifact(description["path"], base=base["path"] if base else None)
