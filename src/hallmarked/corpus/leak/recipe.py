"""Recipes: which columns of a benchmark make its items, and which of their values is the answer."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from hallmarked.core.errors import FormatError
from hallmarked.corpus.leak.item import BenchmarkItem
from hallmarked.formats.toml import read_toml

PATH = "benchmark.toml"
"""Where a benchmark's own recipe lies."""
MOST_BYTES = 1 << 16
_LISTS = ("question", "answer", "choices", "id", "files")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a row becomes an item. Columns in objects are named as ``choices.text``, whatever their case."""

    name: str
    question: tuple[str, ...]
    """Columns that together are what a model is asked."""
    answer: tuple[str, ...] = ()
    """Columns with the answer: its text, or its number, letter or label among the choices."""
    choices: tuple[str, ...] = ()
    """One column with a list of choices, or several with one each."""
    labels: str = ""
    """Column with the labels of the choices."""
    first: int = 0
    """The number by which answers call the first choice."""
    id: tuple[str, ...] = ()
    """Columns by whose values the benchmark calls an item."""
    files: tuple[str, ...] = ()
    """Files that hold the items; all tables, less those of a training split, when there are none."""

    def fits(self, columns: frozenset[str]) -> bool:
        """Say whether all columns are there, given names in small letters."""
        needed = (*self.question, *self.answer, *self.choices, *([self.labels] if self.labels else []))
        return all(name.lower() in columns for name in needed)

    def item(self, row: Mapping[str, Any], place: str) -> BenchmarkItem:
        """Make an item of a row.

        Args:
            row: Its values by column.
            place: What to call the item when it has no name of its own.
        """
        question = "\n".join(_text(value) for name in self.question for value in values(row, name))
        names = [_text(value) for name in self.id for value in values(row, name)]
        given = [value for name in self.answer for value in values(row, name)]
        choices = [_text(value) for name in self.choices for value in values(row, name)]
        labels = [_text(value) for value in values(row, self.labels)] if self.labels else []
        chosen = [_choose(value, choices, labels, self.first) for value in given] if choices else map(_text, given)
        return BenchmarkItem("/".join(names) or place, question, "\n".join(dict.fromkeys(chosen)))


def values(row: Any, name: str) -> list[Any]:
    """Return what stands at a place of a row, without nulls; several values when a list lies on the way."""
    found = [row]
    for step in name.lower().split("."):
        inner: list[Any] = []
        for each in found:
            if isinstance(each, Mapping):
                inner += [value for key, value in each.items() if str(key).lower() == step]
        found = [value for each in inner for value in (each if isinstance(each, list | tuple) else [each])]
    return [value for value in found if value is not None]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "\n".join(_text(inner) for inner in value.values() if inner is not None)
    return "\n".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)


def _choose(value: Any, choices: Sequence[str], labels: Sequence[str], first: int) -> str:
    """Return the choice that an answer means; the answer itself when it means none."""
    said = _text(value).strip()
    if said in labels and labels.index(said) < len(choices):
        return choices[labels.index(said)]
    if len(said) == 1 and said.upper() in string.ascii_uppercase:
        number = string.ascii_uppercase.index(said.upper())
    elif said.isascii() and said.isdigit() and len(said) < 4:
        number = int(said) - first
    else:
        return said
    return choices[number] if 0 <= number < len(choices) else said


@cache
def known_recipes() -> Sequence[Recipe]:
    """Return the recipes of common benchmarks, the more special ones first."""
    text = files("hallmarked.corpus.leak").joinpath("recipe.toml").read_text("utf-8")
    return [_recipe(each, str(each["name"])) for each in tomllib.loads(text)["recipe"]]


def choose_recipe(columns: Iterable[str]) -> Recipe | None:
    """Return the first known recipe that fits; None when none does."""
    small = frozenset(name.lower() for name in columns)
    return next((recipe for recipe in known_recipes() if recipe.fits(small)), None)


def parse_recipe(data: bytes) -> Recipe:
    """Read a benchmark's own recipe.

    Raises:
        FormatError: When it cannot be understood; the message names all that is wrong.
    """
    if len(data) > MOST_BYTES:
        raise FormatError(f"{PATH} is larger than {MOST_BYTES >> 10} KiB")
    try:
        table = read_toml(data, parse_float=float)
    except FormatError as error:
        raise FormatError(f"{PATH} is {error}") from error
    return _recipe(table, PATH)


def _recipe(table: Mapping[str, Any], name: str) -> Recipe:
    found: dict[str, Any] = {"name": name}
    problems = []
    for key, value in table.items():
        listed = [value] if isinstance(value, str) else value
        if key in _LISTS and isinstance(listed, list) and listed and all(isinstance(each, str) for each in listed):
            found[key] = tuple(listed)
        elif (key in ("name", "labels") and isinstance(value, str)) or (
            key == "first" and type(value) is int and 0 <= value < 10
        ):
            found[key] = value
        else:
            problems.append(f"{key!r} is not known, or not of the right kind")
    if "question" not in found:
        problems.append("'question' must name the columns that a model is asked")
    if problems:
        raise FormatError(f"{PATH}: {'; '.join(problems)}")
    return Recipe(**found)
