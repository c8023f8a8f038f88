"""Our own interface to reviews: what was found in a revision, what was decided about it, and deciding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from hallmarked.checks.runner import compact
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Finding
from hallmarked.hub.access import Action, Actor
from hallmarked.hub.clock import now, to_text
from hallmarked.hub.job.again import AUDITS, audit_again
from hallmarked.hub.job.waiting import count_waiting
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Revision, find_revision
from hallmarked.hub.review import moderation
from hallmarked.hub.review.audited import list_audits
from hallmarked.hub.review.decision import list_decisions
from hallmarked.hub.review.finding import Found, sort_findings
from hallmarked.hub.review.moderation import Case
from hallmarked.hub.review.reason import Logged, answer_days, count, list_between, list_log, reasons
from hallmarked.web.address import param
from hallmarked.web.request import hub_of, target

MAX_FILES, MAX_AUDITS = 1_000, 20
"""Files whose findings, and audits that, are listed in one answer."""
LAST = 253_402_300_799_999
"""The last millisecond of the year 9999: no later one can be written as a date."""

Kind = Annotated[str, Path(description="models, datasets, spaces or systems")]
Part = Annotated[str, Path(max_length=1_000)]
router = APIRouter(prefix="/api/hallmarked", tags=["review"])
BASE = "/{kind:kind}/{owner}/{name}/review/{revision}"


class Reason(BaseModel):
    """Why somebody decides so."""

    reason: str = Field(max_length=moderation.MAX_REASON)
    category: str = Field("other", max_length=40)


class AuditView(BaseModel):
    """One audit of a revision."""

    id: str
    outcome: str
    ruleSet: str  # noqa: N815 - names of the interface are written as the clients' are
    entries: list[int]
    created: str


class FileView(BaseModel):
    """What was found in one file; the one without a path is about no single file."""

    path: str
    found: list[dict[str, Any]]


class ReviewView(BaseModel):
    """What is known of a revision."""

    revision: str
    state: str
    reason: str
    audited: bool
    audits: list[AuditView]
    files: list[FileView]
    more: int
    decisions: list[dict[str, Any]]


class LogView(BaseModel):
    """A page of the moderation log, newest first."""

    decisions: list[dict[str, Any]]
    next: str


class ReportView(BaseModel):
    """A transparency report: totals of public decisions, and how many others there were."""

    since: str
    until: str
    totals: dict[str, Any]
    notPublic: int  # noqa: N815
    daysToAnswerAppeals: float | None  # noqa: N815


class JobsView(BaseModel):
    """What waits to be audited."""

    waiting: int


def look(db: Connection, repo: Repository, at: Revision) -> ReviewView:
    """Gather what is known of a revision."""
    audits = list_audits(db, repo.id, at.oid, MAX_AUDITS)
    files = sort_findings(audits[0].statements if audits else ())
    listed = [("", files.overall), *sorted(files.by_path.items())] if files.overall else sorted(files.by_path.items())
    public = not repo.scope.private
    decisions = [
        Logged(one, repo.scope.kind, repo.name if public else "") for one in list_decisions(db, repo.id, at.oid)
    ]
    return ReviewView(
        revision=at.oid, state=at.state, reason=at.reason, audited=at.audited,
        audits=[
            AuditView(id=one.id, outcome=one.outcome, ruleSet=one.rule_set, entries=list(one.entries),
                      created=to_text(one.created))
            for one in audits
        ],
        files=[FileView(path=path, found=[_found(one) for one in found]) for path, found in listed[:MAX_FILES]],
        more=max(0, len(listed) - MAX_FILES),
        decisions=[{**reasons(one), "facts": one.decision.reason} for one in decisions],
    )  # fmt: skip


@router.get(BASE)
def show(request: Request, kind: Kind, owner: Part, name: Part, revision: Part) -> ReviewView:
    """Say what was found in a revision, and what was decided about it."""
    with hub_of(request).database.read() as db:
        _, repo = target(request, db, kind)
        return look(db, repo, find_revision(db, repo, param(request, "revision")))


@router.post(BASE + "/hold")
def hold(request: Request, kind: Kind, owner: Part, name: Part, revision: Part, body: Reason) -> ReviewView:
    """Hold a revision back by hand."""
    return _act(request, kind, lambda db, actor, case: moderation.hold(db, actor, case, body.reason, body.category))


@router.post(BASE + "/propose-release")
def propose(request: Request, kind: Kind, owner: Part, name: Part, revision: Part, body: Reason) -> ReviewView:
    """Propose that others may have a revision that is held back."""
    return _act(request, kind, lambda db, actor, case: moderation.propose_release(db, actor, case, body.reason))


@router.post(BASE + "/release")
def release(request: Request, kind: Kind, owner: Part, name: Part, revision: Part, body: Reason) -> ReviewView:
    """Agree, as the second person, to release a revision."""
    return _act(request, kind, lambda db, actor, case: moderation.release(db, actor, case, body.reason))


@router.post(BASE + "/appeal")
def appeal(request: Request, kind: Kind, owner: Part, name: Part, revision: Part, body: Reason) -> ReviewView:
    """Ask to look again at a revision that is held back."""
    return _act(request, kind, lambda db, actor, case: moderation.appeal(db, actor, case, body.reason))


@router.post(BASE + "/uphold")
def uphold(request: Request, kind: Kind, owner: Part, name: Part, revision: Part, body: Reason) -> ReviewView:
    """Answer an appeal: it stays held back."""
    return _act(request, kind, lambda db, actor, case: moderation.uphold(db, actor, case, body.reason))


@router.post(BASE + "/audit", status_code=202)
def audit_anew(request: Request, kind: Kind, owner: Part, name: Part, revision: Part) -> ReviewView:
    """Have a revision audited again, soon."""
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, kind, Action.REVIEW)
        request.app.state.limits.take("audit", actor.account_id or "", AUDITS)
        at = find_revision(db, repo, param(request, "revision"))
        audit_again(db, actor, repo, at)
        return look(db, repo, at)


@router.get("/moderation")
def log(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str, Query(max_length=60)] = "",
) -> LogView:
    """List what was decided, newest first."""
    with hub_of(request).database.read() as db:
        found = list_log(db, limit=limit, before=_place(before))
    last = found[-1].decision if len(found) == limit else None
    following = f"{last.created}-{last.id}" if last else ""
    return LogView(decisions=[one.to_dict() for one in found], next=following)


@router.get("/moderation/report")
def report(
    request: Request,
    since: Annotated[int, Query(ge=0, le=LAST)] = 0,
    until: Annotated[int | None, Query(ge=0, le=LAST)] = None,
) -> ReportView:
    """Add up the decisions of a time, given in milliseconds since the epoch."""
    end = now() if until is None else until
    with hub_of(request).database.read() as db:
        logged = list(list_between(db, since, end))
    public = [one for one in logged if one.name]
    return ReportView(
        since=to_text(since),
        until=to_text(end),
        totals=count(reasons(one) for one in public),
        notPublic=len(logged) - len(public),
        daysToAnswerAppeals=answer_days(logged),
    )


@router.get("/jobs")
def jobs(request: Request) -> JobsView:
    """Say how many revisions wait to be audited."""
    with hub_of(request).database.read() as db:
        return JobsView(waiting=count_waiting(db))


def _act(request: Request, kind: str, act: Callable[[Connection, Actor, Case], None]) -> ReviewView:
    hub = hub_of(request)
    with hub.database.write() as db:
        actor, repo = target(request, db, kind, Action.SEE)
        at = find_revision(db, repo, param(request, "revision"))
        act(db, actor, Case(repo, at, hub.settings.policy))
        return look(db, repo, find_revision(db, repo, at.oid))


def _found(one: Found) -> dict[str, Any]:
    kind = "finding" if isinstance(one.item, Finding) else "gap"
    return {"check": one.check, "kind": kind, **compact(one.item)}


def _place(text: str) -> tuple[int, str] | None:
    """Read where a page ended.

    Raises:
        InputError: When it is not what an earlier page said.
    """
    if not text:
        return None
    time, _, name = text.partition("-")
    if not time.isdecimal() or not name.isalnum() or len(time) > 15:
        raise InputError("before has to be what an earlier page said is next")
    return int(time), name


ROUTES = router.routes
