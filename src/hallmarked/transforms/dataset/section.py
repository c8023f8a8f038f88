"""Sections of a recipe that hand rows to another subject: consent, benchmarks, copies, personal data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hallmarked.corpus.consent.record import Use
from hallmarked.corpus.duplicate.sketch import Settings
from hallmarked.corpus.personal.kind import DEFAULT, KINDS, NAME
from hallmarked.corpus.personal.redact import Mode
from hallmarked.transforms.dataset.member import Table

MOST_BENCHMARKS = 200
PLACES = ("account", "repository", "domain", "url")
"""What consents can be about besides content."""


@dataclass(frozen=True, slots=True)
class Consent:
    """``[consent]``: the list of a registry, and how it is honoured."""

    list: Path
    key: Path
    """The registry's key, under which the list was made."""
    trust: Path
    """A trust file with the registry's signing key."""
    opt_in: bool = False
    """Whether only rows are kept that somebody allowed, instead of all that nobody refused."""
    use: str = Use.TRAINING.value
    drop_unread: bool = True
    """Whether rows go whose owner or address cannot be read, so that nobody can say whether they were refused."""


@dataclass(frozen=True, slots=True)
class Signals:
    """``[signals]``: what sites and pages said for machines is honoured."""

    crawlers: tuple[str, ...] = ()
    """Names under which the rows were fetched, when rules name crawlers."""
    drop_unclear: bool = True
    """Whether rows go whose signals cannot be read or understood."""


@dataclass(frozen=True, slots=True)
class Reference:
    """``[[benchmark]]``: items that the result may not hold."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Copies:
    """``[duplicates]``: of rows that say the same, one is kept."""

    exact: bool = True
    """The same words, whatever stands between them."""
    near: bool = False
    """Nearly the same words."""
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class Redaction:
    """``[redaction]``: what is put in place of personal data and secrets."""

    mode: str
    kinds: tuple[str, ...]
    columns: tuple[str, ...] = ()
    """All columns with texts when empty."""
    key: Path | None = None
    """Makes pseudonyms."""


def read_consent(table: Table, folder: Path) -> Consent:
    """Read ``[consent]``."""
    paths = {name: _file(table, name, folder) for name in ("list", "key", "trust")}
    consent = Consent(
        **paths,
        opt_in=table.choice("mode", ("opt-out", "opt-in"), "opt-out") == "opt-in",
        use=table.choice("use", [use.value for use in Use], Use.TRAINING.value),
        drop_unread=table.choice("unreadable", ("remove", "keep"), "remove") == "remove",
    )
    table.finish()
    return consent


def read_signals(table: Table) -> Signals:
    """Read ``[signals]``."""
    signals = Signals(table.texts("crawlers"), table.choice("unclear", ("remove", "keep"), "remove") == "remove")
    table.finish()
    return signals


def _file(table: Table, name: str, folder: Path) -> Path:
    written = table.text(name, required=True)
    path = folder / written
    if written and not path.is_file():
        table.problem(name, f"leads nowhere: there is no file {path}")
    return path


def read_reference(table: Table, folder: Path) -> Reference:
    """Read ``[[benchmark]]``."""
    written = table.text("path", required=True)
    reference = Reference(table.text("name", required=True, most=96), folder / written)
    if written and not reference.path.exists():
        table.problem("path", f"leads nowhere: there is no {reference.path}")
    table.finish()
    return reference


def read_copies(table: Table) -> Copies:
    """Read ``[duplicates]``."""
    usual = Settings()
    copies = Copies(
        exact=table.choice("exact", ("remove", "keep"), "remove") == "remove",
        near=table.choice("near", ("remove", "keep"), "keep") == "remove",
        settings=Settings.at(table.number("threshold", 0.5, 0.95, usual.threshold) or usual.threshold),
    )
    if copies.near and not copies.exact:
        table.problem("near", "cannot be removed while exact ones are kept")
    table.finish()
    return copies


def read_redaction(table: Table, folder: Path) -> Redaction:
    """Read ``[redaction]``."""
    known = sorted(KINDS.keys() - {NAME})
    kinds = table.texts("kinds") or tuple(sorted(DEFAULT - {NAME}))
    for kind in kinds:
        if kind == NAME:
            table.problem("kinds", f"names {NAME}, which needs a model that a build does not run")
        elif kind not in known:
            table.problem("kinds", f"names {kind}, which is not known; known are {', '.join(known)}")
    mode = table.choice("mode", [mode.value for mode in Mode], Mode.PLACEHOLDER.value)
    key = _file(table, "key", folder) if table.has("key") else None
    if (mode == Mode.PSEUDONYM.value) != (key is not None):
        table.problem("key", "is for the mode pseudonym, which needs it")
    redaction = Redaction(mode, kinds, table.texts("columns"), key)
    table.finish()
    return redaction


def read_places(table: Table) -> dict[str, str]:
    """Read columns, or values, by what consents can be about."""
    found = {name: table.text(name) for name in PLACES}
    return {name: value for name, value in found.items() if value}


def describe(section: Any) -> dict[str, Any]:
    """Say in a statement what a section asked for; paths of this machine are left out."""
    said = {name: getattr(section, name) for name in section.__dataclass_fields__}
    hidden = (Path, Settings, type(None))
    return {name: value for name, value in said.items() if not isinstance(value, hidden)}
