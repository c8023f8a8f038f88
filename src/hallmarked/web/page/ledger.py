"""The ledger: its newest checkpoint, its entries, and how outsiders check both."""

from __future__ import annotations

import json
from datetime import datetime

from starlette.requests import Request

from hallmarked.core.errors import Forbidden, InputError, NotFound
from hallmarked.hub.review.audited import public_envelope
from hallmarked.ledger.dsse import read_envelope
from hallmarked.web.render import Page, context
from hallmarked.web.request import base_url, hub_of

ROWS = 50
"""Entries on one page."""


@context
class Row:
    """An entry of the ledger, as its public part says it."""

    index: int
    """Place in the log."""
    time: datetime
    """When it was logged."""
    kind: str
    """Type of the statement; empty when the entry hides it."""
    subjects: tuple[str, ...]
    """Digests it is about; none when the entry hides them."""
    hidden: bool
    """Whether it is about something that is not public."""
    envelope: str
    """SHA-256 of the signed statement."""
    key: str
    """Id of the key that signed it."""


@context
class Ledger:
    """The ledger at its newest checkpoint."""

    origin: str
    """Name of the log."""
    size: int
    """How many entries it has."""
    checkpoint: tuple[str, ...]
    """The newest checkpoint, a signed note, line by line."""
    verifier: str
    """Key of the checkpoints, as witnesses want it."""
    key: str
    """Id of the key that signs statements."""
    rows: tuple[Row, ...]
    """One part of the entries, newest first."""
    before: int
    """Entry to start the next part below; zero on the last part."""
    address: str
    """Where the hub is reached, for the commands."""


@context
class Entry:
    """One entry of the ledger and the statement it stands for."""

    row: Row
    """The entry."""
    size: int
    """How many entries the log has."""
    lines: tuple[str, ...]
    """The statement, line by line; none when it is hidden or was erased."""
    refused: str
    """Why the statement is not shown; empty when it is."""


def show_ledger(request: Request) -> Ledger:
    """Make the page of the ledger.

    Raises:
        InputError: When the address names no place in the log.
    """
    journal = hub_of(request).journal
    size = journal.size
    text = request.query_params.get("before", str(size))
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise InputError("before has to be the number of an entry")
    top = min(int(text), size)
    start = max(0, top - ROWS)
    return Ledger(
        journal.origin,
        size,
        tuple(journal.checkpoint().rstrip("\n").split("\n")) if size else (),
        journal.verifier_key(),
        journal.keyid,
        tuple(_row(request, index) for index in range(top - 1, start - 1, -1)),
        start,
        base_url(request),
    )


def show_entry(request: Request) -> Entry:
    """Make the page of an entry.

    Raises:
        NotFound: When there is no such entry.
    """
    text = request.path_params["index"]
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise NotFound("the log has no such entry")
    hub = hub_of(request)
    journal = hub.journal
    row = _row(request, int(text))
    try:
        with hub.database.read() as db:
            envelope = read_envelope(json.loads(public_envelope(db, journal, row.index)))
    except (Forbidden, NotFound) as error:
        return Entry(row, journal.size, (), str(error))
    statement = json.loads(envelope.payload)
    return Entry(row, journal.size, tuple(json.dumps(statement, indent=2, ensure_ascii=False).split("\n")), "")


def _row(request: Request, index: int) -> Row:
    leaf = hub_of(request).journal.entry(index)
    return Row(
        index, leaf.time, leaf.predicate_type or "", leaf.subjects, bool(leaf.blinds), leaf.env, leaf.kid
    )  # fmt: skip


PAGES = (
    Page("/ledger", "ledger.html.j2", show_ledger),
    Page("/ledger/entry/{index}", "entry.html.j2", show_entry),
)
