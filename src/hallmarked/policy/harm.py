"""Definitions of harms and their thresholds, in versions that hold from a day to a day and are never rewritten.

A requirement that names a threshold takes its value from the version that is in force when it is judged, so that an
old decision keeps the definition of its time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from itertools import pairwise
from pathlib import PurePath
from typing import Any

from hallmarked.core.errors import InputError
from hallmarked.ledger.canonical import canonical_bytes
from hallmarked.policy.requirement import decimal
from hallmarked.policy.table import Source, Table

_HARM = ("title", "version")
_VERSION = ("id", "from", "to", "text", "threshold", "source")


@dataclass(frozen=True, slots=True)
class Version:
    """What a harm means, and what counts as too much of it, for a time."""

    harm: str
    """Id of the harm, such as ``missed-emergency``."""
    id: str
    """Names the version; each once."""
    begin: datetime
    """From when it holds, UTC."""
    end: datetime | None
    """From when it does not hold any more; None when that is open."""
    title: Mapping[str, str]
    """By language."""
    text: Mapping[str, str]
    """The definition, by language."""
    thresholds: Mapping[str, str]
    """Decimal text, by name."""
    source: str = ""
    """Where the definition comes from."""
    place: str = field(default="", compare=False)
    """File and line."""

    def holds(self, at: datetime) -> bool:
        """Say whether it is in force."""
        return self.begin <= at and (self.end is None or at < self.end)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON, in the form its digest is made of."""
        return {
            "harm": self.harm,
            "version": self.id,
            "from": f"{self.begin:%Y-%m-%d}",
            "to": f"{self.end:%Y-%m-%d}" if self.end else "",
            "title": dict(self.title),
            "text": dict(self.text),
            "thresholds": dict(self.thresholds),
            "source": self.source,
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return hashlib.sha256(canonical_bytes(self.to_dict())).hexdigest()


Harms = Mapping[str, tuple[Version, ...]]
"""The versions of each harm, oldest first."""


def in_force(harms: Harms, harm: str, at: datetime) -> Version | None:
    """Return the version of a harm that holds at a time."""
    return next((version for version in harms.get(harm, ()) if version.holds(at)), None)


def read_harms(source: Source) -> dict[str, tuple[Version, ...]]:
    """Read the definitions of a file: ``[harm.NAME]`` with ``[[harm.NAME.version]]``.

    Raises:
        InputError: When one is not well-formed, or two versions hold at the same time; the message names the line.
    """
    root = source.table(("harm", "context"))
    return {name: _versions(name, table) for name, table in root.tables("harm", _HARM).items()}


def merge_harms(several: Iterable[Mapping[str, tuple[Version, ...]]]) -> dict[str, tuple[Version, ...]]:
    """Bring definitions of several files together.

    Raises:
        InputError: When two files define the same harm.
    """
    merged: dict[str, tuple[Version, ...]] = {}
    for harms in several:
        for name, versions in harms.items():
            if name in merged:
                before = merged[name][0].place
                raise InputError(f"{versions[0].place}: the harm {name} is defined already, in {before}")
            merged[name] = versions
    return merged


def _versions(name: str, table: Table) -> tuple[Version, ...]:
    title = table.languages("title")
    if not title:
        table.fail("title", "title is missing")
    rows = table.rows("version", _VERSION)
    if not rows:
        table.fail("", f"the harm {name} has no version")
    versions = sorted((_version(name, title, row) for row in rows), key=lambda version: version.begin)
    _refuse_overlaps(versions)
    if len({version.id for version in versions}) < len(versions):
        table.fail("", f"the harm {name} has two versions of one id")
    return tuple(versions)


def _refuse_overlaps(versions: Sequence[Version]) -> None:
    for before, after in pairwise(versions):
        if before.end is None or before.end > after.begin:
            until = f"to {before.end:%Y-%m-%d}" if before.end else "without an end"
            raise InputError(
                f"{after.place}: version {after.id} of {after.harm} holds from {after.begin:%Y-%m-%d}, when version "
                f"{before.id} ({PurePath(before.place).name}) still holds, {until}"
            )


def _version(name: str, title: Mapping[str, str], row: Table) -> Version:
    begin, end = _day(row, "from"), _day(row, "to") if "to" in row else None
    if end is not None and end <= begin:
        row.fail("to", f"to ({end:%Y-%m-%d}) has to be later than from ({begin:%Y-%m-%d})")
    text, thresholds = row.languages("text"), row.words("threshold")
    if not text:
        row.fail("text", "text is missing: say what the harm is")
    for key, value in thresholds.items():
        if decimal(value) is None:
            row.fail("threshold", f"the threshold {key} is {value!r}, which is no number")
    return Version(name, row.text("id"), begin, end, title, text, thresholds, row.text("source", ""), row.place)


def _day(row: Table, key: str) -> datetime:
    value = row.values.get(key)
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            row.fail(key, f"{key} is {value!r}, which is no day such as 2026-01-31")
    if not isinstance(value, date) or isinstance(value, datetime):
        row.fail(key, f"{key} has to be a day such as 2026-01-31")
    return datetime.combine(value, time(), UTC)
