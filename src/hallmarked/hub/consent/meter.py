"""What may be done so often a day, counted by keyed digests, another one every day, so that they tell nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from hallmarked.hub.clock import now
from hallmarked.hub.error import TooMany
from hallmarked.hub.schema.consent import consent_meter

DAY = 86_400_000
"""Milliseconds."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much somebody wants, and may have."""

    more: int
    """What is wanted now."""
    allowed: int
    """What there is a day."""
    refusal: str
    """Said when there is none left; ``{allowed}`` stands for the number."""


def take(db: Connection, digest: Callable[[int, str], str], caller: str, wanted: Allowance) -> None:
    """Count what somebody wants on this day; of other days nothing is kept.

    Args:
        db: A writing transaction.
        digest: Makes what is kept out of the day and the caller, see ``hub.consent.key.Keys.caller``.
        caller: Who, and what for.
        wanted: How much.

    Raises:
        TooMany: When there is not so much left.
    """
    day, passed = divmod(now(), DAY)
    name = digest(day, caller)
    db.execute(delete(consent_meter).where(consent_meter.c.day < day))
    row = db.execute(select(consent_meter).where(consent_meter.c.caller == name).with_for_update()).first()
    if wanted.more + (row.used if row else 0) > wanted.allowed:
        text = wanted.refusal.format(allowed=wanted.allowed)
        raise TooMany(text, (DAY - passed) // 1000, wanted.allowed, DAY // 1000)
    if row is None:
        db.execute(insert(consent_meter).values(caller=name, day=day, used=wanted.more))
    else:
        used = row.used + wanted.more
        db.execute(update(consent_meter).where(consent_meter.c.caller == name).values(used=used))
