"""Who may build on bytes that the hub has already.

Blobs are kept once for everybody, so a digest that somebody learned elsewhere must neither reveal that the hub has the
file nor be enough to get it. Only two things count: the account has sent these very bytes, or the repository it writes
to has the file in its history. Everybody else is asked to send the bytes, and the answer is the same as for bytes that
nobody has. That a public repository has the file does not count: whether one may have *those* bytes can depend on a
gate or on a revision that is held back, and sending them again costs less than getting such a rule wrong.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, or_, select

from hallmarked.core.errors import BackendError, NotFound
from hallmarked.formats.blob import Blob
from hallmarked.formats.identify import INERT, identify
from hallmarked.hub.blob.store import BlobStore, Stored
from hallmarked.hub.clock import now
from hallmarked.hub.database import Database, add_new, add_or_renew, in_parts
from hallmarked.hub.schema.object import blob, possession, usage

_VANISHED = "the file was being removed as unused while it arrived; send it again"


@dataclass(frozen=True, slots=True)
class Known:
    """A blob that is in the store."""

    sha256: str
    size: int
    """Bytes."""
    passive: bool
    """No loader runs code from it."""


def find_usable(
    db: Connection, account_id: str | None, repository_id: str, digests: Collection[str], *, lock: bool = False
) -> dict[str, Known]:
    """Return those blobs that an account may refer to in a repository without sending them.

    Args:
        db: A transaction.
        account_id: Who; must be allowed to write to the repository.
        repository_id: Where.
        digests: Which blobs are meant.
        lock: Keep them from being deleted until the transaction ends.
    """
    found = {}
    sent = select(possession.c.sha256).where(possession.c.account_id == account_id)
    here = select(usage.c.sha256).where(usage.c.repository_id == repository_id)
    for part in in_parts(digests):
        query = select(blob).where(
            blob.c.sha256.in_(part),
            blob.c.stored,
            or_(blob.c.sha256.in_(sent), blob.c.sha256.in_(here)),
        )
        for row in db.execute(query.with_for_update(read=True) if lock else query):
            found[row.sha256] = Known(row.sha256, row.size, row.passive)
    return found


def is_passive(file: Blob) -> bool:
    """Judge by its bytes whether no loader runs code from a file."""
    claims = set(identify(file))
    return bool(claims) and claims <= INERT | {"safetensors", "gguf"}


def judge(blobs: BlobStore, stored: Stored) -> bool:
    """Read as much of a blob that has arrived as it takes to know whether it is passive.

    Raises:
        BackendError: When its bytes are gone already, see :func:`add_arrival`.
    """
    try:
        return is_passive(Blob(stored.sha256, stored.size, partial(blobs.open, stored.sha256)))
    except NotFound as error:
        raise BackendError(_VANISHED) from error


def note_arrival(database: Database, blobs: BlobStore, stored: Stored, account_id: str | None) -> None:
    """Note that a file is in the blob store, and who sent it.

    Raises:
        BackendError: When the bytes are not there, see :func:`add_arrival`.
    """
    passive = judge(blobs, stored)
    with database.write() as db:
        add_arrival(db, blobs, stored, passive=passive, account_id=account_id)


def add_arrival(db: Connection, blobs: BlobStore, stored: Stored, *, passive: bool, account_id: str | None) -> None:
    """Note an arrival in a transaction that notes more.

    Clean-up deletes bytes while it holds the blob's row. So whoever notes an arrival looks for the bytes while holding
    the row too: bytes that were found then stay.

    Raises:
        BackendError: When the bytes are not there: they were deleted as unused in the moment in which they came again.
    """
    add_blob(db, stored.sha256, stored.size, passive=passive, account_id=account_id)
    if blobs.size(stored.sha256) != stored.size:
        raise BackendError(_VANISHED)


def add_blob(db: Connection, sha256: str, size: int, *, passive: bool, account_id: str | None) -> None:
    """Note a blob and who sent it, without looking for its bytes: only for who holds them by other means."""
    time = now()
    row = {"sha256": sha256, "size": size, "passive": passive, "stored": True, "created": time}
    add_or_renew(db, blob, row, ("stored", "created"))
    if account_id is not None:
        add_new(db, possession, [{"account_id": account_id, "sha256": sha256, "created": time}])
