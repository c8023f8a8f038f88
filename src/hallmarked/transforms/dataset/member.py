"""Read the members of a TOML file, and say all that is wrong with them at once, each with its line.

TOML: https://toml.io/en/v1.0.0. The standard library's reader knows no lines; they are found again by the headers of
tables and the names before ``=``, which is right but inside of texts of several lines.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hallmarked.core.errors import FormatError, InputError
from hallmarked.core.text import is_invisible
from hallmarked.formats.toml import read_toml

MOST_BYTES = 1 << 20
MOST_SHOWN = 20
"""Problems that are told; who has more has another problem."""
_HEADER = re.compile(r"\s*\[(\[?)\s*([\w\-. \"']+?)\s*\]\]?\s*(#.*)?$")
_NAME = re.compile(r"\s*([\w\-]+|\"[^\"]*\")\s*(?:\.[\w\-. ]+)?=")
_T = TypeVar("_T")


@dataclass(slots=True)
class Problems:
    """What is wrong with a file."""

    lines: Mapping[str, int]
    """Line of each member by its path, e.g. ``source[1].path``."""
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, path: str, message: str) -> None:
        """Say what is wrong with a member."""
        line = self.lines.get(path) or self.lines.get(path.rpartition(".")[0], 0)
        self.found.append((line, f"line {line}: {path} {message}" if line else f"{path} {message}"))

    def refuse(self, name: str) -> None:
        """Refuse the file when anything is wrong with it.

        Raises:
            InputError: With all of it.
        """
        if not self.found:
            return
        said = [message for _, message in sorted(self.found, key=lambda each: each[0])]
        more = f"; and {len(said) - MOST_SHOWN} more" if len(said) > MOST_SHOWN else ""
        raise InputError(f"{name} cannot be used: {'; '.join(said[:MOST_SHOWN])}{more}")


@dataclass(slots=True)
class Table:
    """A table of the file. Every member has to be asked for; what nobody asked for is not known."""

    path: str
    """How it is named in the file; empty for the file itself."""
    values: Mapping[str, Any]
    problems: Problems
    asked: set[str] = field(default_factory=set)

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def problem(self, name: str, message: str) -> None:
        """Say what is wrong with a member of this table."""
        self.problems.add(self._at(name), message)

    def _get(self, name: str, kind: type[_T] | tuple[type, ...], words: str) -> Any:
        self.asked.add(name)
        value = self.values.get(name)
        if value is None or (isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool)):
            return value
        self.problem(name, f"is not {words}")
        return None

    def text(self, name: str, default: str = "", *, required: bool = False, most: int = 2_000) -> str:
        """Return a text."""
        value = self._get(name, str, "a text")
        if isinstance(value, str) and (len(value) > most or any(map(is_invisible, value.replace("\n", "")))):
            self.problem(name, f"is longer than {most:,} characters, or has some that do not show")
        if required and self.values.get(name) in (None, ""):
            self.problem(name, "is missing or empty")
        return value if isinstance(value, str) else default

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """Return one of a few words."""
        value = self.text(name, default)
        if value in choices:
            return value
        self.problem(name, f"is not one of {', '.join(choices)}")
        return default

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; a single one will do."""
        self.asked.add(name)
        value = self.values.get(name, [])
        listed = [value] if isinstance(value, str) else value
        if isinstance(listed, list) and all(isinstance(each, str) and each for each in listed):
            if len(set(listed)) < len(listed):
                self.problem(name, "names something twice")
            return tuple(listed)
        self.problem(name, "is not a list of texts")
        return ()

    def number(self, name: str, least: float, most: float, default: float | None = None) -> float | None:
        """Return a number between two others."""
        value = self._get(name, (int, float), "a number")
        if value is None:
            return default
        if not math.isfinite(value) or not least <= value <= most:
            self.problem(name, f"is not between {least:,g} and {most:,g}")
            return default
        return float(value)

    def whole(self, name: str, least: int, most: int, default: int | None = None) -> int | None:
        """Return a whole number between two others."""
        value = self._get(name, int, "a whole number")
        if value is None:
            return default
        if not least <= value <= most:
            self.problem(name, f"is not between {least:,} and {most:,}")
            return default
        return int(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """Return true or false."""
        value = self._get(name, bool, "true or false")
        return default if value is None else bool(value)

    def day(self, name: str) -> datetime.date | None:
        """Return a day, written like 2026-11-21."""
        value = self._get(name, datetime.date, "a day like 2026-11-21")
        if isinstance(value, datetime.datetime):
            self.problem(name, "is not a day like 2026-11-21")
            return None
        return value if isinstance(value, datetime.date) else None

    def value(self, name: str) -> Any:
        """Return a text, a number or a truth value as it is."""
        return self._get(name, (str, int, float, bool), "a text, a number, true or false")

    def values_of(self, name: str) -> tuple[Any, ...]:
        """Return a list of such values."""
        value = self._get(name, list, "a list")
        if value is None:
            return ()
        if not all(isinstance(each, (str, int, float, bool)) for each in value):
            self.problem(name, "is not a list of texts and numbers")
            return ()
        return tuple(value)

    def has(self, name: str) -> bool:
        """Say whether a member is there."""
        return name in self.values

    def table(self, name: str) -> Table:
        """Return a table; an empty one when it is not there."""
        value = self._get(name, dict, "a table")
        return Table(self._at(name), value or {}, self.problems)

    def tables(self, name: str, most: int = 1_000) -> Iterator[Table]:
        """Yield the tables of a list."""
        value = self._get(name, list, f"a list: write [[{name}]] above each")
        if value is not None and len(value) > most:
            self.problem(name, f"has more than {most:,} entries")
            return
        for index, each in enumerate(value or []):
            path = f"{self._at(name)}[{index + 1}]"
            if isinstance(each, dict):
                yield Table(path, each, self.problems)
            else:
                self.problems.add(path, "is not a table")

    def finish(self) -> None:
        """Say which members are there that nobody asked for."""
        for name in self.values.keys() - self.asked:
            known = ", ".join(sorted(self.asked))
            self.problem(name, f"is not known; known are {known}")


def parse_toml(data: bytes, name: str) -> Table:
    """Parse a file.

    Raises:
        InputError: When it is too large, or no TOML.
    """
    if len(data) > MOST_BYTES:
        raise InputError(f"{name} is larger than {MOST_BYTES >> 20} MiB")
    try:
        values = read_toml(data, parse_float=float)
    except FormatError as error:
        raise InputError(f"{name} is {error}") from error
    return Table("", values, Problems(_find_lines(data.decode("utf-8"))))


def _find_lines(text: str) -> dict[str, int]:
    """Return the line of each table and member, by path."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    place = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            place = _place(header[2].replace(" ", ""), bool(header[1]), counts)
            lines.setdefault(place, number)
        elif name := _NAME.match(line):
            member = name[1].strip('"')
            lines.setdefault(f"{place}.{member}" if place else member, number)
    return lines


def _place(name: str, repeated: bool, counts: dict[str, int]) -> str:
    """Return the path of a table: lists above it stand for their newest entry."""
    place = ""
    *above, last = name.split(".")
    for each in above:
        place = f"{place}.{each}" if place else each
        if place in counts:
            place = f"{place}[{counts[place]}]"
    place = f"{place}.{last}" if place else last
    if repeated:
        counts[place] = counts.get(place, 0) + 1
        return f"{place}[{counts[place]}]"
    return place
