"""Requests about personal data: the clock, extension, refusal, decision, and what is kept of it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from hallmarked.core.errors import InputError, NotFound
from hallmarked.corpus.consent.receipt import verify_receipt
from hallmarked.corpus.consent.selector import Kind, make_selector
from hallmarked.hub.clock import to_datetime
from hallmarked.hub.consent.proof import confirm_by_hand
from hallmarked.hub.consent.request import DAY, Filed, Status, find_request
from hallmarked.hub.consent.subject import (
    ANSWER_DAYS,
    Right,
    add_months,
    answer_of,
    clock_of,
    contents_of,
    decide,
    extend,
    file_subject_request,
    forget_answers,
    list_due,
)
from hallmarked.hub.schema.consent import consent_request
from tests.hubs import RunningHub


def filed(running: RunningHub, right: Right = Right.ACCESS, text: str = "all letters of mine") -> Filed:
    return file_subject_request(running.hub, right, [make_selector(Kind.ACCOUNT, "ada@example.org")], text)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2027-01-31", 1, "2027-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-11-30", 2, "2027-01-30"),
    ],
)
def test_a_month_is_a_month_of_the_calendar(start: str, months: int, end: str) -> None:
    """On the same day of the month, or the last one there is."""
    moment = int(datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp() * 1000)
    assert to_datetime(add_months(moment, months)).date().isoformat() == end


def test_the_clock_shows_one_month_and_two_more_after_an_extension(hub: RunningHub) -> None:
    """Extended once, with a reason that whoever asked reads, and the log says so without naming anybody."""
    made = filed(hub)
    stored = find_request(hub.hub, made.code)
    assert stored.due == add_months(stored.created, 1)
    clock = clock_of(stored)
    assert clock.state == "open"
    assert clock.days_left in range(27, 31)
    with pytest.raises(InputError, match="reason"):
        extend(hub.hub, stored.id, " ")
    extend(hub.hub, stored.id, "many letters")
    later = find_request(hub.hub, made.code)
    assert later.due == add_months(add_months(stored.created, 1), 2)
    assert later.reason == "many letters"
    assert clock_of(later).extended
    with pytest.raises(InputError, match="once"):
        extend(hub.hub, stored.id, "still many")
    assert clock_of(stored, stored.due - 3 * DAY).state == "soon"
    assert clock_of(stored, stored.due + 1).state == "late"
    assert [one.id for one, _ in list_due(hub.hub)] == [stored.id]


def test_a_decision_needs_to_know_who_asks_and_deletes_what_was_written(hub: RunningHub) -> None:
    """The rows given out open with the code only; what was written to the request is gone afterwards."""
    made = filed(hub)
    stored = find_request(hub.hub, made.code)
    assert contents_of(hub.hub, stored.id) == ("all letters of mine", [("account", "ada@example.org")])
    with pytest.raises(InputError, match="nobody proved"):
        decide(hub.hub, stored.id, "granted")
    confirm_by_hand(hub.hub, stored.id, "seen in person")
    decide(hub.hub, stored.id, "all rows are given out", answer=b'{"text": "dear Ada"}\n')
    over = find_request(hub.hub, made.code)
    assert (over.status, over.reason) == (Status.DECIDED, "all rows are given out")
    assert answer_of(hub.hub, made.code) == b'{"text": "dear Ada"}\n'
    with pytest.raises(NotFound):
        contents_of(hub.hub, stored.id)
    with pytest.raises(NotFound):
        decide(hub.hub, stored.id, "again")
    with hub.hub.database.read() as db:
        row = str(db.execute(select(consent_request)).one())
    assert "ada@" not in row
    assert "dear Ada" not in row
    assert list_due(hub.hub) == []
    assert over.ended is not None
    assert forget_answers(hub.hub, over.ended + ANSWER_DAYS * DAY) == 0
    assert forget_answers(hub.hub, over.ended + ANSWER_DAYS * DAY + 1) == 1
    with pytest.raises(NotFound):
        answer_of(hub.hub, made.code)


def test_a_refusal_has_reasons(hub: RunningHub) -> None:
    """It needs no proof of who asks; there are no rows then."""
    made = filed(hub, Right.ERASURE)
    stored = find_request(hub.hub, made.code)
    with pytest.raises(InputError):
        decide(hub.hub, stored.id, "", refused=True)
    decide(hub.hub, stored.id, "a court order forbids it", refused=True)
    assert find_request(hub.hub, made.code).status is Status.REFUSED
    with pytest.raises(NotFound):
        answer_of(hub.hub, made.code)


def test_the_receipt_of_such_a_request_verifies(hub: RunningHub) -> None:
    """It names the right that was used; the text is not part of it."""
    receipt = verify_receipt(filed(hub, Right.OBJECTION, "please stop").receipt)
    assert receipt.request.action == "objection"
    with pytest.raises(InputError):
        file_subject_request(hub.hub, Right.ACCESS, [], "whom?")
    with pytest.raises(InputError):
        filed(hub, text="x" * 5_000)
