"""What is told of whether a data set holds no more, for no longer and for nothing else than what it was made for.

========================= ============================================================================================
``purpose.declared``      what the data is for, in the makers' words
``purpose.columns``       columns that are needed for it, by declaration; ``n`` are all columns
``retention.days``        days after which rows are to be deleted
``retention.expires``     the day on which the oldest row of the column of dates expires
``retention.expired``     rows that had expired on the day ``as_of`` up to which the makers say they applied it
``privacy.claimed``       a parameter of a technique that was used for privacy, as the makers declare it; the slice
                          names the ``technique`` and the ``parameter``
``context.collected``     where the data was collected, ``context.use`` where it is to be used, ``context.basis`` why
========================= ============================================================================================

Statements hold no time: what has expired today follows from ``retention.expires`` and is worked out by who shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from hallmarked.checks.dataset.column import kind_of, named
from hallmarked.core.evidence import Finding, Gap, Item, Level, Measurement, Rule

if TYPE_CHECKING:
    from hallmarked.corpus.declaration import Declaration
    from hallmarked.corpus.measure.column import Column
    from hallmarked.corpus.measure.declared import Context, Intent, Retention

UNDECLARED = Rule(
    "MIN001",
    Level.NOTE,
    "It is not declared what the data set is for",
    "Write it into dataset.toml, so that it can be seen what is more than needed.",
)
UNUSED = Rule(
    "MIN002",
    Level.WARNING,
    "A column is not needed for the declared purpose",
    "Leave it out, or say in dataset.toml that it is needed.",
)
IDENTIFYING = Rule(
    "MIN003",
    Level.WARNING,
    "A column may identify people",
    "Leave it out or replace it by something that leads to nobody, or say in dataset.toml that it is needed.",
)
EXPIRED = Rule(
    "MIN004",
    Level.WARNING,
    "Rows are older than they are to be kept",
    "Delete them and publish a new version; versions that hold them are to be withdrawn.",
)
ELSEWHERE = Rule(
    "MIN005",
    Level.WARNING,
    "The data is to be used elsewhere than where it was collected",
    "Ask those it is about, or say in dataset.toml on which basis it may be used there (context.basis).",
)
RULES = (UNDECLARED, UNUSED, IDENTIFYING, EXPIRED, ELSEWHERE)
TELLING = re.compile(
    r"(.*[_.\- ])?(e?-?mail|phone|telephone|mobile|first_?name|last_?name|full_?name|sur_?name|family_?name|user_?name"
    r"|(patient|user|person|customer|client|account|author|student|employee)_?(id|name|no|number)|ip|ip_?address"
    r"|address|street|ssn|social_security_number|passport|iban|birth_?(date|day)|date_of_birth|dob|login|device_?id)",
    re.IGNORECASE,
)
"""Names of columns that commonly hold what points to a person."""
FEWEST = 20
"""Values from which it means something that all of them differ."""
SHORT = 64
"""Characters that almost all values of an identifier have at most."""


def tell_purpose(said: Declaration, columns: Mapping[str, Mapping[str, Column]]) -> Iterator[Item]:
    """Tell whether columns, ages and use are as declared.

    Args:
        said: What the makers declare.
        columns: What was counted, by folder and name.
    """
    intent = said.intent
    yield from _missing(intent)
    needed = _needed(said)
    if intent.purpose.text:
        yield Measurement("purpose.declared", intent.purpose.text[:500])
    if intent.purpose.columns:
        names = {name for found in columns.values() for name in found}
        yield Measurement("purpose.columns", str(len(names & needed)), n=len(names))
        for name in sorted(set(intent.purpose.columns) - names):
            yield Gap(f"column {name!r} is declared to be needed, and is not there")
    for folder, found in columns.items():
        for name, column in found.items():
            if not _covered(name, needed):
                yield from _column({"column": name, "folder": folder}, column, bool(intent.purpose.columns))
    yield from _retention(intent.retention, said.columns.date, columns)
    yield from _context(intent.context)
    for technique, parameters in sorted(intent.privacy.items()):
        for name, value in sorted(parameters.items()) or [("", "yes")]:
            part = {"technique": technique, **({"parameter": name} if name else {})}
            yield Measurement("privacy.claimed", value, slice=part)


def _missing(intent: Intent) -> Iterator[Item]:
    members = {
        "what it is for (purpose.text)": intent.purpose.text,
        "which columns that needs (purpose.columns)": intent.purpose.columns,
        "how long rows are kept (retention.days)": intent.retention.days is not None,
        "where it was collected (context.collected)": intent.context.collected,
        "where it is to be used (context.use)": intent.context.use,
        "which rows a model made (synthetic)": intent.synthetic.declared,
    }
    missing = [name for name, value in members.items() if not value]
    if missing:
        yield Finding.of(UNDECLARED, f"dataset.toml does not say: {'; '.join(missing)}")


def _needed(said: Declaration) -> set[str]:
    """Return the columns that are needed: those declared so, and those that are declared to be for something."""
    named_columns = said.columns
    return {
        *said.intent.purpose.columns,
        *named_columns.text,
        *named_columns.group,
        named_columns.label,
        named_columns.source,
        named_columns.url,
        named_columns.date,
        named_columns.licence,
        named_columns.account,
        named_columns.split,
        said.intent.synthetic.column,
    } - {""}


def _covered(name: str, needed: set[str]) -> bool:
    """Say whether a column, or one that it is part of or that is part of it, is needed."""
    parts = name.split(".")
    return any(".".join(parts[:end]) in needed for end in range(1, len(parts) + 1)) or any(
        each.startswith(f"{name}.") for each in needed
    )


def _column(place: Mapping[str, str], column: Column, declared: bool) -> Iterator[Item]:
    """Tell of a column that nobody declares to be needed."""
    reason = identifies(place["column"], column)
    if reason:
        level = Level.WARNING if declared else Level.NOTE
        yield Finding.of(IDENTIFYING, f"Column {named(place)} {reason}", level=level)
    elif declared:
        yield Finding.of(UNUSED, f"Column {named(place)} is not among those that are declared to be needed")


def identifies(name: str, column: Column) -> str:
    """Say why a column may identify people or rows; nothing when it does not look so."""
    if not column.values:
        return ""
    if TELLING.fullmatch(name):
        return "is named as one that identifies people"
    kind, many = kind_of(column), column.values >= FEWEST
    length = column.lengths.quantile(0.95) or 0.0
    word = kind == "text" and length <= SHORT and column.words <= 2 * column.values
    if many and column.different.once == 1.0 and (kind == "integer" or word):
        return f"has another value in each of {column.values:,} rows, as numbers and names of people have"
    return ""


def _retention(said: Retention, name: str, columns: Mapping[str, Mapping[str, Column]]) -> Iterator[Item]:
    if said.days is None:
        return
    yield Measurement("retention.days", str(said.days), unit="days")
    dated = {folder: found[name] for folder, found in columns.items() if name in found and found[name].days.total}
    if not dated:
        which = f"column {name!r} says no date" if name else "no column is declared to say from when a row is"
        yield Gap(f"how many rows are older than they are to be kept was not counted: {which}")
        return
    for folder, column in dated.items():
        place = {"column": name, **({"folder": folder} if folder else {})}
        oldest = _end(min(column.days.counts))
        expires = _later(oldest, said.days)
        yield Measurement("retention.expires", expires, n=column.days.total, slice=place)
        if said.as_of is None:
            continue
        limit = _later(said.as_of, -said.days)
        expired = column.days.before(limit)
        part = {**place, "as_of": said.as_of.isoformat()}
        yield Measurement("retention.expired", str(expired), n=column.days.total, slice=part)
        if expired:
            message = (
                f"{expired:,} of {column.days.total:,} rows are from before {limit}, and so were older than "
                f"{said.days:,} days on {said.as_of.isoformat()}"
            )
            yield Finding.of(EXPIRED, message, column=name)


def _end(day: str) -> date:
    """Return the last day that a date may be, when it says only the month or year."""
    year, month = int(day[:4]), int(day[5:7] or 12)
    if len(day) == 10:
        return date.fromisoformat(day)
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(1)


def _later(day: date, days: int) -> str:
    """Return the day so many days later; the last or first that there is when it lies outside of the calendar."""
    bounded = min(max(day.toordinal() + days, 1), date.max.toordinal())
    return date.fromordinal(bounded).isoformat()


def _context(said: Context) -> Iterator[Item]:
    if not said.collected or not said.use:
        return
    yield Measurement("context.collected", said.collected[:500])
    for use in said.use:
        yield Measurement("context.use", use[:500])
    if said.basis:
        yield Measurement("context.basis", said.basis[:500])
    others = [use for use in said.use if use.strip().lower() != said.collected.lower()]
    if others and not said.basis:
        message = (
            f"collected in {said.collected!r}, to be used for {', '.join(map(repr, others))}, and no basis is declared"
        )
        yield Finding.of(ELSEWHERE, message)
