"""What the hub knows of xorbs: their chunks, which files have them, who sent them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from hallmarked.formats.xet.hash import SIZE
from hallmarked.hub.clock import now
from hallmarked.hub.database import add_new, add_or_renew, in_parts
from hallmarked.hub.schema.xet import xorb, xorb_extent, xorb_sender
from hallmarked.hub.upload.xet.body import Received

_CHUNK = np.dtype([("hash", f"V{SIZE}"), ("length", "<u4")])
"""Rows written by one statement."""
_FEW = 8


class Run(NamedTuple):
    """Chunks of a xorb in a row."""

    xorb: str
    first: int
    until: int
    """Chunk after the last."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a file has chunks of a xorb."""

    first: int
    until: int
    sha256: str
    start: int
    """Where they begin in the file, bytes."""


@dataclass(frozen=True, slots=True)
class Known:
    """A xorb the hub has, or had when its files were made."""

    name: str
    hashes: memoryview
    """Of its chunks, raw, in a row."""
    starts: NDArray[np.int64]
    """Where each chunk begins in the xorb, bytes; and where the last one ends."""
    mine: bool
    """Whether the account that asks has sent it."""

    @property
    def count(self) -> int:
        """Chunks."""
        return len(self.starts) - 1

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self.starts[-1])

    def length(self, first: int, until: int) -> int:
        """Return how many bytes some chunks have."""
        return int(self.starts[until] - self.starts[first])

    def chunks(self, first: int, until: int) -> Iterator[tuple[bytes, int]]:
        """Yield hash and length of some chunks."""
        lengths: list[int] = np.diff(self.starts[first : until + 1]).tolist()
        for place, length in enumerate(lengths, first):
            yield bytes(self.hashes[place * SIZE : (place + 1) * SIZE]), length


def add_xorb(db: Connection, received: Received, account_id: str) -> None:
    """Note that a xorb has arrived, and who sent it."""
    row = {"hash": received.name, "chunks": received.chunks, "size": received.size, "created": now()}
    add_or_renew(db, xorb, row, ["created"])
    add_new(db, xorb_sender, [{"xorb": received.name, "account_id": account_id}])


def find_xorb(db: Connection, name: str, account_id: str) -> Known | None:
    """Return what is known of a xorb; None when the hub never had it or has forgotten it."""
    row = db.execute(select(xorb.c.chunks).where(xorb.c.hash == name)).first()
    if row is None:
        return None
    sent = select(xorb_sender.c.xorb).where(xorb_sender.c.xorb == name, xorb_sender.c.account_id == account_id)
    mine = db.execute(sent).first() is not None
    table = np.frombuffer(row.chunks, _CHUNK)
    starts = np.zeros(len(table) + 1, np.int64)
    np.cumsum(table["length"], out=starts[1:])
    return Known(name, memoryview(table["hash"].tobytes()), starts, mine)


def add_extents(db: Connection, sha256: str, extents: Mapping[Run, int]) -> None:
    """Note where a file has which chunks; the file itself has been noted before."""
    names = sorted({run.xorb for run in extents})
    there: set[str] = set()
    for part in in_parts(names):
        there.update(db.scalars(select(xorb.c.hash).where(xorb.c.hash.in_(part))))
    rows = [
        {"xorb": run.xorb, "first": run.first, "until": run.until, "sha256": sha256, "start": start}
        for run, start in extents.items()
        if run.xorb in there
    ]
    for page in in_parts(rows):
        add_new(db, xorb_extent, page)


def find_extents(db: Connection, name: str, chunk: int) -> Sequence[Extent]:
    """Return a few places where files have a chunk of a xorb, those first that go on longest from there."""
    rows = db.execute(
        select(xorb_extent)
        .where(xorb_extent.c.xorb == name, xorb_extent.c.first <= chunk, xorb_extent.c.until > chunk)
        .order_by(xorb_extent.c.until.desc(), xorb_extent.c.sha256)
        .limit(_FEW)
    )
    return [Extent(row.first, row.until, row.sha256, row.start) for row in rows]


def is_covered(db: Connection, name: str, count: int) -> bool:
    """Say whether files have all chunks of a xorb, so that its body is not needed any more."""
    reached = 0
    while reached < count and (extents := find_extents(db, name, reached)):
        reached = extents[0].until
    return reached >= count
