"""Recognise licence texts by their titles and key phrases.

The phrases are facts about published texts, kept in ``texts.toml``; the texts themselves are not part of this package.
Recognition says which licence a text *is meant to be*; it does not compare every word.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from hallmarked.checks.licence.catalogue import catalogue, resolve

MAX_NOTICE = 6000
"""Characters of a normalised text that may be a mere notice instead of a licence text."""

_WORDS = re.compile(r"[\W_]+")
_UNIFY = (
    ("non commercial", "noncommercial"),
    ("share alike", "sharealike"),
    ("noderivs", "noderivatives"),
    ("no derivatives", "noderivatives"),
    ("no derivs", "noderivatives"),
)
_CC_TITLE = re.compile(
    r"\battribution(?P<parts>(?: noncommercial| sharealike| noderivatives){0,2}) (?P<version>1 0|2 0|2 5|3 0|4 0)\b"
)
_CC_URL = re.compile(
    r"creativecommons\.org/licenses/(?P<parts>by(?:-nc)?(?:-sa|-nd)?)/(?P<version>\d\.\d)", re.IGNORECASE
)
_CC_BODY = re.compile(r"by exercising (?:the licensed|any) rights")
_CC_NAMES = {"noncommercial": "nc", "sharealike": "sa", "noderivatives": "nd"}
_SPDX_LINE = re.compile(r"SPDX-License-Identifier:[ \t]*(?P<expression>[^\r\n*#]{1,200})")


@dataclass(frozen=True, slots=True)
class Recognised:
    """A licence found in a text."""

    id: str
    how: str
    """``text`` when the licence itself is there, ``notice`` when something points to it."""


def recognise(text: str) -> tuple[Recognised, ...]:
    """Return the licences a text holds, in order of appearance; notices count only when no full text is found."""
    plain = normalise(text)
    found = {name: at for name, at in (*_full_texts(plain), *_creative_commons(plain)) if name in catalogue()}
    if found:
        return tuple(Recognised(name, "text") for name in sorted(found, key=lambda name: found[name]))
    return tuple(Recognised(name, "notice") for name in dict.fromkeys(_notices(text, plain)) if name in catalogue())


def normalise(text: str) -> str:
    """Return the words of a text, in one case and spelling, separated by single blanks."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("++", " plus plus ")
    plain = _WORDS.sub(" ", plain)
    for variant, unified in _UNIFY:
        plain = plain.replace(variant, unified)
    return plain


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("texts.toml").read_text("utf-8"))


def _full_texts(plain: str) -> Iterator[tuple[str, int]]:
    limited = any(phrase in plain for phrase in _table()["limits"])
    for name, row in _table()["texts"].items():
        if limited and row.get("own"):
            continue  # a permissive text with a limit added is a licence of its own
        places = [plain.find(phrase) for phrase in row["all"]]
        if min(places) >= 0 and not any(phrase in plain for phrase in row.get("none", ())):
            yield name, min(places)


def _creative_commons(plain: str) -> Iterator[tuple[str, int]]:
    """The title says which one it is; the body has the same opening in every version."""
    title = _CC_TITLE.search(plain)
    if title and _CC_BODY.search(plain):
        yield _cc_id(title), title.start()


def _cc_id(match: re.Match[str]) -> str:
    parts = {_CC_NAMES[word] for word in match["parts"].split()}
    ordered = [part for part in ("nc", "sa", "nd") if part in parts]
    return "-".join(["cc", "by", *ordered, match["version"].replace(" ", ".")])


def _notices(text: str, plain: str) -> Iterator[str]:
    if len(plain) > MAX_NOTICE:
        return
    for line in _SPDX_LINE.finditer(text):
        yield from (licence.id for licence in resolve(line["expression"].strip()))
    for url in _CC_URL.finditer(text):
        yield f"cc-{url['parts'].lower()}-{url['version']}"
    for title in _CC_TITLE.finditer(plain):
        yield _cc_id(title)
    for name, phrases in _table()["notices"].items():
        if any(phrase in plain for phrase in phrases):
            yield name
    if len(plain) < 200:  # a file that only names its licence
        yield from (licence.id for licence in resolve(text))
