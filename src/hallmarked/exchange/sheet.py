"""What is known about a model, a data set or a system, in one plain structure that every format is written from.

Values are text, as they were stated. A format writes what it has a member for where its readers expect it, and carries
the rest under names of ours, so that nothing is dropped and reading it back gives the same sheet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from hallmarked.core.errors import FormatError

Pairs = tuple[tuple[str, str], ...]
MAX_REST = 8 << 20
"""Characters of a carried member that are read back."""


@dataclass(frozen=True, slots=True)
class Result:
    """One measured value, and how it stands."""

    metric: str
    value: str
    unit: str = ""
    n: int | None = None
    interval: tuple[str, str] | None = None
    """95 % interval, as decimal text."""
    slice: Pairs = ()
    """The part it speaks about, sorted by name; empty means the whole."""
    dataset: str = ""
    """On what it was measured."""
    status: str = ""
    """``supported``, ``self-asserted``, …: how far evidence bears it out."""
    evidence: tuple[str, ...] = ()
    """Ids of the statements behind it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Something the card says, and how far evidence bears it out."""

    kind: str
    value: str
    text: str
    status: str
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of the revision."""

    path: str
    sha256: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Something it is made from or runs with."""

    kind: str
    """``base-model``, ``dataset``, ``model``, ``guardrail``, ``prompt``, ``software`` or ``hardware``."""
    name: str
    digest: Pairs = ()


@dataclass(frozen=True, slots=True)
class Energy:
    """What an activity used."""

    activity: str
    """``training``, ``fine-tuning``, ``inference``, …"""
    kwh: str = ""
    grams: str = ""
    """Of CO2 equivalent."""
    basis: str = "declared"
    """``measured``, ``modelled`` or ``declared``."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A requirement of a context, and what it came to."""

    context: str
    id: str
    outcome: str
    reason: str
    evidence: tuple[str, ...] = ()
    maps_to: tuple[str, ...] = ()
    """Controls of frameworks, each with its edition."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known, with who it is about."""

    kind: str
    """``model``, ``dataset`` or ``system``."""
    name: str
    digest: Pairs
    """Algorithm and lower-case hex, sorted."""
    created: str
    """When this was put together: ``2026-11-21T09:00:00Z``."""
    description: str = ""
    version: str = ""
    licences: tuple[str, ...] = ()
    """SPDX ids where there is one, else as written."""
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    library: str = ""
    task: str = ""
    architecture: str = ""
    parameters: str = ""
    sections: Pairs = ()
    """What people wrote, by id of the section, in the order of the card."""
    results: tuple[Result, ...] = ()
    claims: tuple[Claim, ...] = ()
    files: tuple[FileEntry, ...] = ()
    parts: tuple[Part, ...] = ()
    energy: tuple[Energy, ...] = ()
    asked: tuple[Asked, ...] = ()

    def section(self, *ids: str) -> str:
        """Return the text of the first section that is there; empty when none is."""
        written = dict(self.sections)
        return next((written[id_] for id_ in ids if id_ in written), "")

    def named(self, kind: str) -> tuple[str, ...]:
        """Return the names of the parts of a kind."""
        return tuple(part.name for part in self.parts if part.kind == kind)


MEMBERS = tuple(field.name for field in fields(Sheet))
_ROWS = {"results": Result, "claims": Claim, "files": FileEntry, "parts": Part, "energy": Energy, "asked": Asked}


def carry(sheet: Sheet, names: Iterable[str]) -> dict[str, str]:
    """Write members as JSON text, for formats that have no place for them; empty ones are left out."""
    plain = asdict(sheet)
    return {name: json.dumps(plain[name], ensure_ascii=False, sort_keys=True) for name in names if plain[name]}


def restore(sheet: Sheet, carried: Mapping[str, str]) -> Sheet:
    """Put back members that :func:`carry` wrote; names that are not ours are passed over.

    Raises:
        FormatError: When one is not what :func:`carry` writes.
    """
    found: dict[str, Any] = {}
    for name in MEMBERS:
        if name in carried:
            found[name] = _read(name, carried[name])
    return replace(sheet, **found)


def _read(name: str, text: str) -> Any:
    if len(text) > MAX_REST:
        raise FormatError(f"the member {name} is too long to be read")
    try:
        value = json.loads(text)
        if name in _ROWS:
            return tuple(_row(_ROWS[name], body) for body in value)
        if isinstance(value, str):
            return value if isinstance(getattr(_EMPTY, name), str) else _wrong(name)
        return tuple(_text_or_pair(item) for item in value)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise FormatError(f"the member {name} is not as this program writes it") from error


def _row(kind: type[Any], body: Mapping[str, Any]) -> Any:
    known = {field.name: field.type for field in fields(kind)}
    members = {name: _member(known[name], value) for name, value in body.items() if name in known}
    return kind(**members)


def _member(declared: Any, value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and "int" in str(declared):
        return value
    return tuple(_text_or_pair(item) for item in value)


def _text_or_pair(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if len(value) == 2 and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise TypeError("neither a text nor two")


def _wrong(name: str) -> Any:
    raise TypeError(f"{name} is a list")


_EMPTY = Sheet("", "", (), "")


def slice_text(pairs: Pairs) -> str:
    """Write a slice as one text: ``group=women; age=60+``, with ``%``, ``=`` and ``;`` escaped."""
    return "; ".join(f"{_escape(name)}={_escape(value)}" for name, value in pairs)


def read_slice(text: str) -> Pairs:
    """Read what :func:`slice_text` wrote; any other text becomes a slice called ``slice``."""
    if not text:
        return ()
    parts = [part.split("=") for part in text.split("; ")]
    if any(len(part) != 2 for part in parts):
        return (("slice", text),)
    return tuple((_unescape(name), _unescape(value)) for name, value in parts)


_ESCAPES = {"%": "%25", "=": "%3D", ";": "%3B"}


def _escape(text: str) -> str:
    for mark, code in _ESCAPES.items():
        text = text.replace(mark, code)
    return text


def _unescape(text: str) -> str:
    for mark, code in reversed(_ESCAPES.items()):
        text = text.replace(code, mark)
    return text
