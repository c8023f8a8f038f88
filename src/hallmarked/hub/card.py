"""The front matter of a repository's README, as data."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Budget
from hallmarked.formats.readme import decode, read_metadata, split

MAX_CARD = 1 << 20
"""Bytes of a README that are looked at."""


def read_card(data: bytes) -> Mapping[str, Any]:
    """Return the front matter of a README; empty when there is none that can be read."""
    if len(data) > MAX_CARD:
        return {}
    try:
        front, _, _ = split(decode(data))
        metadata = read_metadata(front, Budget(stored=len(data)))
    except FormatError:
        return {}
    plain = _plain(metadata)
    return plain if isinstance(plain, dict) else {}


def _plain(value: Any) -> Any:
    """Turn what YAML knows (dates, numbers with a form) into what JSON knows."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 1 << 53 else str(value)
    if isinstance(value, float):
        return float(value) if isfinite(value) else str(value)
    return str(value)
