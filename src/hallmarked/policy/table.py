"""Read TOML that people wrote, so that a mistake is told with the file and the line it stands in.

Specification: https://toml.io/en/v1.0.0. The parser of the standard library knows no lines, so that the text is gone
through once more for headers and keys; these only inform.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NoReturn, TypeVar

from hallmarked.core.errors import FormatError, InputError
from hallmarked.formats.toml import read_toml

MOST_BYTES = 1 << 20
MOST_TEXT = 4000
"""Characters of one text."""
MOST_ITEMS = 1000
"""Items of one list."""
_HEADER = re.compile(r"\s*\[(\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:"[^"\\]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"\\]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=""")
_PART = re.compile(r""""([^"\\]*)"|'([^']*)'|([A-Za-z0-9_-]+)""")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
Path = tuple[str | int, ...]
Choice = TypeVar("Choice", bound=str)


class Source:
    """A file, and where its parts stand.

    Args:
        data: The bytes of the file.
        name: How it is called in messages.

    Raises:
        InputError: When it is no TOML.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        if len(data) > MOST_BYTES:
            raise InputError(f"{name}: larger than {MOST_BYTES:,} bytes, which no policy needs")
        try:
            self.root = read_toml(data, parse_float=float)
        except FormatError as error:
            raise InputError(f"{name}: this is {error}") from None
        self._lines = dict(_find_lines(data.decode()))

    def place(self, path: Path) -> str:
        """Return the file and the line of a part, or of the closest one around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return f"{self.name}:{self._lines[path]}" if path else self.name

    def table(self, known: Collection[str]) -> Table:
        """Return the whole file as a table with these keys.

        Raises:
            InputError: When there are other keys.
        """
        return Table(self, (), self.root, known)


class Table:
    """One table of a file. Every mistake is an ``InputError`` that names the line.

    Args:
        source: The file.
        path: Where in it.
        values: What stands there.
        known: The keys it may have.

    Raises:
        InputError: When it is no table or has other keys.
    """

    def __init__(self, source: Source, path: Path, values: object, known: Collection[str]) -> None:
        self.source, self.path = source, path
        if not isinstance(values, dict):
            self.values: Mapping[str, Any] = {}
            self.fail("", "has to be a table")
        self.values = values
        for key in values:
            if key not in known:
                self.fail(key, f"{key} is not known here; there are: {', '.join(known)}")

    def __contains__(self, key: str) -> bool:
        return key in self.values

    @property
    def place(self) -> str:
        """File and line."""
        return self.source.place(self.path)

    def fail(self, key: str, sentence: str) -> NoReturn:
        """Say what is wrong with a key, or with the table.

        Raises:
            InputError: Always.
        """
        raise InputError(f"{self.source.place((*self.path, key) if key else self.path)}: {sentence}")

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default it has to be there.

        Raises:
            InputError: When it is missing, empty, too long or something else.
        """
        if key not in self.values and default is not None:
            return default
        value = self.values.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.fail(key, f'{key} has to be written as text: {key} = "{value}"')
        if not isinstance(value, str) or not value.strip() or len(value) > MOST_TEXT:
            self.fail(key, f"{key} {'has to be a text' if key in self.values else 'is missing'}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, each once; empty when it is not there.

        Raises:
            InputError: When it is something else.
        """
        value = self.values.get(key, [])
        if not isinstance(value, list) or len(value) > MOST_ITEMS or not all(_is_text(item) for item in value):
            self.fail(key, f"{key} has to be a list of texts")
        return tuple(dict.fromkeys(value))

    def choice(self, key: str, options: Mapping[str, Choice], default: Choice) -> Choice:
        """Return one of some words.

        Raises:
            InputError: When it is none of them.
        """
        word = self.text(key, default)
        if word not in options:
            self.fail(key, f"{key} is {word!r}; there are: {', '.join(options)}")
        return options[word]

    def languages(self, key: str) -> dict[str, str]:
        """Return a text in one or more languages, English among them; empty when it is not there.

        Raises:
            InputError: When it is something else.
        """
        if key not in self.values:
            return {}
        value = self.values[key]
        if not isinstance(value, dict) or not all(_LANGUAGE.fullmatch(code) for code in value):
            self.fail(key, f'{key} has to be a text for each language: {key} = {{ en = "…" }}')
        inner = Table(self.source, (*self.path, key), value, value)
        if "en" not in value:
            self.fail(key, f"{key} needs a text in English (en)")
        return {code: inner.text(code) for code in value}

    def words(self, key: str) -> dict[str, str]:
        """Return a table of texts; empty when it is not there.

        Raises:
            InputError: When it is something else.
        """
        value = self.values.get(key, {})
        if not isinstance(value, dict) or len(value) > MOST_ITEMS:
            self.fail(key, f"{key} has to be a table of texts")
        inner = Table(self.source, (*self.path, key), value, value)
        return {name: inner.text(name) for name in value}

    def rows(self, key: str, known: Collection[str]) -> list[Table]:
        """Return a list of tables.

        Raises:
            InputError: When it is something else.
        """
        value = self.values.get(key, [])
        if not isinstance(value, list) or len(value) > MOST_ITEMS:
            self.fail(key, f"{key} has to be a list of at most {MOST_ITEMS:,} tables")
        return [Table(self.source, (*self.path, key, index), row, known) for index, row in enumerate(value)]

    def tables(self, key: str, known: Collection[str]) -> dict[str, Table]:
        """Return the tables below a key, by name.

        Raises:
            InputError: When it is something else.
        """
        value = self.values.get(key, {})
        if not isinstance(value, dict) or len(value) > MOST_ITEMS:
            self.fail(key, f"{key} has to be at most {MOST_ITEMS:,} tables")
        return {name: Table(self.source, (*self.path, key, name), inner, known) for name, inner in value.items()}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MOST_TEXT


def _find_lines(text: str) -> Iterator[tuple[Path, int]]:
    """Yield where headers and keys stand, counted from 1."""
    counts: dict[Path, int] = {}
    here: Path = ()
    closing = ""
    for number, line in enumerate(text.split("\n"), 1):
        if closing:  # inside of a text over several lines
            closing = "" if closing in line else closing
            continue
        if header := _HEADER.match(line):
            here = _resolve(_parts(header[2]), counts, repeated=bool(header[1]))
            yield here, number
        elif key := _KEY.match(line):
            parts = _parts(key[1])
            yield from (((*here, *parts[:count]), number) for count in range(1, len(parts) + 1))
        closing = next((mark for mark in ('"""', "'''") if line.count(mark) % 2), "")


def _parts(key: str) -> list[str]:
    return [next(part for part in found if part or found == ("", "", "")) for found in _PART.findall(key)]


def _resolve(parts: list[str], counts: dict[Path, int], *, repeated: bool) -> Path:
    """Return the path of a header: of a list of tables, the one that was begun last is meant."""
    path: Path = ()
    for part in parts[:-1]:
        path = (*path, part)
        if path in counts:
            path = (*path, counts[path])
    path = (*path, *parts[-1:])
    if repeated:
        counts[path] = counts.get(path, -1) + 1
        return (*path, counts[path])
    return path
