"""Templates: what a card of a kind is asked for, by risk tier, as versioned files.

A template has an id (``model/high@1``) and a digest over everything it asks, headings included. A verdict names both,
so that a changed template never changes what was said under the old one. An organisation writes its own likewise.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from hallmarked.cards.document.declared import Kind, Tier
from hallmarked.checks.documentation import sections
from hallmarked.core.errors import FormatError, InputError
from hallmarked.core.evidence import Level
from hallmarked.formats.toml import read_toml
from hallmarked.ledger.canonical import canonical_bytes

MAX_TEMPLATE = 1 << 20
"""Bytes of a template file."""
MAX_ASKED = 500
"""Sections, fields or claims that one template asks for."""
COUNT = "count"
"""The level of what is only counted."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_FILE = re.compile(r"(?P<kind>[a-z]{1,20})@(?P<version>[0-9]{1,6})\.toml")
_KEYS = {
    "": {"kind", "version", "name", "title", "section", "field", "claim"},
    "section": {"id", "matches", "names", "title", "level", "ask"},
    "field": {"id", "names", "level", "ask"},
    "claim": {"path", "level", "ask"},
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing a card is asked for."""

    what: str
    """``section``, ``field`` or ``claim``."""
    id: str
    """Id of a section, dotted name of a metadata field, or how the path of a claim begins."""
    level: Level | None
    """What it means when nothing is written; ``None`` when it is only counted."""
    ask: Mapping[str, str]
    """The question, by language."""
    title: Mapping[str, str]
    """The heading, by language; of fields and claims their name."""
    names: tuple[str, ...] = ()
    """Headings that hold it, normalised; of a field older spellings."""


@dataclass(frozen=True, slots=True)
class Template:
    """What cards of one kind and tier are asked for."""

    kind: Kind
    tier: Tier
    version: int
    title: Mapping[str, str]
    asked: tuple[Asked, ...]
    matcher: sections.Template
    """The same sections, for finding them in a card."""
    name: str = ""
    """Whose template it is; empty for the one that comes with this package."""

    @property
    def id(self) -> str:
        """Name it, e.g. ``model/high@1`` or ``acme:model/high@3``."""
        return f"{self.name and self.name + ':'}{self.kind}/{self.tier}@{self.version}"

    @property
    def digest(self) -> str:
        """Return the SHA-256 over everything that is asked, in hexadecimal."""
        rows = [
            [each.what, each.id, each.level, dict(each.ask), dict(each.title), sorted(each.names)]
            for each in self.asked
        ]
        return hashlib.sha256(canonical_bytes({"id": self.id, "asked": rows})).hexdigest()

    def of(self, what: str) -> tuple[Asked, ...]:
        """Return what is asked of one sort: ``section``, ``field`` or ``claim``."""
        return tuple(each for each in self.asked if each.what == what)


@cache
def shipped(kind: Kind, tier: Tier) -> Template:
    """Return the newest template that comes with this package."""
    file = max(_versions(files(__package__).iterdir(), kind).items())[1]
    return read_template(file.read_bytes(), file.name, tier)


def find_template(kind: Kind, tier: Tier, own: Path | None = None, version: int | None = None) -> Template:
    """Return the template for a card.

    Args:
        kind: What the card is about.
        tier: How much depends on it.
        own: An organisation's template, or a folder of them; by default those that come with this package.
        version: Which one of several to take, such as the one that an old verdict names; by default the newest.

    Raises:
        InputError: When there is none for the kind, or it cannot be read.
    """
    if own is None and version is None:
        return shipped(kind, tier)
    file: Traversable = own or files(__package__)
    if file.is_dir():
        versions = _versions(file.iterdir(), kind)
        if not versions or (version is not None and version not in versions):
            called = f"{kind}@{version or 1}.toml"
            raise InputError(f"{own or 'this package'} holds no template called {called} for a {kind} card")
        file = versions[version or max(versions)]
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_TEMPLATE + 1)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {(error.strerror or str(error)).lower()}") from error
    template = read_template(data, str(file), tier)
    if template.kind is not kind:
        raise InputError(f"{file} is a template for a {template.kind} card, and this is a {kind} card")
    if version is not None and template.version != version:
        raise InputError(f"{file} is version {template.version}, and version {version} is asked for")
    return template


def _versions(found: Iterable[Traversable], kind: Kind) -> dict[int, Traversable]:
    """Return template files for a kind, by version."""
    named = [(file, _FILE.fullmatch(file.name)) for file in found]
    return {int(match["version"]): file for file, match in named if match and match["kind"] == kind}


def read_template(data: bytes, file: str, tier: Tier) -> Template:
    """Read a template file for one tier.

    Raises:
        InputError: When it is not a template; the message names the file and the entry.
    """
    if len(data) > MAX_TEMPLATE:
        raise InputError(f"{file} is longer than any template")
    try:
        table = read_toml(data, parse_float=float)
    except FormatError as error:
        raise InputError(f"{file} is {str(error)[:200]}") from error
    reader = _Reader(file, tier)
    reader.known(table, "", "the template")
    kind = reader.choice(table.get("kind"), [each.value for each in Kind], "kind")
    version = table.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or not 0 < version < 10**6:
        raise InputError(f"{file}: version is a number from 1")
    name = table.get("name", "")
    if not isinstance(name, str) or (name and not _WORD.fullmatch(name)):
        raise InputError(f"{file}: name is one word, such as acme")
    asked = [each for what in ("section", "field", "claim") for each in reader.asked(table, what, kind)]
    if not asked:
        raise InputError(f"{file} asks for nothing in the tier {tier}")
    entries = tuple(
        sections.Entry(each.id, each.title["en"], frozenset(each.names), each.level, each.ask["en"])
        for each in asked
        if each.what == "section"
    )
    matcher = sections.Template(kind, entries, ())
    title = reader.texts(table.get("title"), "title")
    return Template(Kind(kind), tier, version, title, tuple(asked), matcher, name)


class _Reader:
    """Reads the entries of one file, and refuses what it does not understand."""

    def __init__(self, file: str, tier: Tier) -> None:
        self._file, self._tier = file, tier

    def asked(self, table: Mapping[str, Any], what: str, kind: str) -> Iterator[Asked]:
        """Yield the entries of one sort that the tier asks for."""
        rows = table.get(what, [])
        if not isinstance(rows, list) or len(rows) > MAX_ASKED:
            raise InputError(f"{self._file}: {what} is a list of at most {MAX_ASKED} entries, written [[{what}]]")
        seen: set[str] = set()
        for number, row in enumerate(rows, 1):
            where = f"{what} {number}"
            if not isinstance(row, Mapping):
                raise InputError(f"{self._file}: {where} is not a group of keys")
            key = row.get("path" if what == "claim" else "id")
            if not isinstance(key, str) or not _WORD.fullmatch(key) or key in seen:
                raise InputError(f"{self._file}: {where} needs a name of its own, of letters, digits, dots and hyphens")
            seen.add(key)
            where = f"{what} {key}"
            self.known(row, what, where)
            level = self._level(row.get("level", COUNT), where)
            ask = self.texts(row.get("ask"), f"ask of {where}")
            if level is not None:
                title = self.texts(row["title"], f"title of {where}") if what == "section" and "title" in row else {}
                names = self._names(row, where, kind, [*(title or {"en": key}).values()])
                yield Asked(what, key, None if level == COUNT else Level(level), ask, title or {"en": key}, names)

    def known(self, row: Mapping[str, Any], what: str, where: str) -> None:
        """Refuse keys that mean nothing, which are slips of the pen.

        Raises:
            InputError: When there is one.
        """
        for key in row:
            if key not in _KEYS[what]:
                raise InputError(f"{self._file}: {where} has a key {key!r}, which is not known here")

    def choice(self, value: object, known: Sequence[str], where: str) -> str:
        """Return one of some words.

        Raises:
            InputError: When it is none of them.
        """
        if not isinstance(value, str) or value not in known:
            raise InputError(f"{self._file}: {where} is one of {', '.join(known)}")
        return value

    def texts(self, value: object, where: str) -> Mapping[str, str]:
        """Return a text by language, English at least.

        Raises:
            InputError: When it is none.
        """
        texts = value if isinstance(value, Mapping) else {}
        if "en" not in texts or not all(isinstance(text, str) and 0 < len(text) <= 2000 for text in texts.values()):
            raise InputError(f"{self._file}: {where} is a text by language, at least {{ en = … }}")
        return {str(key): text for key, text in texts.items()}

    def _level(self, value: object, where: str) -> str | None:
        """Return the level for the tier; ``None`` when the tier does not ask."""
        known = [*(level.value for level in Level), COUNT]
        if not isinstance(value, Mapping):
            return self.choice(value, known, f"level of {where}")
        levels = {
            self.choice(tier, [each.value for each in Tier], f"tier in {where}"): self.choice(
                level, known, f"level of {where}"
            )
            for tier, level in value.items()
        }
        return levels.get(self._tier)

    def _names(self, row: Mapping[str, Any], where: str, kind: str, titles: Sequence[str]) -> tuple[str, ...]:
        lists = {key: row.get(key, []) for key in ("names", "matches")}
        for key, value in lists.items():
            if not isinstance(value, list) or not all(isinstance(item, str) and len(item) <= 200 for item in value):
                raise InputError(f"{self._file}: {key} of {where} is a list of texts")
        known = {entry.id: entry for entry in sections.template(kind).entries}
        names = set(lists["names"])
        for match in lists["matches"]:
            if match not in known:
                raise InputError(f"{self._file}: {where} matches {match!r}, and no {kind} section is called that")
            names |= known[match].names
        if "title" in row or "matches" in row:
            return tuple(sorted(map(sections.normalise, (*names, *titles))))
        return tuple(sorted(names))
