"""What a new version of a data set is made from, and how: a TOML file that people write and sign for.

The steps follow each other in one order, whatever the order in the file: rows that cannot be read, retention, consent,
signals, sampling, filters, benchmarks, copies; what is left is redacted and written. The first reason to leave a row
out counts.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hallmarked.core.errors import InputError
from hallmarked.transforms.dataset.filter import Filter, read_filter
from hallmarked.transforms.dataset.member import Table, parse_toml
from hallmarked.transforms.dataset.section import (
    MOST_BENCHMARKS,
    Consent,
    Copies,
    Redaction,
    Reference,
    Signals,
    read_consent,
    read_copies,
    read_places,
    read_redaction,
    read_reference,
    read_signals,
)

VERSION = 1
FORMATS = ("parquet", "jsonl.zst")
MOST_SOURCES = 1_000
MOST_FILTERS = 200
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", re.ASCII)
_DIGEST = re.compile(r"(dirHash|sha256):([0-9a-f]{64})", re.ASCII)
UNREAD, EXPIRED, SAMPLED = "unread", "expired", "not-sampled"
REFUSED, UNASKED, UNCLEAR = "opted-out", "not-opted-in", "consent-unclear"
RESERVED_ROW, UNCLEAR_SIGNAL = "reserved", "signal-unclear"
LEAKED, COPY, NEAR_COPY = "benchmark", "copy", "near-copy"
"""Reasons that are not the name of a filter."""
REDACTED = "redacted"
RESERVED = frozenset({UNREAD, EXPIRED, SAMPLED, REFUSED, UNASKED, UNCLEAR, LEAKED, COPY, NEAR_COPY, REDACTED, "kept"})


@dataclass(frozen=True, slots=True)
class Collection:
    """``[source.collected]``: how the rows came together, in the words of whoever did it."""

    who: str = ""
    when: str = ""
    method: str = ""
    tool: str = ""
    assumptions: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return what was said, as JSON."""
        said = {"who": self.who, "when": self.when, "method": self.method, "tool": self.tool}
        return {key: value for key, value in said.items() if value} | (
            {"assumptions": list(self.assumptions)} if self.assumptions else {}
        )


@dataclass(frozen=True, slots=True)
class Generated:
    """``[source.generated]``: which rows a model wrote."""

    model: str = ""
    share: float | None = None
    """Share of the source's rows."""
    depth: int | None = None
    """How many models stand one behind the other; follows from ``learned`` when not said."""
    learned: tuple[Path, ...] = ()
    """Data sets that the model learned from, as far as they are at hand; what they say of themselves counts."""


@dataclass(frozen=True, slots=True)
class Source:
    """``[[source]]``: a folder or file with rows."""

    name: str
    path: Path
    digest: Mapping[str, str] = field(default_factory=dict)
    """What its bytes must be, when somebody says so."""
    licence: str = ""
    """SPDX expression, as its owners say."""
    collected: Collection = field(default_factory=Collection)
    generated: Generated | None = None
    """None when nobody said that a model wrote any of it; a built data set says itself what it holds."""
    place: Mapping[str, str] = field(default_factory=dict)
    """Whose all of its rows are: account, repository, domain or url; rows may say it themselves."""
    keep_until: datetime.date | None = None
    """The last day on which any of it may be kept."""


@dataclass(frozen=True, slots=True)
class Retention:
    """``[retention]``: how long rows may be kept."""

    as_of: datetime.date
    """The day for which this is judged; the same recipe gives the same result on any day."""
    column: str = ""
    """Says on which day a row was collected; with ``days``."""
    days: int | None = None
    """How many days a row may be kept."""
    undated: str = "remove"
    """What happens to rows without a readable day: ``remove`` or ``keep``."""


@dataclass(frozen=True, slots=True)
class Output:
    """``[output]``: how the rows are written."""

    format: str = "parquet"
    shard_bytes: int = 64 << 20
    """About how large a file may become, in bytes of rows as they are read."""
    source_column: str = ""
    """A column that says from which source a row is."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe that can be followed."""

    name: str
    sources: tuple[Source, ...]
    licence: str = ""
    """The licence that the result shall have; the one that follows from the sources when not said."""
    purpose: str = ""
    decided_by: str = ""
    """Who answers for the choices made here."""
    note: str = ""
    """Why they were made."""
    keep: tuple[str, ...] = ()
    """Columns that are kept; all when empty."""
    text: tuple[str, ...] = ()
    """Columns that hold what models learn from; found by their values when empty."""
    group: tuple[str, ...] = ()
    """Columns by whose values it is counted who loses rows."""
    retention: Retention | None = None
    sample: float = 1.0
    seed: int = 0
    filters: tuple[Filter, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    """Columns that say whose a row is: account, repository, domain, url."""
    consent: Consent | None = None
    signals: Signals | None = None
    benchmarks: tuple[Reference, ...] = ()
    copies: Copies = field(default_factory=Copies)
    redaction: Redaction | None = None
    output: Output = field(default_factory=Output)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a row may be missing in the result, in the order in which it is asked."""
        consent: tuple[str, ...] = (REFUSED, UNASKED, UNCLEAR) if self.consent else ()
        consent += (RESERVED_ROW, UNCLEAR_SIGNAL) if self.signals else ()
        leaked = (LEAKED,) if self.benchmarks else ()
        copies = (COPY,) * self.copies.exact + (NEAR_COPY,) * self.copies.near
        return (UNREAD, EXPIRED, *consent, SAMPLED, *(each.name for each in self.filters), *leaked, *copies)


def read_recipe(data: bytes, folder: Path, name: str = "the recipe") -> Recipe:
    """Read a recipe.

    Args:
        data: The bytes of the file.
        folder: What paths in it are relative to.
        name: What the file is called.

    Raises:
        InputError: With everything that is wrong with it, each with its line.
    """
    top = parse_toml(data, name)
    if top.value("recipe") != VERSION:
        raise InputError(f"{name} has no line recipe = {VERSION}, which says how it is to be read")
    dataset, columns = top.table("dataset"), top.table("columns")
    sample = top.table("sample")
    recipe = Recipe(
        name=dataset.text("name", required=True, most=96),
        sources=tuple(_source(each, folder) for each in top.tables("source", MOST_SOURCES)),
        licence=dataset.text("licence"),
        purpose=dataset.text("purpose"),
        decided_by=dataset.text("decided-by"),
        note=dataset.text("note", most=20_000),
        keep=columns.texts("keep"),
        text=columns.texts("text"),
        group=columns.texts("group"),
        retention=_retention(top.table("retention")) if top.has("retention") else None,
        sample=sample.number("share", 0.0, 1.0, 1.0) or 0.0,
        seed=sample.whole("seed", 0, 2**53, 0) or 0,
        filters=tuple(each for table in top.tables("filter", MOST_FILTERS) if (each := read_filter(table)) is not None),
        places=read_places(columns),
        consent=read_consent(top.table("consent"), folder) if top.has("consent") else None,
        signals=read_signals(top.table("signals")) if top.has("signals") else None,
        benchmarks=tuple(read_reference(each, folder) for each in top.tables("benchmark", MOST_BENCHMARKS)),
        copies=read_copies(top.table("duplicates")),
        redaction=read_redaction(top.table("redaction"), folder) if top.has("redaction") else None,
        output=_output(top.table("output")),
    )
    for table in (dataset, columns, sample, top):
        table.finish()
    _check(recipe, top)
    top.problems.refuse(name)
    return recipe


def _source(table: Table, folder: Path) -> Source:
    digest = table.text("digest")
    found = _DIGEST.fullmatch(digest)
    if digest and not found:
        table.problem("digest", "is not like dirHash:… or sha256:… with 64 hexadecimal digits")
    path = table.text("path", required=True)
    collected = table.table("collected")
    source = Source(
        name=table.text("name", required=True),
        path=folder / path,
        digest={found[1]: found[2]} if found else {},
        licence=table.text("licence"),
        collected=Collection(
            collected.text("who"),
            collected.text("when"),
            collected.text("method"),
            collected.text("tool"),
            collected.texts("assumptions"),
        ),
        generated=_generated(table.table("generated"), folder) if table.has("generated") else None,
        place=read_places(table),
        keep_until=table.day("keep-until"),
    )
    if source.name and not _NAME.fullmatch(source.name):
        table.problem("name", "is not made of small letters, digits, dots, hyphens and underscores")
    if path and not (source.path.exists() or source.path.is_symlink()):
        table.problem("path", f"leads nowhere: there is no {source.path}")
    collected.finish()
    table.finish()
    return source


def _generated(table: Table, folder: Path) -> Generated:
    learned = table.texts("learned")
    for each in learned:
        if not (folder / each).exists():
            table.problem("learned", f"leads nowhere: there is no {folder / each}")
    generated = Generated(
        table.text("model"),
        table.number("share", 0.0, 1.0),
        table.whole("depth", 1, 1_000),
        tuple(folder / each for each in learned),
    )
    table.finish()
    return generated


def _retention(table: Table) -> Retention | None:
    day, column = table.day("as-of"), table.text("column")
    days, undated = table.whole("days", 0, 1_000_000), table.choice("undated", ("remove", "keep"), "remove")
    if not table.has("as-of"):
        table.problem("as-of", "is missing: the day for which it is judged what is too old, like 2026-11-21")
    if bool(column) != (days is not None):
        table.problem("column", "and days belong together: which day a row has, and how many days it may be kept")
    table.finish()
    return Retention(day, column, days, undated) if day else None


def _output(table: Table) -> Output:
    output = Output(
        table.choice("format", FORMATS, FORMATS[0]),
        table.whole("shard-bytes", 1 << 16, 1 << 30, Output().shard_bytes) or 0,
        table.text("source-column"),
    )
    table.finish()
    return output


def _check(recipe: Recipe, top: Table) -> None:
    """Say what does not go together."""
    if not recipe.sources:
        top.problem("source", "is missing: a recipe needs at least one [[source]]")
    names = [source.name for source in recipe.sources]
    for index, name in enumerate(names):
        if name and name in names[:index]:
            top.problems.add(f"source[{index + 1}].name", "is the name of another source too")
    reasons = [each.name for each in recipe.filters]
    for index, name in enumerate(reasons):
        if name in RESERVED or name in reasons[:index]:
            top.problems.add(f"filter[{index + 1}].name", "is the name of another reason too")
    if recipe.retention is None and any(source.keep_until for source in recipe.sources):
        top.problem("retention", "is missing: keep-until needs the day as-of for which it is judged")
    if recipe.keep and not set(recipe.text) <= set(recipe.keep):
        top.problems.add("columns.text", "names a column that columns.keep leaves out")
    if recipe.output.source_column and recipe.output.source_column in recipe.keep:
        top.problems.add("output.source-column", "is the name of a column that is kept")
