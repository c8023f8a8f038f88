"""Rule packs: which training runs somebody must hear of, from which day to which, as files that can be swapped.

A pack is a TOML file. A rule holds when everything under ``when`` holds and, where there is ``any``, at least one thing
under that. How much is computed always counts: the number of parameters alone never covers a run, and a rule that would
do so is refused. A rule id stands several times when its threshold changes, each with its own days.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.resources import files
from itertools import pairwise, product
from pathlib import Path
from typing import Any

from hallmarked.core.errors import FormatError, InputError
from hallmarked.formats.toml import read_toml
from hallmarked.policy.requirement import Operator, Requirement, decimal
from hallmarked.profiles.language import Text

MOST_BYTES = 1 << 20
MOST_RULES = 1000
MOST_CONDITIONS = 50
MOST_TEXT = 2000
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
COMPUTE = frozenset({"run.operations", "cluster.peak"})
"""At least one of these is in every rule."""
NUMBERS = COMPUTE | {"run.parameters", "run.tokens", "cluster.network", "cluster.centres"}
FACTORS = ("cbrn", "scale", "novelty")
WORDS = frozenset({"run.data", *(f"context.{name}" for name in FACTORS)})
OPERATORS = tuple(op for op in Operator if op not in {Operator.PRESENT, Operator.ABSENT})
STAGES = ("no-further-report", "stage-two")
COMBINATIONS = tuple(product((False, True), repeat=len(FACTORS)))
"""Every combination of the risk factors."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason for which a run is covered."""

    id: str
    begins: date
    ends: date | None
    """Last day on which it holds; None when no end is known."""
    title: Text
    duty: Text
    """What follows."""
    source: str
    when: tuple[Requirement, ...]
    """All of these hold."""
    any: tuple[Requirement, ...] = ()
    """At least one of these holds, where there are any."""

    def holds_on(self, day: date) -> bool:
        """Say whether it is in force on a day."""
        return self.begins <= day and (self.ends is None or day <= self.ends)


@dataclass(frozen=True, slots=True)
class Pack:
    """Rules with their days."""

    id: str
    title: Text
    source: str
    checked: date
    """When somebody last held it against its source."""
    digest: str
    """SHA-256 of the file."""
    rules: tuple[Rule, ...]
    note: Text = field(default_factory=dict)
    stages: Mapping[tuple[bool, ...], str] = field(default_factory=dict)
    """What each combination of risk factors leads to; empty when the pack has no stages."""
    questions: Mapping[str, Text] = field(default_factory=dict)
    """What the second stage asks, by id."""


def shipped() -> tuple[str, ...]:
    """Return the names of the packs that come with the program."""
    folder = files("hallmarked.profiles.run") / "pack"
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


def load_pack(name: str) -> Pack:
    """Read a pack that comes with the program, by name, or from a file.

    Raises:
        InputError: When there is none, or it is not a pack.
    """
    if name in shipped():
        data = (files("hallmarked.profiles.run") / "pack" / f"{name}.toml").read_bytes()
        return read_pack(data, f"{name}.toml")
    if NAME.fullmatch(name) and not Path(name).exists():
        raise InputError(f"no rule pack is called {name}; there are {', '.join(shipped())}, or name a file")
    try:
        with Path(name).open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{name}: {(error.strerror or 'cannot be read').lower()}") from error
    return read_pack(data, Path(name).name)


def read_pack(data: bytes, name: str) -> Pack:
    """Read a rule pack.

    Args:
        data: The TOML file.
        name: Its name, for messages.

    Raises:
        InputError: When it is not one; the message names each line with what is wrong there.
    """
    if len(data) > MOST_BYTES:
        raise InputError(f"{name} is larger than {MOST_BYTES >> 20} MiB, more than any rule pack")
    try:
        tables = read_toml(data, parse_float=float)
    except FormatError as error:
        raise InputError(f"{name} is {error}") from error
    reader = _Reader(name, data.decode("utf-8"), tables)
    pack = reader.read(hashlib.sha256(data).hexdigest())
    if reader.problems or pack is None:
        raise InputError("; ".join(reader.problems[:5]))
    return pack


class _Wrong(Exception):
    """Something in a table is wrong; ``near`` is a text on its line. Never leaves this module."""

    def __init__(self, message: str, near: str = "") -> None:
        super().__init__(message)
        self.near = near


class _Reader:
    """Reads a parsed file and gathers what is wrong with it, by line."""

    def __init__(self, name: str, text: str, tables: Mapping[str, Any]) -> None:
        self.name, self.tables, self.problems = name, tables, list[str]()
        self._lines = text.splitlines()

    def read(self, digest: str) -> Pack | None:
        """Read all of it; None when the head is wrong."""
        for key in sorted(self.tables.keys() - {"pack", "rule", "stages", "question"}):
            self._note(self._find(key), f"{key!r} is not known here")
        rules = tuple(self._each("rule", _rule))
        self._check_days(rules)
        questions = dict(self._each("question", _question))
        stages = self._try(0, "stages", lambda: _stages(self.tables.get("stages")))
        head = self._try(0, "pack", lambda: _head(self.tables.get("pack")))
        if not rules and not self.problems:
            self._note(0, "there is no rule")
        if head is None:
            return None
        known = [rule for rule in rules if rule is not None]
        return Pack(**head, digest=digest, rules=tuple(known), stages=stages or {}, questions=questions)

    def _each(self, key: str, read: Callable[[Any], Any]) -> Iterator[Any]:
        listed = self.tables.get(key, [])
        if not isinstance(listed, list) or len(listed) > MOST_RULES:
            self._note(self._find(key), f"{key} is not a list of at most {MOST_RULES:,}")
            return
        for at, row in enumerate(listed):
            made = self._try(at, key, lambda row=row: read(row))  # type: ignore[misc]
            if made is not None:
                yield made

    def _try(self, at: int, key: str, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except _Wrong as error:
            self._note(self._find(key, at, error.near), f"{error}")
            return None

    def _check_days(self, rules: Sequence[Rule]) -> None:
        listed = [row for row in self.tables.get("rule", []) if isinstance(row, dict)] if rules else []
        places = {(row.get("id"), row.get("from")): at for at, row in enumerate(listed)}
        by_id: dict[str, list[Rule]] = {}
        for rule in rules:
            by_id.setdefault(rule.id, []).append(rule)
        for same in by_id.values():
            ordered = sorted(same, key=lambda rule: rule.begins)
            for earlier, later in pairwise(ordered):
                if earlier.ends is None or earlier.ends >= later.begins:
                    until = "has no end" if earlier.ends is None else f"ends on {earlier.ends}"
                    line = self._find("rule", places.get((later.id, later.begins), 0), "from")
                    self._note(
                        line,
                        f"rule {later.id} begins on {later.begins}, and the one of the same id that begins on "
                        f"{earlier.begins} {until}: their days overlap",
                    )

    def _find(self, key: str, at: int = 0, near: str = "") -> int:
        """Return the line, from 1, of a table, or in it of a text; 0 when it cannot be told."""
        heads = [n for n, line in enumerate(self._lines) if re.match(rf"\s*\[+\s*{re.escape(key)}\s*\]", line)]
        if at >= len(heads):
            found = next((n for n, line in enumerate(self._lines) if re.match(rf"\s*\[*{re.escape(key)}\b", line)), -1)
            return found + 1
        start = heads[at]
        stop = next(
            (n for n in range(start + 1, len(self._lines)) if re.match(r"\s*\[{1,2}[\w\"]", self._lines[n])), None
        )
        inside = range(start, len(self._lines) if stop is None else stop)
        return next((n for n in inside if near and near in self._lines[n]), start) + 1

    def _note(self, line: int, message: str) -> None:
        self.problems.append(f"{self.name}{f', line {line}' if line else ''}: {message}")


def _head(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise _Wrong("[pack] is missing: id, title, source, checked")
    _known(row, {"id", "title", "source", "checked", "note"})
    head = {"id": _name(row), "title": _text(row, "title"), "source": _string(row, "source")}
    return {**head, "checked": _day(row, "checked"), "note": _text(row, "note") if "note" in row else {}}


def _rule(row: Any) -> Rule:
    if not isinstance(row, dict):
        raise _Wrong("a rule is a table")
    _known(row, {"id", "from", "to", "title", "duty", "source", "when", "any"})
    name, begins = _name(row), _day(row, "from")
    ends = _day(row, "to") if "to" in row else None
    if ends is not None and ends < begins:
        raise _Wrong(f"rule {name} ends on {ends}, before it begins on {begins}", "to")
    when, any_ = _conditions(row, "when", name), _conditions(row, "any", name) if "any" in row else ()
    if not when:
        raise _Wrong(f"rule {name} has no condition", "when")
    if not {one.path for one in when} & COMPUTE:
        raise _Wrong(
            f"rule {name} does not ask how much is computed ({' or '.join(sorted(COMPUTE))}); the number of parameters "
            "or what a model is for never covers a run alone",
            "when",
        )
    return Rule(name, begins, ends, _text(row, "title"), _text(row, "duty"), _string(row, "source"), when, any_)


def _conditions(row: Mapping[str, Any], key: str, owner: str) -> tuple[Requirement, ...]:
    listed = row.get(key)
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_CONDITIONS:
        raise _Wrong(f"rule {owner}: {key} is not a list of 1 to {MOST_CONDITIONS} conditions", key)
    return tuple(_condition(each, f"{owner}.{key}-{number}") for number, each in enumerate(listed, 1))


def _condition(row: Any, name: str) -> Requirement:
    if not isinstance(row, dict):
        raise _Wrong(f"{name} is not a table of path, op and value")
    path = row.get("path")
    if not isinstance(path, str) or path not in NUMBERS | WORDS:
        shown = str(path)[:60]
        raise _Wrong(f"{shown!r} is nothing a plan says; there are {', '.join(sorted(NUMBERS | WORDS))}", f'"{shown}"')
    _known(row, {"path", "op", "value"}, f'"{path}"')
    op, value = row.get("op"), row.get("value")
    if op not in list(OPERATORS):
        raise _Wrong(f"{str(op)[:20]!r} is no operator; there are {', '.join(OPERATORS)}", f'"{op}"')
    operator = Operator(op)
    if operator is Operator.IN:
        if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
            raise _Wrong(f"the value of {path} in is not a list of texts", f'"{path}"')
        return Requirement(name, path, operator, tuple(value))
    if not isinstance(value, str) or not value or len(value) > 100:
        raise _Wrong(f"the value of {path} is not a text, which numbers are written as too", f'"{path}"')
    if path in NUMBERS and decimal(value) is None:
        raise _Wrong(f"{value!r} is no number that {path} could be compared with", f'"{value}"')
    if operator.orders and path in WORDS:
        raise _Wrong(f"{path} is a word, which {op} cannot compare", f'"{path}"')
    return Requirement(name, path, operator, value)


def _stages(table: Any) -> dict[tuple[bool, ...], str]:
    if table is None:
        return {}
    if not isinstance(table, dict):
        raise _Wrong("[stages] is not a table")
    words = {" ".join("yes" if each else "no" for each in factors): factors for factors in COMBINATIONS}
    for key, value in table.items():
        if key not in words:
            raise _Wrong(f"{key[:40]!r} is no combination of {', '.join(FACTORS)}, such as 'no yes no'", key)
        if value not in STAGES:
            raise _Wrong(f"{str(value)[:40]!r} is no outcome; there are {' and '.join(STAGES)}", str(value))
    missing = [key for key in words if key not in table]
    if missing:
        raise _Wrong(f"[stages] does not say what {missing[0]!r} leads to; all {len(words)} combinations are needed")
    return {factors: table[key] for key, factors in words.items()}


def _question(row: Any) -> tuple[str, Text]:
    if not isinstance(row, dict):
        raise _Wrong("a question is a table")
    _known(row, {"id", "text"})
    return _name(row), _text(row, "text")


def _known(row: Mapping[str, Any], names: set[str], near: str = "") -> None:
    unknown = sorted(row.keys() - names)
    if unknown:
        raise _Wrong(f"{unknown[0]!r} is not known here; there are {', '.join(sorted(names))}", near or unknown[0])


def _name(row: Mapping[str, Any]) -> str:
    value = row.get("id")
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise _Wrong("id is missing, or not made of small letters, digits and hyphens", "id")
    return value


def _day(row: Mapping[str, Any], key: str) -> date:
    value = row.get(key)
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _Wrong(f"{key} is not a day such as 2026-01-31, without quotes", key)
    return value


def _string(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not _is_text(value):
        raise _Wrong(f"{key} is missing, or not a text of at most {MOST_TEXT:,} characters", key)
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= MOST_TEXT


def _text(row: Mapping[str, Any], key: str) -> Text:
    value = row.get(key)
    if isinstance(value, dict) and "en" in value and all(map(_is_text, value.values())):
        return dict(value)
    raise _Wrong(f"{key} is missing, or has no English text ({key}.en)", key)
