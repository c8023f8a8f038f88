"""What makers of a data set declare of its purpose, and of the people and sources in it: sections of ``dataset.toml``.

.. code-block:: toml

    [purpose]
    text = "Sort letters of patients by urgency"
    columns = ["text", "label"]         # needed for it

    [retention]
    days = 730                          # counted from the day in the column columns.date
    as_of = 2026-01-31                  # when it was last applied

    [context]
    collected = "support forum for patients"
    use = ["research on triage"]
    basis = "consent of the authors"    # why it may be used elsewhere than where it was collected

    [reference.dialect]                 # shares that are to be represented, by value of a column
    north = 0.4
    south = 0.6

    [terms]                             # words that stand for a group of people in texts
    nurses = ["nurse", "nurses"]

    [synthetic]
    column = "generation"               # 0 for what people wrote, else how often it went through a model
    [synthetic.from]                    # or: sources that a model made, and what it made them from
    "round 2" = ["round 1"]
    "round 1" = ["letters"]

    [privacy.differential-privacy]      # what was done for privacy, with its parameters
    epsilon = 3.0
    unit = "person"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

MOST_TERMS = 1_000
"""Words of one group."""
MOST_DAYS = 365_000
LONGEST_PARAMETER = 200
"""Characters of a parameter of a technique."""
MOST_SOURCES = 1_000
"""Sources that a model made."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """``[purpose]``: what the data set is for, and what of it is needed for that."""

    text: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Retention:
    """``[retention]``: how long rows are kept."""

    days: int | None = None
    """Counted from the day that a row says."""
    as_of: date | None = None
    """The day up to which this was applied. What expires later depends on the day somebody asks."""


@dataclass(frozen=True, slots=True)
class Context:
    """``[context]``: where the data was collected, and where it is to be used."""

    collected: str = ""
    use: tuple[str, ...] = ()
    basis: str = ""
    """Why it may be used elsewhere than where it was collected."""


@dataclass(frozen=True, slots=True)
class Synthetic:
    """``[synthetic]``: which rows a model made."""

    column: str = ""
    """Says how often a row went through a model: a number, or true and false."""
    depths: Mapping[str, int] = field(default_factory=dict)
    """By source that a model made: how often it went through one, 1 when it was made from what people wrote."""

    @property
    def declared(self) -> bool:
        """Whether anything is said."""
        return bool(self.column or self.depths)


@dataclass(frozen=True, slots=True)
class Intent:
    """All of these sections."""

    purpose: Purpose = Purpose()
    retention: Retention = Retention()
    context: Context = Context()
    reference: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By column and value: the share that is to be represented."""
    terms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By group: words that stand for it, in lower case."""
    synthetic: Synthetic = Synthetic()
    privacy: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By technique: its parameters, as they are written."""


SECTIONS = frozenset({"purpose", "retention", "context", "reference", "terms", "synthetic", "privacy"})
"""Tables of ``dataset.toml`` that are read here."""


def read_intent(found: Mapping[str, Any], problems: list[str]) -> Intent:
    """Read the sections, and add a sentence to ``problems`` for all that cannot be understood."""
    reader = _Reader(problems)
    tables = {name: reader.table(found, name) for name in sorted(SECTIONS)}
    return Intent(
        purpose=Purpose(*reader.members("purpose", tables["purpose"], text=reader.text, columns=reader.names)),
        retention=Retention(*reader.members("retention", tables["retention"], days=reader.days, as_of=reader.day)),
        context=Context(
            *reader.members("context", tables["context"], collected=reader.text, use=reader.names, basis=reader.text)
        ),
        reference={name: reader.shares(f"reference.{name}", value) for name, value in tables["reference"].items()},
        terms={
            name: tuple(term.lower() for term in reader.names(f"terms.{name}", value)[:MOST_TERMS])
            for name, value in tables["terms"].items()
        },
        synthetic=_synthetic(tables["synthetic"], reader),
        privacy={name: reader.parameters(f"privacy.{name}", value) for name, value in tables["privacy"].items()},
    )


def _synthetic(table: Mapping[str, Any], reader: _Reader) -> Synthetic:
    found = reader.table(table, "from")
    made = {name: reader.names(f"synthetic.from.{name}", value) for name, value in found.items()}
    column = reader.text("synthetic.column", table["column"]) if "column" in table else ""
    reader.problems.extend(f"synthetic.{name} is not known" for name in sorted(table.keys() - {"column", "from"}))
    if len(made) > MOST_SOURCES:
        reader.problems.append(f"synthetic.from names more than {MOST_SOURCES:,} sources")
        return Synthetic(column)
    depths: dict[str, int] = {}
    while ready := [
        name for name in made.keys() - depths.keys() if not (set(made[name]) & made.keys()) - depths.keys()
    ]:
        depths |= {name: 1 + max((depths.get(parent, 0) for parent in made[name]), default=0) for name in ready}
    if circular := sorted(made.keys() - depths.keys()):
        reader.problems.append(f"synthetic.from: {', '.join(circular)} would be made from themselves")
    return Synthetic(column, {name: depths[name] for name in sorted(depths)})


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads members of tables, and collects what is wrong with them."""

    problems: list[str]

    def table(self, found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        table = found.get(name, {})
        if isinstance(table, dict):
            return table
        self.problems.append(f"[{name}] is not a table")
        return {}

    def members(self, section: str, table: Mapping[str, Any], **readers: Any) -> list[Any]:
        """Read the members of a table in the order of ``readers``; those that are not there are left as they are."""
        self.problems.extend(f"{section}.{name} is not known" for name in sorted(table.keys() - readers.keys()))
        empty = {self.text: "", self.names: (), self.days: None, self.day: None}
        return [
            read(f"{section}.{name}", table[name]) if name in table else empty[read] for name, read in readers.items()
        ]

    def text(self, name: str, value: Any) -> str:
        if isinstance(value, str):
            return value.strip()
        self.problems.append(f"{name} is not a text")
        return ""

    def names(self, name: str, value: Any) -> tuple[str, ...]:
        listed = [value] if isinstance(value, str) else value
        if isinstance(listed, list) and all(isinstance(each, str) for each in listed):
            return tuple(listed)
        self.problems.append(f"{name} is not a list of texts")
        return ()

    def days(self, name: str, value: Any) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_DAYS:
            return value
        self.problems.append(f"{name} is not a number of days")
        return None

    def day(self, name: str, value: Any) -> date | None:
        if type(value) is date:
            return value
        self.problems.append(f"{name} is not a date like 2026-01-31")
        return None

    def parameters(self, name: str, value: Any) -> Mapping[str, str]:
        if isinstance(value, dict) and all(isinstance(each, str | int | float) for each in value.values()):
            return {key: str(each)[:LONGEST_PARAMETER] for key, each in value.items()}
        self.problems.append(f"{name} is not a table of texts and numbers")
        return {}

    def shares(self, name: str, value: Any) -> Mapping[str, float]:
        numbers = value if isinstance(value, dict) else {}
        good = {key: float(each) for key, each in numbers.items() if isinstance(each, int | float) and 0 <= each <= 1}
        if not good or good.keys() != numbers.keys() or sum(good.values()) > 1.001:
            self.problems.append(f"{name} is not a table of shares between 0 and 1 that are 1 together at most")
            return {}
        return good
