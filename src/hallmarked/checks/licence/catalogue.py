"""What is known about each licence id.

The ids are those of the Hub (https://huggingface.co/docs/hub/repositories-licenses), kept in ``licences.toml``; SPDX
ids and expressions (https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/) are read with the
``license-expression`` library, which knows none of the model licences.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from license_expression import ExpressionError, get_spdx_licensing  # type: ignore[import-untyped]

MAX_EXPRESSION = 200
"""Characters of a licence expression that are looked at."""
_WORDS = re.compile(r"[\W_]+")
_VERSION = re.compile(r"\bv(?=\d)")
_FILLERS = frozenset(["license", "licence", "licenses", "licences", "version", "v", "the"])


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence that this package knows."""

    id: str
    name: str
    family: str
    spdx: str
    """SPDX expression; empty where there is none."""
    covers: tuple[str, ...]
    """Beginnings of the ids a family id stands for."""
    traits: frozenset[str]
    """``restricted``, ``noncommercial``, ``no-derivatives``, ``share-alike``; see ``licences.toml``."""
    next: tuple[str, ...]
    """Other ids a derivative of a share-alike work may carry."""
    hub: bool
    """The Hub lists the id."""

    def stands_for(self, other: str) -> bool:
        """Say whether this id means the licence ``other``, itself or as its family."""
        return other == self.id or any(other.startswith(start) for start in self.covers)


@cache
def catalogue() -> Mapping[str, Licence]:
    """Return every known licence by id."""
    return {
        name: Licence(
            name,
            row["name"],
            row["family"],
            row.get("spdx", ""),
            tuple(row.get("covers", ())),
            frozenset(row.get("traits", ())),
            tuple(row.get("next", ())),
            row.get("hub", True),
        )
        for name, row in _table()["licences"].items()
    }


def resolve(written: str) -> tuple[Licence, ...]:
    """Return the licences a text names: an id, a common spelling, or an SPDX expression; nothing when unknown."""
    key = written.strip().casefold()
    if found := catalogue().get(key):
        return (found,)
    if found := _spellings().get(words(written)):
        return (found,)
    return tuple(found for symbol in spdx_symbols(written) if (found := _by_spdx().get(symbol.casefold())))


def of_repository(name: str) -> Licence | None:
    """Return the restrictive licence that models of a repository are known to come with, by its name alone."""
    key = name.strip().casefold().removeprefix("https://huggingface.co/")
    found = next((licence for start, licence in _table()["bases"].items() if key.startswith(start)), None)
    return catalogue()[found] if found else None


def spdx_symbols(written: str) -> tuple[str, ...]:
    """Return the SPDX ids in an expression, in order; nothing when it is none or one of its ids is unknown."""
    if len(written) > MAX_EXPRESSION or not written.strip():
        return ()
    licensing = _licensing()
    try:
        expression = licensing.parse(written)
        if expression is None or licensing.unknown_license_keys(expression):
            return ()
        return tuple(str(key) for key in licensing.license_keys(expression))
    except (ExpressionError, RecursionError, LookupError):
        return ()  # the parser looks for the inside of empty brackets


def words(text: str) -> str:
    """Return a licence name as words without the ones that carry no meaning."""
    plain = _WORDS.sub(" ", text.casefold().replace("++", " plus plus "))
    return " ".join(word for word in _VERSION.sub("", plain).split() if word not in _FILLERS)


@cache
def _licensing() -> Any:
    return get_spdx_licensing()


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(files(__package__).joinpath("licences.toml").read_text("utf-8"))


@cache
def _spellings() -> Mapping[str, Licence]:
    spellings: dict[str, Licence] = {}
    for name, licence in catalogue().items():
        for spelling in (name, licence.name, *_table()["licences"][name].get("aliases", ())):
            spellings.setdefault(words(spelling), licence)
    return spellings


@cache
def _by_spdx() -> Mapping[str, Licence]:
    found: dict[str, Licence] = {}
    for licence in catalogue().values():
        for symbol in licence.spdx.split(" OR "):
            found[symbol.casefold()] = licence
            # Deprecated short forms ("GPL-2.0", "GPL-2.0+") are still what most people write.
            for ending in ("-only", "-or-later"):
                base = symbol.removesuffix(ending).casefold()
                found.setdefault(base, licence)
                found.setdefault(base + "+", licence)
    return found
