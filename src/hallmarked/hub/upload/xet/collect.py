"""What is left over from uploads by Xet and can go."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, exists, select

from hallmarked.formats.xet.hash import SIZE
from hallmarked.hub.database import in_parts
from hallmarked.hub.hub import Hub
from hallmarked.hub.schema.xet import xorb, xorb_extent
from hallmarked.hub.upload.xet.body import Bodies
from hallmarked.hub.upload.xet.known import is_covered

UNFINISHED = timedelta(days=1)
"""How long a xorb waits for the first file that is made of it."""
REMEMBERED = timedelta(days=30)
"""How long the rest of a xorb is kept when some of its chunks are in files: clients remember it for three weeks."""
_CHUNK = SIZE + 4


@dataclass(frozen=True, slots=True)
class Collected:
    """What went."""

    bodies: int
    xorbs: int
    """Rows: nothing is known of these any more."""


def collect(hub: Hub, bodies: Bodies, now: float | None = None) -> Collected:
    """Delete bodies that are not needed and forget xorbs of which nothing is kept.

    Chunks that a file has stay known as long as the hub keeps that file.

    Args:
        hub: The hub.
        bodies: Bodies of xorbs.
        now: The time, seconds since the epoch; None for the clock's.

    Raises:
        BackendError: When the storage fails.
    """
    now = time.time() if now is None else now
    bodies.remove_leftovers()
    gone = 0
    for name, arrived in bodies.list():
        with hub.database.read() as db:
            keep = _is_needed(db, name, timedelta(seconds=now - arrived))
        if not keep:
            bodies.delete(name)
            gone += 1
    return Collected(gone, _forget(hub, bodies, int((now - UNFINISHED.total_seconds()) * 1000)))


def _is_needed(db: Connection, name: str, age: timedelta) -> bool:
    row = db.execute(select(xorb.c.chunks).where(xorb.c.hash == name)).first()
    if row is None:
        return age < UNFINISHED
    if is_covered(db, name, len(row.chunks) // _CHUNK):
        return False
    used = db.execute(select(xorb_extent.c.xorb).where(xorb_extent.c.xorb == name).limit(1)).first() is not None
    return age < (REMEMBERED if used else UNFINISHED)


def _forget(hub: Hub, bodies: Bodies, before: int) -> int:
    """Delete the rows of xorbs that are in no file and have no body; those alone that arrived before a time."""
    unused = xorb.c.created < before, ~exists().where(xorb_extent.c.xorb == xorb.c.hash)
    with hub.database.read() as db:
        names = [name for name in db.scalars(select(xorb.c.hash).where(*unused)) if not bodies.has(name)]
    count = 0
    for part in in_parts(names):
        with hub.database.write() as db:
            gone = [name for name in part if not bodies.has(name)]
            count += db.execute(delete(xorb).where(xorb.c.hash.in_(gone), *unused)).rowcount
    return count
