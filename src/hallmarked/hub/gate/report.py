"""Who has access, who asked, and who decided: a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from hallmarked.hub.access import Action, Actor, require
from hallmarked.hub.clock import to_text
from hallmarked.hub.gate.form import read_form
from hallmarked.hub.gate.request import PAGE, AccessRequest, list_requests
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.trail import Tag, record

COLUMNS = ("request", "user", "full name", "e-mail", "status", "asked", "decided", "decided by", "expires", "reason")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\u0000", "＝", "＋", "－", "＠")


def write_report(db: Connection, actor: Actor, repo: Repository) -> Iterator[str]:
    """Write all requests for a repository as CSV, in pieces.

    A cell that a spreadsheet would run as a formula begins with an apostrophe
    (https://owasp.org/www-community/attacks/CSV_Injection).

    Args:
        db: A writing transaction: that somebody took the report is an event.
        actor: A reviewer.
        repo: Of which repository.

    Raises:
        Forbidden: When the actor is no reviewer of the repository.
    """
    require(db, actor, Action.REVIEW, repo.scope)
    record(db, actor, Tag.ACCESS_REPORT_EXPORTED, f"repository:{repo.id}")
    questions = [question.name for question in read_form(repo.card).questions]
    return _write(db, repo, questions)


def _write(db: Connection, repo: Repository, questions: Sequence[str]) -> Iterator[str]:
    yield _line([*COLUMNS, *questions])
    after = ""
    while page := list_requests(db, repo, after=after, limit=PAGE):
        after = page[-1].id
        yield "".join(_line(_cells(request, questions)) for request in page)


def _cells(request: AccessRequest, questions: Sequence[str]) -> list[str]:
    times = [to_text(time) if time is not None else "" for time in (request.created, request.decided, request.expires)]
    return [
        request.id, request.user, request.full_name, request.email, request.status, times[0], times[1],
        request.decided_by, times[2], request.reason, *(str(request.answers.get(name, "")) for name in questions),
    ]  # fmt: skip


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow(
        [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
    )
    return out.getvalue()
