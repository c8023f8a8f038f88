"""Recognise licence texts by their titles and key phrases.

The phrases are facts about published texts, kept in ``texts.toml``; the texts themselves are not part of this package.
Recognition says which licence a text *is meant to be*; it does not compare every word.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from hallmarked.checks.licence.catalogue import catalogue, resolve

MAX_NOTICE = 6000
"""Characters of a normalised text that may be a mere notice instead of a licence text."""

SHORTEST = 500
"""Characters of a normalised text that the shortest licence has at least."""
_LIMITS = frozenset(["restricted", "noncommercial"])
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
    """Return all licences a text holds, in order of appearance; notices count only when no full text is found.

    None when there are permissive texts beside a limit that no licence found explains: whatever else is there, the
    limit may be on any of them, and the rest alone would be the wrong answer.
    """
    plain = normalise(text)
    short, long = _short_texts(plain), dict((*_long_texts(plain), *_creative_commons(plain)))
    if short and _is_limited(plain) and not any(catalogue()[name].traits & _LIMITS for name in long):
        return ()
    found = {**long, **short}
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


def _short_texts(plain: str) -> dict[str, int]:
    """Find short permissive texts, of which a file that gathers licences holds many, each judged by itself."""
    rows = {name: row for name, row in _table()["texts"].items() if row.get("own")}
    found: dict[str, int] = {}
    for start, part in _parts(plain, sorted({row["all"][0] for row in rows.values()})):
        for name, row in rows.items():
            at = _place(part, row)
            if at >= 0:
                found.setdefault(name, start + at)
    return found


def _parts(plain: str, openings: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Cut a text where licences open; one that opens close behind another belongs to the same text."""
    places = sorted(match.start() for phrase in openings for match in re.finditer(phrase, plain))
    starts = [at for before, at in pairwise(places) if at - before >= SHORTEST]
    for start, end in pairwise([0, *starts, len(plain)]):
        yield start, plain[start:end]


def _long_texts(plain: str) -> Iterator[tuple[str, int]]:
    for name, row in _table()["texts"].items():
        if not row.get("own") and (at := _place(plain, row)) >= 0:
            yield name, at


def _place(plain: str, row: Mapping[str, Any]) -> int:
    """Return where a licence begins; -1 when it is not there."""
    places = [plain.find(phrase) for phrase in row["all"]]
    return -1 if any(phrase in plain for phrase in row.get("none", ())) else min(places)


def _is_limited(plain: str) -> bool:
    """Say whether a text limits who may use something, or what for."""
    for phrase in _table()["permits"]:
        plain = plain.replace(phrase, "")
    return any(phrase in plain for phrase in _table()["limits"])


def _creative_commons(plain: str) -> Iterator[tuple[str, int]]:
    """The title says which one it is; the body has the same opening in every version."""
    title = _CC_TITLE.search(plain)
    if title and _CC_BODY.search(plain):
        yield from ((name, title.start()) for name in [_cc_id(title)] if name in catalogue())


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
