"""What the makers of a data set declare for machines: ``dataset.toml`` at its root.

Every member is optional. What is declared is a claim, bound to the data by the digest of the revision; checks measure
against it and say where it does not hold. Columns are named as in ``text.column.Strings``: ``text``, or
``messages.content`` in lists of objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hallmarked.core.artifact import Artifact
from hallmarked.core.errors import FormatError, NotFound
from hallmarked.corpus.measure.declared import SECTIONS, Intent, read_intent
from hallmarked.formats.toml import read_toml

PATH = "dataset.toml"
MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Columns:
    """``[columns]``: what columns are for."""

    text: tuple[str, ...] = ()
    """Those that hold what models learn from; found by their values when not declared."""
    label: str = ""
    group: tuple[str, ...] = ()
    """Those that say to which group of people a row belongs."""
    source: str = ""
    """Says where a row comes from."""
    url: str = ""
    date: str = ""
    licence: str = ""
    account: str = ""
    """Says whose it is: the account of the author where it was collected."""
    split: str = ""


@dataclass(frozen=True, slots=True)
class Declaration:
    """``dataset.toml``."""

    columns: Columns = Columns()
    intent: Intent = field(default_factory=Intent)
    """Its purpose, and whom and what it stands for."""


def read_declaration(artifact: Artifact) -> Declaration:
    """Read what an artifact declares; nothing when it has no such file.

    Raises:
        FormatError: When the file says something that cannot be understood; the message names all of it.
    """
    try:
        with artifact.open(PATH) as stream:
            data = stream.read(MOST_BYTES + 1)
    except NotFound:
        return Declaration()
    if len(data) > MOST_BYTES:
        raise FormatError(f"{PATH} is larger than {MOST_BYTES >> 20} MiB")
    try:
        found = read_toml(data, parse_float=float)
    except FormatError as error:
        raise FormatError(f"{PATH} is {error}") from error
    problems: list[str] = []
    declaration = Declaration(
        columns=_columns(_table(found, "columns", problems), problems),
        intent=read_intent(found, problems),
    )
    problems += [f"{name!r} is not known" for name in sorted(found.keys() - {"columns"} - SECTIONS)]
    if problems:
        raise FormatError(f"{PATH}: {'; '.join(problems)}")
    return declaration


def _table(found: Mapping[str, Any], name: str, problems: list[str]) -> Mapping[str, Any]:
    table = found.get(name, {})
    if isinstance(table, dict):
        return table
    problems.append(f"[{name}] is not a table")
    return {}


def _columns(table: Mapping[str, Any], problems: list[str]) -> Columns:
    known = Columns.__dataclass_fields__
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            problems.append(f"columns.{name} is not known")
        elif name in ("text", "group"):
            listed = [value] if isinstance(value, str) else value
            if isinstance(listed, list) and all(isinstance(each, str) for each in listed):
                values[name] = tuple(listed)
            else:
                problems.append(f"columns.{name} is not a list of names")
        elif isinstance(value, str):
            values[name] = value
        else:
            problems.append(f"columns.{name} is not a name")
    return Columns(**values)
