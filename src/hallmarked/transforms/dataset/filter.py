"""Filters: which rows of a batch a rule removes.

A filter looks at one row at a time. What it is called is the reason in the account of every row it removes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import re2

from hallmarked.transforms.dataset.member import Table

Mask: TypeAlias = npt.NDArray[np.bool_]
_NAME = re.compile(r"[a-z][a-z0-9-]{0,47}", re.ASCII)
MOST_PATTERN = 10_000
MOST_COUNT = 1 << 31


@dataclass(frozen=True, slots=True)
class Filter:
    """A rule that removes rows."""

    name: str
    kind: str
    """Which rule, a key of :data:`KINDS`."""
    settings: Mapping[str, Any]

    def removed(self, batch: pa.RecordBatch, texts: Sequence[str]) -> Mask:
        """Say which rows of a batch it removes, given their texts.

        Raises:
            KeyError: When it asks for a column that the rows do not have.
        """
        return KINDS[self.kind](self.settings, batch, texts)


def read_filter(table: Table) -> Filter | None:
    """Read ``[[filter]]``; None when something is wrong with it, which was said then."""
    name = table.text("name", required=True)
    if name and not _NAME.fullmatch(name):
        table.problem("name", "is not made of small letters, digits and hyphens, a letter first")
    found = [kind for kind in READERS if table.has(kind)]
    if len(found) != 1:
        said = "has none of" if not found else "has more than one of"
        table.problem("name", f"{said} {', '.join(READERS)}")
        table.asked |= set(READERS)
        return None
    settings = READERS[found[0]](table)
    table.finish()
    return None if settings is None else Filter(name, found[0], settings)


def _read_range(member: str, most: float) -> Callable[[Table], Mapping[str, Any] | None]:
    """Read ``member = {least = …, most = …}``."""

    def read(table: Table) -> Mapping[str, Any] | None:
        inner = table.table(member)
        least, greatest = inner.number("least", 0, most), inner.number("most", 0, most)
        if least is None and greatest is None:
            inner.problem("least", "and most are missing: it needs one of them")
        inner.finish()
        return {"least": least, "most": greatest}

    return read


def _read_pattern(member: str) -> Callable[[Table], Mapping[str, Any] | None]:
    def read(table: Table) -> Mapping[str, Any] | None:
        pattern = table.text(member, required=True, most=MOST_PATTERN)
        try:
            re2.compile(pattern, _options())
        except re2.error as error:
            said = error.args[0] if error.args else error
            table.problem(member, f"is no regular expression: {said.decode() if isinstance(said, bytes) else said}")
            return None
        return {"pattern": pattern}

    return read


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options


def _read_column(table: Table) -> Mapping[str, Any] | None:
    """Read a condition on a column; rows that do not meet it are removed."""
    settings = {
        "column": table.text("column", required=True),
        "least": table.number("least", -1e300, 1e300),
        "most": table.number("most", -1e300, 1e300),
        "one-of": table.values_of("one-of") if table.has("one-of") else None,
        "none-of": table.values_of("none-of") if table.has("none-of") else None,
        "present": table.flag("present") if table.has("present") else None,
    }
    if all(value is None for key, value in settings.items() if key != "column"):
        table.problem("column", "needs a condition: least, most, one-of, none-of or present")
    return settings


def _outside(values: npt.NDArray[np.float64], settings: Mapping[str, Any]) -> Mask:
    """Say which numbers lie outside of a range."""
    least, most = settings["least"], settings["most"]
    outside = np.zeros(len(values), bool)
    if least is not None:
        outside |= values < least
    if most is not None:
        outside |= values > most
    return outside


def _each(measure: Callable[[str], float]) -> Callable[..., Mask]:
    """Make a rule of a number that every text has."""

    def removed(settings: Mapping[str, Any], _batch: pa.RecordBatch, texts: Sequence[str]) -> Mask:
        return _outside(np.fromiter(map(measure, texts), np.float64, len(texts)), settings)

    return removed


def repeated_lines(text: str) -> float:
    """Return the share of a text's lines, empty ones aside, that stand in it before."""
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    return 1 - len(set(lines)) / len(lines) if lines else 0.0


def repeated_words(text: str) -> float:
    """Return the share of a text's words that stand in it before."""
    words = text.split()
    return 1 - len(set(words)) / len(words) if words else 0.0


def symbols(text: str) -> float:
    """Return the share of a text's characters, white space aside, that are neither letters nor digits."""
    characters = "".join(text.split())
    return sum(not each.isalnum() for each in characters) / len(characters) if characters else 0.0


def _matches(settings: Mapping[str, Any], _batch: pa.RecordBatch, texts: Sequence[str]) -> Mask:
    search = re2.compile(settings["pattern"], _options()).search
    return np.fromiter((search(text) is not None for text in texts), bool, len(texts))


def _lacks(settings: Mapping[str, Any], batch: pa.RecordBatch, texts: Sequence[str]) -> Mask:
    mask: Mask = ~_matches(settings, batch, texts)
    return mask


def column_at(batch: pa.RecordBatch, name: str) -> pa.Array:
    """Return a column by its name; members of objects by their path, joined by dots.

    Raises:
        KeyError: When there is none.
    """
    if name in batch.schema.names:
        return batch.column(batch.schema.get_field_index(name))
    first, *rest = name.split(".")
    if first not in batch.schema.names:
        raise KeyError(name)
    array = batch.column(batch.schema.get_field_index(first))
    for member in rest:
        if not pa.types.is_struct(array.type) or array.type.get_field_index(member) < 0:
            raise KeyError(name)
        array = pc.struct_field(array, member)
    return array


def _condition(settings: Mapping[str, Any], batch: pa.RecordBatch, _texts: Sequence[str]) -> Mask:
    """Say which rows do not meet a condition; a row without a value meets none but ``present = false``."""
    try:
        values = column_at(batch, settings["column"]).to_pylist()
    except KeyError:
        values = [None] * batch.num_rows  # rows that lack the column have no value there
    mask = np.zeros(len(values), bool)
    if settings["present"] is not None:
        mask |= np.fromiter(((value is not None) != settings["present"] for value in values), bool, len(values))
    if settings["least"] is not None or settings["most"] is not None:
        numbers = np.fromiter(map(_number, values), np.float64, len(values))
        mask |= _outside(numbers, settings) | np.isnan(numbers)
    for member, wanted in (("one-of", True), ("none-of", False)):
        if settings[member] is not None:
            # 1 and true are equal in Python, but not in anybody's data
            listed = {(type(value), value) for value in settings[member]}
            mask |= np.fromiter((((type(v), v) in listed) != wanted for v in map(_plain, values)), bool, len(values))
    return mask


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool)) else None


def _number(value: Any) -> float:
    """Return a value as a number; not a number when it is none. CSV holds numbers as text."""
    try:
        return float("nan") if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


KINDS: Mapping[str, Callable[[Mapping[str, Any], pa.RecordBatch, Sequence[str]], Mask]] = {
    "characters": _each(len),
    "words": _each(lambda text: len(text.split())),
    "repeated-lines": _each(repeated_lines),
    "repeated-words": _each(repeated_words),
    "symbols": _each(symbols),
    "matches": _matches,
    "lacks": _lacks,
    "column": _condition,
}
READERS: Mapping[str, Callable[[Table], Mapping[str, Any] | None]] = {
    "characters": _read_range("characters", MOST_COUNT),
    "words": _read_range("words", MOST_COUNT),
    "repeated-lines": _read_range("repeated-lines", 1),
    "repeated-words": _read_range("repeated-words", 1),
    "symbols": _read_range("symbols", 1),
    "matches": _read_pattern("matches"),
    "lacks": _read_pattern("lacks"),
    "column": _read_column,
}
