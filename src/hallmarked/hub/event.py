"""Administrative acts, each an event in the ledger: who did what to what, and when.

An act notes its event in the transaction that does it, so there is no act without an event. A job logs the noted events
afterwards (:func:`log_events`). They name people, so their entries in the log are hidden, and their statements can be
erased. The predicate is described by ``event.v1.schema.json`` beside this module.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Statement, Subject
from hallmarked.hub.clock import now, to_text
from hallmarked.hub.database import Database
from hallmarked.hub.journal import Journal
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.review import event

PREDICATE_TYPE = "urn:hallmarked:event:v1"
BATCH = 256
"""Events that are logged at once."""
_TAG = re.compile(r"[a-z]+(-[a-z]+)*(:[a-z]+(-[a-z]+)*){1,3}")


def note_event(
    db: Connection, tag: str, subject: str, *, account_id: str | None = None, data: Mapping[str, Any] | None = None
) -> str:
    """Note an act in the transaction that does it.

    Args:
        db: That transaction.
        tag: What was done: ``subject:part:act`` in lower case, such as ``repository:gate:change``.
        subject: What it was done to: kind and id, such as ``repository:4f2a…``; ids do not change when names do.
        account_id: Who did it; None for the hub itself.
        data: What else somebody who examines the act must know.

    Returns:
        The event's id.

    Raises:
        InputError: When the tag or the subject is not of that form.
    """
    if not _TAG.fullmatch(tag) or not re.fullmatch(r"[a-z-]+:\S{1,200}", subject):
        raise InputError(f"{tag!r} is no event, or {subject!r} is nothing one can happen to")
    made = new_id()
    row = {"id": made, "tag": tag, "account_id": account_id, "subject": subject, "data": dict(data or {})}
    db.execute(insert(event).values(**row, created=now()))
    return made


def log_events(database: Database, journal: Journal) -> int:
    """Log the events that are not in the ledger yet, oldest first; safe to repeat after a crash at any instant.

    Returns:
        How many were logged.

    Raises:
        BackendError: When the database or the ledger cannot be written.
    """
    count = 0
    while True:
        # Two processes must not log an event twice: on PostgreSQL its row is locked, on SQLite all are.
        with database.write() as db:
            waiting = select(event).where(event.c.entry.is_(None)).order_by(event.c.created, event.c.id).limit(BATCH)
            rows = db.execute(waiting.with_for_update(skip_locked=True)).all()
            if not rows:
                return count
            # One that was logged before a crash, and not marked, is found again by its own digest.
            placed = {row.id: found[0] for row in rows if (found := journal.find([f"sha256:{_digest(_urn(row.id))}"]))}
            new = [row for row in rows if row.id not in placed]
            receipts = journal.attest([to_statement(row) for row in new], hidden=True)
            placed |= {row.id: receipt.index for row, receipt in zip(new, receipts, strict=True)}
            for name, index in placed.items():
                db.execute(update(event).where(event.c.id == name).values(entry=index))
        count += len(new)


def to_statement(row: Row[Any]) -> Statement:
    """Write a noted event as a statement about the event itself, and about what it happened to."""
    about = [_urn(row.id), f"urn:hallmarked:{row.subject}"]
    predicate = {
        "id": row.id,
        "event": row.tag,
        "time": to_text(row.created),
        "actor": row.account_id,
        "subject": row.subject,
        "data": dict(row.data),
    }
    return Statement(tuple(Subject(name, {"sha256": _digest(name)}) for name in about), PREDICATE_TYPE, predicate)


def subject_digest(subject: str) -> str:
    """Return the digest by which the ledger finds the events of a subject such as ``repository:4f2a…``."""
    return f"sha256:{_digest(f'urn:hallmarked:{subject}')}"


def schema() -> bytes:
    """Return the JSON Schema of an event's predicate."""
    return resources.files("hallmarked.hub").joinpath("event.v1.schema.json").read_bytes()


def _urn(event_id: str) -> str:
    return f"urn:hallmarked:event:{event_id}"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
