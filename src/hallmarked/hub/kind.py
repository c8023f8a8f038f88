"""The kinds of repositories, and what the ecosystem's clients call them."""

from __future__ import annotations

CLIENT_KINDS = {"model": "model", "dataset": "dataset", "system": "space"}
"""What clients call each kind in messages."""
KINDS = tuple(CLIENT_KINDS)
FROM_CLIENTS = {word: kind for kind, word in CLIENT_KINDS.items()}
"""The kinds, by what clients call them."""
_PREFIXES = {"model": "", "dataset": "/datasets", "system": "/spaces"}


def page_path(kind: str, name: str) -> str:
    """Return the path of a repository's page on a hub."""
    return f"{_PREFIXES[kind]}/{name}"
