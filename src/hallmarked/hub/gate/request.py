"""Requests for access: made, decided, taken back, listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, update

from hallmarked.core.errors import Forbidden, InputError, NotFound
from hallmarked.hub.access import ALLOWED, Action, Actor, Role, Scope, decide, load_standing, require, require_change
from hallmarked.hub.account.account import find_account
from hallmarked.hub.account.notice import Kind, notify, notify_all
from hallmarked.hub.clock import now
from hallmarked.hub.gate.form import check_answers, read_form
from hallmarked.hub.kind import page_path
from hallmarked.hub.repository.repository import Repository, load_repositories
from hallmarked.hub.schema.account import account, membership
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.gate import access_request
from hallmarked.hub.schema.repository import collaborator
from hallmarked.hub.trail import Tag, record

MAX_REASON = 200
"""Characters, as clients expect."""
DAY = 86_400_000
"""Milliseconds."""
MAX_DAYS = 3_650
PAGE = 100
"""Requests listed at once."""


class Status(StrEnum):
    """What became of a request."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Somebody's request."""

    id: str
    user: str
    full_name: str
    email: str
    """Empty when they did not ask, so that they did not mean to tell it."""
    status: Status
    answers: Mapping[str, Any]
    reason: str
    """Of a rejection."""
    created: int
    """Milliseconds since the epoch."""
    decided: int | None
    decided_by: str
    """Name; empty when nobody decided."""
    expires: int | None
    """When an accepted one stops counting."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reviewer decides."""

    status: Status
    """``pending`` takes an earlier decision back."""
    reason: str = ""
    """Of a rejection; the person reads it."""
    days: int | None = None
    """How long the access lasts; None for as long as nobody takes it back."""


_decider = account.alias("decider")
_columns = (
    select(
        access_request,
        account.c.name,
        account.c.full_name,
        account.c.email,
        _decider.c.name.label("decider"),
    )
    .join(account, account.c.id == access_request.c.account_id)
    .outerjoin(_decider, _decider.c.id == access_request.c.decided_by)
)


def ask_access(db: Connection, actor: Actor, repo: Repository, given: Mapping[str, str]) -> Status:
    """Ask for the files of a repository.

    Args:
        db: A writing transaction.
        actor: Who asks.
        repo: For which repository; the caller has asked whether the actor may see it.
        given: Answers to the questions of its card, by question.

    Returns:
        What became of it: accepted at once when the gate is automatic.

    Raises:
        InputError: When a question is not answered, there is no gate, or they have access, or asked before.
        Forbidden: When the actor may not change anything.
    """
    me = require_change(actor)
    _check_gated(repo)
    if load_standing(db, actor, repo.scope).roles:
        raise InputError(f"you have access to {repo.name} already")
    old = _find(db, repo, account_id=me)
    if old is not None and not _has_expired(old):
        raise InputError(_WAITING[Status(old.status)].format(repo.name))
    answers = check_answers(read_form(repo.card), given)
    status = Status.ACCEPTED if repo.scope.gate == "auto" else Status.PENDING
    if old is not None:
        db.execute(delete(access_request).where(access_request.c.id == old.id))
    made = _add(db, repo, me, status, answers)
    record(db, actor, Tag.ACCESS_ASKED, _subject(repo), {"request": made, "status": status})
    if status is Status.PENDING:
        said = f"{actor.name} asks for access to {repo.name}."
        notify_all(
            db, reviewers_of(db, repo.scope), Kind.ACCESS_ASKED, said, f"{page_path(repo.scope.kind, repo.name)}/access"
        )
    return status


def withdraw_request(db: Connection, actor: Actor, repo: Repository) -> None:
    """Take an own request back, with everything that was answered; access that it gave ends.

    Raises:
        NotFound: When there is none.
        Forbidden: When the actor may not change anything.
    """
    me = require_change(actor)
    mine = (access_request.c.repository_id == repo.id, access_request.c.account_id == me)
    # NOTE: a rejection stays, so that nobody asks again by taking the first request back
    if not db.execute(delete(access_request).where(*mine, access_request.c.status != Status.REJECTED)).rowcount:
        raise NotFound(f"you have no request for {repo.name} that can be taken back")
    record(db, actor, Tag.ACCESS_CANCELLED, _subject(repo), {"account": me})


def decide_request(
    db: Connection, actor: Actor, repo: Repository, decision: Decision, *, user: str = "", request_id: str = ""
) -> None:
    """Accept or reject a request, or take such a decision back.

    Args:
        db: A writing transaction.
        actor: A reviewer.
        repo: Of which repository.
        decision: What they decide.
        user: Whose request.
        request_id: Or its id.

    Raises:
        Forbidden: When the actor is no reviewer of the repository, or the request is their own.
        InputError: When there is no gate, or the reason or the time is not accepted.
        NotFound: When there is no such request, or it was decided so already.
    """
    require(db, actor, Action.REVIEW, repo.scope)
    _check_gated(repo)
    if len(decision.reason) > MAX_REASON or (decision.reason and decision.status is not Status.REJECTED):
        raise InputError(f"a reason has at most {MAX_REASON} characters, and only a rejection has one")
    row = _find(db, repo, account_id=find_account(db, user, kind="user").id if user else "", request_id=request_id)
    if row is None:
        raise NotFound(f"there is no such request for {repo.name}")
    if row.account_id == actor.account_id:
        raise Forbidden("nobody decides on their own request; ask another reviewer")
    if row.status == decision.status and not _has_expired(row):
        raise NotFound(f"this request is {decision.status} already")
    values = {"status": decision.status, "reason": decision.reason, "expires": _expiry(decision)}
    if decision.status is Status.PENDING:
        values |= {"decided": None, "decided_by": None}
    else:
        values |= {"decided": now(), "decided_by": actor.account_id}
    db.execute(update(access_request).where(access_request.c.id == row.id).values(**values))
    _record_decision(db, actor, repo, row, decision)


def grant_access(db: Connection, actor: Actor, repo: Repository, user: str, days: int | None = None) -> None:
    """Give somebody access who did not ask.

    Args:
        db: A writing transaction.
        actor: A reviewer.
        repo: To which repository.
        user: Whom.
        days: For how long; None for as long as nobody takes it back.

    Raises:
        Forbidden: When the actor is no reviewer of the repository, or gives access to themselves.
        InputError: When there is no gate, or they have access already.
        NotFound: When there is no such person.
    """
    require(db, actor, Action.REVIEW, repo.scope)
    _check_gated(repo)
    who = find_account(db, user, kind="user")
    if who.id == actor.account_id:
        raise Forbidden("nobody gives access to themselves; ask another reviewer")
    old = _find(db, repo, account_id=who.id)
    there = load_standing(db, Actor(who.id, who.name), repo.scope)
    if there.roles or there.granted:
        raise InputError(f"{who.name} has access to {repo.name} already")
    if old is not None:
        db.execute(delete(access_request).where(access_request.c.id == old.id))
    decision = Decision(Status.ACCEPTED, days=days)
    made = _add(db, repo, who.id, Status.ACCEPTED, {}, decided_by=actor.account_id, expires=_expiry(decision))
    record(db, actor, Tag.ACCESS_GRANTED, _subject(repo), {"request": made, "account": who.id, "days": days})
    notify(
        db, who.id, Kind.ACCESS_DECIDED, f"You were given access to {repo.name}.", page_path(repo.scope.kind, repo.name)
    )


def list_requests(
    db: Connection, repo: Repository, status: Status | None = None, *, after: str = "", limit: int = PAGE
) -> Sequence[AccessRequest]:
    """List requests, oldest first; the caller has asked whether the actor may review.

    Args:
        db: A transaction.
        repo: Of which repository.
        status: Only those; None for all.
        after: Id of the last one of the page before.
        limit: How many at most.
    """
    asked = access_request.c
    where = [asked.repository_id == repo.id]
    if status is not None:
        where.append(asked.status == status)
    if after and (last := db.execute(select(asked.created, asked.id).where(asked.id == after)).first()):
        where.append(or_(asked.created > last.created, and_(asked.created == last.created, asked.id > last.id)))
    rows = db.execute(_columns.where(*where).order_by(asked.created, asked.id).limit(limit))
    return [_from_row(row) for row in rows]


def own_request(db: Connection, actor: Actor, repo: Repository) -> AccessRequest | None:
    """Return the actor's request for a repository, if there is one."""
    if actor.account_id is None:
        return None
    where = (access_request.c.repository_id == repo.id, access_request.c.account_id == actor.account_id)
    row = db.execute(_columns.where(*where)).first()
    return _from_row(row) if row is not None else None


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """A request of one's own."""

    kind: str
    repository: str
    """``owner/name``."""
    status: Status
    reason: str
    created: int
    """Milliseconds since the epoch."""
    expires: int | None


def list_own(db: Connection, actor: Actor) -> list[OwnRequest]:
    """Return the actor's own requests, the newest first; those for repositories they do not see are left out."""
    asked = access_request.c
    rows = db.execute(
        select(access_request).where(asked.account_id == actor.account_id).order_by(asked.created.desc())
    ).all()
    # NOTE: a repository may have become private since, and have a name now that they must not learn
    found = load_repositories(db, [row.repository_id for row in rows])
    standings = {repo.id: load_standing(db, actor, repo.scope) for repo in found}
    seen = {repo.id: repo for repo in found if decide(actor, Action.SEE, repo.scope, standings[repo.id]) is None}
    return [
        OwnRequest(repo.scope.kind, repo.name, Status(row.status), row.reason, row.created, row.expires)
        for row in rows
        if (repo := seen.get(row.repository_id)) is not None
    ]


def reviewers_of(db: Connection, scope: Scope) -> list[str]:
    """Return the ids of the people who decide on requests for a repository."""
    roles = [role for role in Role if Action.REVIEW in ALLOWED[role]]
    owner = select(account.c.id).where(account.c.id == scope.owner_id, account.c.kind == "user")
    members = select(membership.c.account_id).where(
        membership.c.organisation_id == scope.owner_id, membership.c.role.in_(roles)
    )
    invited = select(collaborator.c.account_id).where(
        collaborator.c.repository_id == scope.id, collaborator.c.role.in_(roles)
    )
    return list(db.execute(owner.union(members, invited)).scalars())


_WAITING = {
    Status.PENDING: "you asked for access to {} already; a reviewer has to decide",
    Status.ACCEPTED: "you have access to {} already",
    Status.REJECTED: "your request for {} was rejected; its page says why",
}


def _check_gated(repo: Repository) -> None:
    if not repo.scope.gate:
        raise InputError(f"access to {repo.name} does not have to be asked for")


def _find(db: Connection, repo: Repository, *, account_id: str = "", request_id: str = "") -> Row[Any] | None:
    asked = access_request.c
    where = asked.account_id == account_id if account_id else asked.id == request_id
    found = select(access_request).where(asked.repository_id == repo.id, where).with_for_update()
    return db.execute(found).first()


def _has_expired(row: Row[Any]) -> bool:
    return row.status == Status.ACCEPTED and row.expires is not None and row.expires <= now()


def _expiry(decision: Decision) -> int | None:
    if decision.days is None or decision.status is not Status.ACCEPTED:
        return None
    if not 0 < decision.days <= MAX_DAYS:
        raise InputError(f"access lasts 1 to {MAX_DAYS} days, or until it is taken back")
    return now() + decision.days * DAY


def _add(
    db: Connection,
    repo: Repository,
    account_id: str,
    status: Status,
    answers: Mapping[str, Any],
    *,
    decided_by: str | None = None,
    expires: int | None = None,
) -> str:
    made, time = new_id(), now()
    db.execute(
        insert(access_request).values(
            id=made, repository_id=repo.id, account_id=account_id, status=status, answers=dict(answers), created=time,
            decided=None if status is Status.PENDING else time, decided_by=decided_by, expires=expires,
        )
    )  # fmt: skip
    return made


def _record_decision(db: Connection, actor: Actor, repo: Repository, row: Row[Any], decision: Decision) -> None:
    tag = {
        Status.ACCEPTED: Tag.ACCESS_ACCEPTED,
        Status.REJECTED: Tag.ACCESS_REVOKED if row.status == Status.ACCEPTED else Tag.ACCESS_REJECTED,
        Status.PENDING: Tag.ACCESS_REVOKED if row.status == Status.ACCEPTED else Tag.ACCESS_CANCELLED,
    }[decision.status]
    data = {"request": row.id, "account": row.account_id, "status": decision.status, "days": decision.days}
    record(db, actor, tag, _subject(repo), data)
    said = {
        Status.ACCEPTED: f"Your request for {repo.name} was accepted.",
        Status.REJECTED: f"Your request for {repo.name} was rejected"
        + (f": {decision.reason}" if decision.reason else "."),
        Status.PENDING: f"The decision on your request for {repo.name} was taken back; it waits for another one.",
    }[decision.status]
    notify(db, row.account_id, Kind.ACCESS_DECIDED, said, page_path(repo.scope.kind, repo.name))


def _subject(repo: Repository) -> str:
    return f"repository:{repo.id}"


def _from_row(row: Row[Any]) -> AccessRequest:
    given = row.decider is not None and row.decided == row.created
    return AccessRequest(
        row.id,
        row.name,
        row.full_name,
        "" if given else row.email,
        Status(row.status),
        row.answers,
        row.reason,
        row.created,
        row.decided,
        row.decider or "",
        row.expires,
    )
