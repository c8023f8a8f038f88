"""The words around a card, in the reader's language. English is the source; ``labels.toml`` holds the others."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

from hallmarked.cards.language import SOURCE, primary
from hallmarked.cards.status import Status

Words = Callable[[str], str]
STATUSES = {
    Status.CONTRADICTED: "Contradicted",
    Status.DISPUTED: "Disputed",
    Status.WITHDRAWN: "Withdrawn",
    Status.STALE: "Stale",
    Status.SUPPORTED: "Supported",
    Status.UNKNOWN: "Unknown",
    Status.NOT_EVALUATED: "Not evaluated",
    Status.SELF_ASSERTED: "Self-asserted",
}
ROLES = {"maker": "its maker", "hub": "a hub", "auditor": "an auditor", "community": "the community"}
LACKS = {
    "use": "what it is for",
    "non_use": "what it is not for",
    "harms": "which harms are known",
    "contact": "whom to contact",
}


def interface(language: str) -> str:
    """Return the language of the words around a card for a reader of one; English when there is no other."""
    return primary(language) if primary(language) in _table() else SOURCE


def words(language: str) -> Words:
    """Return what gives a sentence in a language; one that is not translated stays English."""
    known = _table().get(interface(language), {})
    return lambda text: known.get(text, text)


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((files("hallmarked.cards.view") / "labels.toml").read_text(encoding="utf-8"))
