"""Read a record that somebody wrote by hand: TOML, YAML or JSON."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any, TypeVar

from hallmarked.core.errors import FormatError, InputError
from hallmarked.formats.blob import Budget
from hallmarked.formats.document import read_json, read_yaml
from hallmarked.formats.toml import read_toml
from hallmarked.records.record import Invalid, Record

MOST_BYTES = 16 << 20
R = TypeVar("R", bound=Record)


def read_fields(data: bytes, name: str) -> dict[str, Any]:
    """Read the fields of a record from a file; which format it has, the end of its name says.

    Raises:
        InputError: When it is no such file.
    """
    if len(data) > MOST_BYTES:
        raise InputError(f"{name} is larger than {MOST_BYTES >> 20} MiB")
    ending = PurePath(name).suffix.lower()
    try:
        if ending == ".json":
            said = read_json(data, Budget(len(data)))
        elif ending in {".yaml", ".yml"}:
            said = read_yaml(data, Budget(len(data)))
        elif ending == ".toml":
            said = read_toml(data)
        else:
            raise InputError(f"{name} must end in .toml, .yaml or .json")
    except FormatError as error:
        raise InputError(f"{name}: {error}") from error
    if not isinstance(said, dict):
        raise InputError(f"{name} has no fields")
    return said


def read_written(kind: type[R], said: dict[str, Any], name: str = "", text: str = "") -> R:
    """Make a record of fields somebody wrote.

    Args:
        kind: The kind of record.
        said: The fields.
        name: The file they come from, if any.
        text: What stands in the file, to tell the line.

    Raises:
        InputError: When a field is missing, unknown or holds something else than it should; the first line is named.
    """
    try:
        return kind.of(said)
    except Invalid as error:
        if not name:
            raise InputError(str(error)) from error
        lines = [line for field, _ in error.problems if (line := _line(field, text))]
        where = f"{name}, line {lines[0]}" if lines else name
        raise InputError(f"{where}: {error}") from error


def _line(field: str, text: str) -> int:
    """Return the line on which a field stands, from 1; 0 when it cannot be told."""
    key = re.sub(r"\[\d+\]", "", field).rpartition(".")[2]
    found = re.search(rf"^[ \t\-\[{{]*[\"']?{re.escape(key)}[\"']?[ \t]*[=:\]]", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 0
