"""What a request does not change: models that were trained before it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from hallmarked.hub.consent.request import Stored
from hallmarked.hub.schema.repository import repository

MOST_READ, MOST_LISTED = 20_000, 100


@dataclass(frozen=True, slots=True)
class Trained:
    """A public model whose card says which data sets of this hub it was trained with."""

    name: str
    sets: tuple[str, ...]


def trained_before(db: Connection, stored: Stored) -> list[Trained]:
    """List models that were here before a request and say that they were trained with data sets of this hub.

    Whether what the request is about was in those data sets is not known, and not claimed.
    """
    found = repository.c
    public = (found.deleted.is_(None), found.visibility == "public", found.disabled == "")
    rows = db.execute(select(found.key).where(found.kind == "dataset", *public).limit(MOST_READ))
    sets = {row.key for row in rows}
    sets &= set(stored.sets) if stored.sets else sets
    models = db.execute(
        select(found.key, found.card)
        .where(found.kind == "model", found.created < stored.created, *public)
        .order_by(found.key)
        .limit(MOST_READ)
    )
    made = []
    for row in models:
        named = row.card.get("datasets") if isinstance(row.card, dict) else None
        listed = [named] if isinstance(named, str) else named if isinstance(named, list) else []
        common = sorted({name for name in listed if isinstance(name, str) and name.lower() in sets})
        if common:
            made.append(Trained(row.key, tuple(common)))
    return made[:MOST_LISTED]
