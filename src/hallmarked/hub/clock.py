"""Time as the hub keeps it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> int:
    """Return the time in milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def to_datetime(milliseconds: int) -> datetime:
    """Turn a time of the hub's into a datetime in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def to_text(milliseconds: int) -> str:
    """Write a time of the hub's in ISO 8601 with milliseconds and ``Z``, as the Hub's clients read it."""
    return to_datetime(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
