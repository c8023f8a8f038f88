"""Values of rows as JSON that is the same everywhere."""

from __future__ import annotations

import base64
import datetime
import json
import math
from collections.abc import Mapping
from typing import Any


def row_text(row: Mapping[str, Any]) -> str:
    """Write a row as JSON with its members in order, so that equal rows have equal texts."""
    return json.dumps(plain(row), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def row_line(row: Mapping[str, Any]) -> bytes:
    """Write a row as a line of JSON Lines; its members stay in their order.

    JSON has no infinite numbers and no bytes: the former become null, the latter base64.
    """
    return json.dumps(plain(row), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def value_text(value: Any) -> str:
    """Write a value as text: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False, sort_keys=True)


def plain(value: Any) -> Any:
    """Turn a value of a table into one that JSON has."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return value if value is None or isinstance(value, (str, bool, int)) else str(value)
