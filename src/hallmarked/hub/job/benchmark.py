"""Benchmarks whose items are looked for in every data set that is pushed."""

from __future__ import annotations

from pathlib import Path

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.core.errors import InputError


def open_benchmarks(folder: str) -> dict[str, LocalArtifact]:
    """Open each file or folder in a folder as a benchmark, by its name up to the first dot.

    Args:
        folder: The setting ``job.benchmarks``; empty for none.

    Raises:
        InputError: When the folder or something in it cannot be opened, or two have one name.
    """
    if not folder:
        return {}
    try:
        places = sorted(place for place in Path(folder).iterdir() if not place.name.startswith("."))
    except OSError as error:
        raise InputError(f"the benchmarks in {folder} cannot be listed: {(error.strerror or '').lower()}") from error
    found: dict[str, LocalArtifact] = {}
    for place in places:
        name = place.name.partition(".")[0]
        if name in found:
            raise InputError(f"two benchmarks in {folder} are called {name}")
        found[name] = LocalArtifact(place)
    return found
