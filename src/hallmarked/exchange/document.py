"""Read JSON documents of other programs, which may hold anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hallmarked.core.errors import FormatError, LimitExceeded

MAX_DOCUMENT = 64 << 20
"""Bytes of a document that is read."""


def parse(data: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        LimitExceeded: When it is too large.
        FormatError: When it is not one; names the line.
    """
    if len(data) > MAX_DOCUMENT:
        raise LimitExceeded("the document is larger than 64 MiB")
    try:
        value = json.loads(data)
    except json.JSONDecodeError as error:
        raise FormatError(f"line {error.lineno}: the document is not JSON: {error.msg.lower()}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError("the document is not JSON that can be read") from error
    if not isinstance(value, dict):
        raise FormatError("the document is not a JSON object")
    return value


def entries(value: object) -> Mapping[str, Any]:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def text(row: Mapping[str, Any], name: str) -> str:
    """Return a text member; empty when it is missing or something else."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def texts(value: object) -> Iterator[str]:
    """Yield the texts of a list; one text counts as a list of one."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield item


def rows(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list, passing over anything else; one object counts as a list of one."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            yield item


def whole(written: str) -> int | None:
    """Return the whole number that a text is; None when it is none, or one that no file has as its size."""
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 19 else None
