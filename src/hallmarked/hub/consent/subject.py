"""Requests about personal data: access, rectification, erasure, objection; with a clock, a decision and its reasons.

The time to answer is one month from the day a request came, which can be made longer by two months once, with a reason
(Regulation (EU) 2016/679, article 12(3); other laws have other times). What was written stays encrypted, and is deleted
when the request ends.
"""

from __future__ import annotations

import calendar
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import select, update

from hallmarked.core.errors import InputError, NotFound
from hallmarked.corpus.consent.receipt import Request, written
from hallmarked.corpus.consent.selector import Selector
from hallmarked.hub.clock import now, to_datetime
from hallmarked.hub.consent.key import open_keys
from hallmarked.hub.consent.request import (
    DAY,
    MOST_SELECTORS,
    Filed,
    Status,
    Stored,
    end_request,
    find_request,
    keep_request,
    lapse,
    list_requests,
    load_request,
    log_event,
)
from hallmarked.hub.hub import Hub
from hallmarked.hub.schema.consent import consent_request

MOST_TEXT = 4_000
"""Characters of what is written to a request, of a reason and a decision."""
MOST_ANSWER = 64 << 20
"""Bytes of the rows that are given out."""
ANSWER_DAYS = 30
"""How long rows can be fetched after the decision; then they are deleted."""
SOON_DAYS = 7
"""Requests due within so many days are shown as such."""


class Right(StrEnum):
    """What somebody can ask for about their personal data."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    OBJECTION = "objection"


RIGHTS = frozenset(right.value for right in Right)


@dataclass(frozen=True, slots=True)
class Clock:
    """How much time is left for a request."""

    due: datetime
    days_left: int
    """Below zero when it is late."""
    extended: bool

    @property
    def state(self) -> str:
        """``late``, ``soon`` or ``open``."""
        return "late" if self.days_left < 0 else "soon" if self.days_left <= SOON_DAYS else "open"


def file_subject_request(
    hub: Hub, right: Right, selectors: Sequence[Selector], text: str = "", *, representative: bool = False
) -> Filed:
    """Write down a request about personal data.

    Raises:
        InputError: When nobody can tell whom it is about, or the text is too long.
        BackendError: When the database or the ledger cannot be written.
    """
    if not 0 < len(selectors) <= MOST_SELECTORS or len(text) > MOST_TEXT:
        raise InputError(f"say whom it is about, in 1 to {MOST_SELECTORS} lines, and at most {MOST_TEXT:,} characters")
    request = Request(right.value, (), (), tuple(sorted({written(one) for one in selectors})), representative)
    return keep_request(hub, request, selectors, lambda time: add_months(time, 1), text)


def extend(hub: Hub, request_id: str, reason: str) -> None:
    """Give a request two months more, once, with a reason that whoever asked reads.

    Raises:
        NotFound: When there is no such request about personal data that is open.
        InputError: When there is no reason, or it was extended before.
    """
    reason = _reason(reason)
    with hub.database.write() as db:
        stored = _open(load_request(db, request_id))
        if stored.extended is not None:
            raise InputError("this request was extended before, which can be done once")
        values = {"extended": now(), "due": add_months(stored.due, 2), "reason": reason}
        db.execute(update(consent_request).where(consent_request.c.id == request_id).values(**values))
    log_event(hub, request_id, "extended")


def decide(hub: Hub, request_id: str, reason: str, *, refused: bool = False, answer: bytes = b"") -> None:
    """Answer a request.

    Args:
        hub: Where.
        request_id: Which request.
        reason: What was decided and why; whoever asked reads it.
        refused: Whether it is refused.
        answer: Rows for whoever asked; kept encrypted, for the one with the code.

    Raises:
        NotFound: When there is no such request about personal data that is open.
        InputError: When there is no reason, nobody proved who asks, or the rows are too many.
    """
    reason, keys = _reason(reason), open_keys(hub.settings)
    if len(answer) > MOST_ANSWER:
        raise InputError(f"at most {MOST_ANSWER >> 20} MiB can be given out here")
    with hub.database.write() as db:
        stored = _open(load_request(db, request_id))
        if not refused and stored.status is not Status.ACTIVE:
            raise InputError("nobody proved yet who asks; confirm it, or refuse with a reason")
        if answer:
            where = consent_request.c.id == request_id
            db.execute(update(consent_request).where(where).values(answer=keys.seal(answer, f"{request_id}:answer")))
    status = Status.REFUSED if refused else Status.DECIDED
    end_request(hub, request_id, status, "refused" if refused else "decided", reason)


def answer_of(hub: Hub, code: str) -> bytes:
    """Return the rows that were given out for a request.

    Raises:
        NotFound: When the code opens none, or there are none, or no more.
    """
    forget_answers(hub)
    stored = find_request(hub, code)
    with hub.database.read() as db:
        sealed = db.execute(select(consent_request.c.answer).where(consent_request.c.id == stored.id)).scalar_one()
    if not sealed:
        raise NotFound("there are no rows for this request")
    return open_keys(hub.settings).unseal(sealed, f"{stored.id}:answer")


def forget_answers(hub: Hub, time: int | None = None) -> int:
    """Delete rows that were given out long enough.

    Returns:
        Of how many requests.
    """
    found, moment = consent_request.c, now() if time is None else time
    old = (found.answer != "", found.ended < moment - ANSWER_DAYS * DAY)
    with hub.database.write() as db:
        return db.execute(update(consent_request).where(*old).values(answer="")).rowcount


def contents_of(hub: Hub, request_id: str) -> tuple[str, list[tuple[str, str]]]:
    """Return what was written to a request and whom it is about, for whoever works on it.

    Raises:
        NotFound: When there is no such request, or it is over and nothing is kept of it.
        BackendError: When it does not open with the registry's key.
    """
    with hub.database.read() as db:
        sealed = db.execute(select(consent_request.c.sealed).where(consent_request.c.id == request_id)).scalar()
    if not sealed:
        raise NotFound("there is no such request, or nothing is kept of it any more")
    row = json.loads(open_keys(hub.settings).unseal(sealed, request_id))
    return row["text"], [(kind, value) for kind, value in row["selectors"]]


def clock_of(stored: Stored, time: int | None = None) -> Clock:
    """Say how much time is left for a request."""
    moment = now() if time is None else time
    return Clock(to_datetime(stored.due), (stored.due - moment) // DAY, stored.extended is not None)


def list_due(hub: Hub) -> list[tuple[Stored, Clock]]:
    """List open requests with their clocks, what is due first at the top."""
    forget_answers(hub)
    lapse(hub)
    with hub.database.read() as db:
        return [(stored, clock_of(stored)) for stored in list_requests(db)]


def add_months(moment: int, months: int) -> int:
    """Return the same time of day months later; on the last day of a month that has no such day."""
    time = to_datetime(moment)
    years, month = divmod(time.month - 1 + months, 12)
    year = time.year + years
    day = min(time.day, calendar.monthrange(year, month + 1)[1])
    later = datetime(year, month + 1, day, time.hour, time.minute, time.second, time.microsecond, UTC)
    return int(later.timestamp() * 1000)


def _open(stored: Stored) -> Stored:
    if stored.action not in RIGHTS or stored.ended is not None:
        raise NotFound("there is no such request about personal data that is open")
    return stored


def _reason(text: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= MOST_TEXT:
        raise InputError(f"give a reason, of at most {MOST_TEXT:,} characters; whoever asked reads it")
    return text
