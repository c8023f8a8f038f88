"""Clean-up: delete files that no repository refers to, and repositories that can no longer be restored.

How nothing is lost while people upload and commit:

* A blob goes only when no repository refers to it, deleted ones that can be restored included, and its bytes came
  longer ago than a period of grace. The period is longer for files that Xet's clients may still know: whoever sent
  them once does not send them again for three weeks, so that their next upload would fail.
* It goes in two steps. First its row says that the bytes may be gone, so that no commit can begin to refer to it.
  Then, in a transaction of its own that holds the row, the bytes and the row go. Whoever is killed in between leaves a
  row that is of no use to anybody, and the next clean-up takes up where it was.
* Bytes that come again while this happens are looked for by
  :func:`hallmarked.hub.blob.possession.add_arrival` while it holds the row, so that an upload is acknowledged only
  when its bytes stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, and_, case, delete, exists, select, update

from hallmarked.hub.clock import now
from hallmarked.hub.database import add_new
from hallmarked.hub.hub import Hub
from hallmarked.hub.job.reuse import forget, forget_unused
from hallmarked.hub.schema.object import blob, usage
from hallmarked.hub.schema.repository import repository
from hallmarked.hub.schema.xet import xorb_extent
from hallmarked.hub.upload.xet.body import bodies_of
from hallmarked.hub.upload.xet.collect import collect

GRACE = timedelta(days=7)
"""How long a file is kept that nothing refers to: uploads are committed later, some clients' by days."""
REMEMBERED = timedelta(days=30)
"""The same for files with chunks that came by Xet."""
MANY = 200
"""Rows that one transaction marks; on SQLite everybody else who writes waits for it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What clean-up may take."""

    grace: timedelta = GRACE
    remembered: timedelta = REMEMBERED
    restore: timedelta = timedelta(days=30)
    """How long deleted repositories can be restored."""
    dry_run: bool = False
    """Only say what would go."""


@dataclass(frozen=True, slots=True)
class Report:
    """What went, or would go."""

    repositories: int = 0
    """Deleted ones that can no longer be restored."""
    files: int = 0
    size: int = 0
    """Of the files, bytes."""
    waiting: int = 0
    """Files that nothing refers to but that are too young."""


def collect_garbage(hub: Hub, terms: Terms) -> Report:
    """Clean up.

    Several processes may do so at once, while the hub is in use.

    Args:
        hub: The hub.
        terms: What may go.

    Raises:
        BackendError: When the database or the storage fails; what went until then is gone, nothing is half gone.
    """
    report = Report(repositories=_purge(hub, terms))
    if not terms.dry_run:
        with hub.database.write() as db:
            forget_unused(db)
        collect(hub, bodies_of(hub))
        _adopt(hub, terms)
    unused = _unused(terms)
    with hub.database.read() as db:
        young = select(blob.c.sha256).where(unused, ~_old(terms))
        report = replace(report, waiting=len(db.execute(young).all()))
    for page in _candidates(hub, unused, terms):
        if terms.dry_run:
            gone = page
        else:
            with hub.database.write() as db:
                marked = _lock(db, [digest for digest, _ in page], unused, terms)
                db.execute(update(blob).where(blob.c.sha256.in_(marked)).values(stored=False))
            gone = [(digest, size) for digest, size in page if digest in marked and _remove(hub, digest, terms)]
        report = replace(report, files=report.files + len(gone), size=report.size + sum(size for _, size in gone))
    if terms.dry_run:
        orphans = [size for digest, size, _ in _orphans(hub, terms)]
        report = replace(report, files=report.files + len(orphans), size=report.size + sum(orphans))
    return report


def _purge(hub: Hub, terms: Terms) -> int:
    over = _over(terms)
    if terms.dry_run:
        with hub.database.read() as db:
            return len(db.execute(select(repository.c.id).where(over)).all())
    with hub.database.write() as db:
        return db.execute(delete(repository).where(over)).rowcount


def _over(terms: Terms) -> ColumnElement[bool]:
    """Whether a repository can no longer be restored."""
    return and_(repository.c.deleted.is_not(None), repository.c.deleted < now() - _milliseconds(terms.restore))


def _unused(terms: Terms) -> ColumnElement[bool]:
    """Whether no repository refers to a blob, apart from those that are going."""
    used = exists().where(usage.c.sha256 == blob.c.sha256)
    if terms.dry_run:
        used = used.where(repository.c.id == usage.c.repository_id, ~_over(terms))
    return ~used


def _old(terms: Terms) -> ColumnElement[bool]:
    """Whether the period of grace of a blob is over."""
    time = now()
    known = exists().where(xorb_extent.c.sha256 == blob.c.sha256)
    return blob.c.created <= case(
        (known, time - _milliseconds(max(terms.grace, terms.remembered))), else_=time - _milliseconds(terms.grace)
    )


def _candidates(hub: Hub, unused: ColumnElement[bool], terms: Terms) -> Iterator[Sequence[tuple[str, int]]]:
    last = ""
    while True:
        with hub.database.read() as db:
            query = select(blob.c.sha256, blob.c.size).where(unused, _old(terms), blob.c.sha256 > last)
            page = [(row.sha256, row.size) for row in db.execute(query.order_by(blob.c.sha256).limit(MANY))]
        if not page:
            return
        yield page
        last = page[-1][0]


def _lock(db: Connection, digests: Sequence[str], unused: ColumnElement[bool], terms: Terms) -> set[str]:
    """Return those blobs that may go, and hold their rows so that nobody begins to refer to them."""
    rows = select(blob.c.sha256).where(blob.c.sha256.in_(digests)).order_by(blob.c.sha256).with_for_update()
    held = list(db.scalars(rows))
    # NOTE: asked again, for what was committed while we waited for the rows.
    return set(db.scalars(select(blob.c.sha256).where(blob.c.sha256.in_(held), unused, _old(terms))))


def _remove(hub: Hub, digest: str, terms: Terms) -> bool:
    """Delete one blob that was marked, unless its bytes have come again."""
    with hub.database.write() as db:
        marked = and_(_unused(terms), ~blob.c.stored)
        if digest not in _lock(db, [digest], marked, terms):
            return False
        hub.blobs.delete(digest)
        forget(db, digest)
        db.execute(delete(blob).where(blob.c.sha256 == digest))
    return True


def _adopt(hub: Hub, terms: Terms) -> None:
    """Give files that no row knows a row, so that they go the same way: parts, and uploads that were cut off."""
    page: list[tuple[str, int, float]] = []
    for found in _orphans(hub, terms):
        page.append(found)
        if len(page) == MANY:
            _add_rows(hub, page)
            page = []
    _add_rows(hub, page)


def _add_rows(hub: Hub, page: Sequence[tuple[str, int, float]]) -> None:
    rows = [
        {"sha256": digest, "size": size, "passive": False, "stored": False, "created": int(arrived * 1000)}
        for digest, size, arrived in page
    ]
    with hub.database.write() as db:
        add_new(db, blob, rows)


def _orphans(hub: Hub, terms: Terms) -> Iterator[tuple[str, int, float]]:
    """Yield files of the store that are old enough and that no row knows."""
    before = (now() - _milliseconds(terms.grace)) / 1000
    page: list[tuple[str, int, float]] = []
    for found in hub.blobs.list():
        if found[2] <= before:
            page.append(found)
        if len(page) == MANY:
            yield from _unknown(hub, page)
            page = []
    yield from _unknown(hub, page)


def _unknown(hub: Hub, page: Sequence[tuple[str, int, float]]) -> Iterator[tuple[str, int, float]]:
    if not page:
        return
    with hub.database.read() as db:
        known = set(db.scalars(select(blob.c.sha256).where(blob.c.sha256.in_([digest for digest, _, _ in page]))))
    yield from (found for found in page if found[0] not in known)


def _milliseconds(time: timedelta) -> int:
    return int(time.total_seconds() * 1000)
