"""Discussions and pull requests: what people say about a repository, and changes they offer to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, Text, cast, func, insert, select, update

from hallmarked.core.errors import Forbidden, InputError, NotFound
from hallmarked.hub.access import ALLOWED, Action, Actor, load_standing
from hallmarked.hub.clock import now
from hallmarked.hub.error import Conflict
from hallmarked.hub.outbound.announcement import Occasion, announce
from hallmarked.hub.repository.repository import MAIN, Repository
from hallmarked.hub.repository.revision import PULLS, create_ref, find_revision
from hallmarked.hub.schema.account import account
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.community import discussion, discussion_event
from hallmarked.hub.schema.repository import repository
from hallmarked.hub.trail import Tag, record

MAX_TITLE, MAX_COMMENT, MAX_EVENTS = 200, 65_536, 5_000
"""Characters of a title and of a comment; what may happen in one discussion."""
MAX_BEFORE, MAX_ALL = 262_144, 8 << 20
"""Characters of what a comment said before that are kept, and of everything in one discussion."""
DRAFT, OPEN, CLOSED, MERGED = "draft", "open", "closed", "merged"


@dataclass(frozen=True, slots=True)
class Discussion:
    """A discussion or a pull request."""

    number: int
    title: str
    author: str
    """Name of an account; empty when it is gone."""
    author_id: str | None
    status: str
    """``draft``, ``open``, ``closed`` or ``merged``."""
    pull_request: bool
    target: str
    """Full name of the branch that a pull request is for."""
    base: str
    """Commit a pull request started from."""
    merged: str
    """Commit it was merged as; empty before."""
    created: int
    """Milliseconds since the epoch."""

    @property
    def branch(self) -> str:
        """Full name of the ref with the changes of a pull request."""
        return f"{PULLS}{self.number}"


@dataclass(frozen=True, slots=True)
class Event:
    """What happened in a discussion."""

    id: str
    kind: str
    """``comment``, ``status-change``, ``title-change`` or ``commit``."""
    author: str
    author_id: str | None
    data: Mapping[str, Any]
    created: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which discussions are wanted."""

    status: str = ""
    """``open`` (drafts too), ``closed`` (merged too); empty for all."""
    kind: str = ""
    """``discussion`` or ``pull_request``; empty for both."""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a new discussion begins with."""

    title: str
    description: str = ""
    pull_request: bool = False
    target: str = MAIN
    """Full name of the branch that a pull request is for."""
    base: str = ""
    """The commit that a pull request begins at; empty for where that branch is."""
    status: str = OPEN


def open_discussion(db: Connection, repo: Repository, actor: Actor, opening: Opening) -> Discussion:
    """Open a discussion, or a pull request that has no changes yet.

    Args:
        db: A writing transaction.
        repo: The repository; the caller has asked whether the actor may discuss.
        actor: Who opens it.
        opening: What it begins with.

    Raises:
        InputError: When the title is empty or too long.
        RevisionNotFound: When there is no branch that a pull request could be for, or no commit to begin at.
    """
    title = _check_title(opening.title)
    text = _check_text(opening.description, empty=True)
    base = find_revision(db, repo, opening.target).oid if opening.pull_request else ""
    if base and opening.base:
        base = find_revision(db, repo, opening.base).oid
    number = (
        db.execute(
            update(repository)
            .where(repository.c.id == repo.id)
            .values(next_number=repository.c.next_number + 1)
            .returning(repository.c.next_number)
        ).scalar_one()
        - 1
    )
    db.execute(
        insert(discussion).values(
            repository_id=repo.id, number=number, title=title, account_id=actor.account_id, status=opening.status,
            pull_request=opening.pull_request, target=opening.target, base=base, merged="", created=now(),
        )
    )  # fmt: skip
    if opening.pull_request:
        create_ref(db, repo, f"{PULLS}{number}", base)
    first = add_event(db, repo, number, actor, "comment", {"text": text, "history": [], "hidden": False})
    _tell(db, repo, number, "create", first)
    return find_discussion(db, repo, number)


def find_discussion(db: Connection, repo: Repository, number: int) -> Discussion:
    """Return a discussion.

    Raises:
        NotFound: When there is none of that number.
    """
    row = db.execute(_discussions().where(discussion.c.repository_id == repo.id, discussion.c.number == number)).first()
    if row is None:
        raise NotFound(f"{repo.name} has no discussion {number}")
    return _from_row(row)


def list_discussions(
    db: Connection, repo: Repository, wanted: Filter, *, start: int = 0, count: int = 10
) -> tuple[int, Sequence[Discussion]]:
    """List discussions, newest first, and say how many there are in all.

    Raises:
        InputError: When a filter is not known.
    """
    where = [discussion.c.repository_id == repo.id]
    statuses = {"": None, "all": None, "open": (OPEN, DRAFT), "closed": (CLOSED, MERGED)}
    kinds = {"": None, "all": None, "discussion": False, "pull_request": True}
    if wanted.status not in statuses or wanted.kind not in kinds:
        raise InputError("discussions are 'open' or 'closed', of type 'discussion' or 'pull_request'")
    if (status := statuses[wanted.status]) is not None:
        where.append(discussion.c.status.in_(status))
    if (kind := kinds[wanted.kind]) is not None:
        where.append(discussion.c.pull_request == kind)
    if wanted.author:
        author = select(account.c.id).where(account.c.key == wanted.author.lower()).scalar_subquery()
        where.append(discussion.c.account_id == author)
    total = db.execute(select(func.count()).select_from(discussion).where(*where)).scalar_one()
    rows = db.execute(_discussions().where(*where).order_by(discussion.c.number.desc()).offset(start).limit(count))
    return total, [_from_row(row) for row in rows]


def list_events(db: Connection, repo: Repository, number: int) -> Sequence[Event]:
    """List what happened in a discussion, oldest first."""
    table = discussion_event.c
    rows = db.execute(_events().where(table.repository_id == repo.id, table.number == number).order_by(table.created))
    return [_event_from_row(row) for row in rows]


def find_event(db: Connection, repo: Repository, number: int, event_id: str) -> Event:
    """Return what happened once.

    Raises:
        NotFound: When there is no such event.
    """
    table = discussion_event.c
    where = (table.repository_id == repo.id, table.number == number, table.id == event_id)
    row = db.execute(_events().where(*where)).first()
    if row is None:
        raise NotFound(f"discussion {number} has no event {event_id[:40]}")
    return _event_from_row(row)


def add_event(db: Connection, repo: Repository, number: int, actor: Actor, kind: str, data: Mapping[str, Any]) -> Event:
    """Note what happened in a discussion.

    Raises:
        InputError: When too much happened in it already.
    """
    latest = _require_room(db, repo, number)
    # NOTE: times tell the order of events, so no two of a discussion may be the same
    time = max(now(), latest + 1)
    made = new_id()
    db.execute(
        insert(discussion_event).values(
            id=made, repository_id=repo.id, number=number, kind=kind, account_id=actor.account_id, data=data,
            created=time,
        )
    )  # fmt: skip
    return Event(made, kind, actor.name, actor.account_id, data, time)


def add_comment(db: Connection, repo: Repository, number: int, actor: Actor, text: str) -> Event:
    """Answer in a discussion.

    Raises:
        InputError: When the text is empty or too long.
        NotFound: When there is no such discussion.
    """
    find_discussion(db, repo, number)
    data = {"text": _check_text(text), "history": [], "hidden": False}
    event = add_event(db, repo, number, actor, "comment", data)
    _tell(db, repo, number, "create", event, "discussion.comment")
    return event


def edit_comment(db: Connection, repo: Repository, number: int, event_id: str, actor: Actor, text: str) -> Event:
    """Change what one wrote; what it said before stays readable.

    Raises:
        InputError: When the text is empty or too long.
        NotFound: When there is no such comment.
        Forbidden: When it is somebody else's.
    """
    event = _find_comment(db, repo, number, event_id)
    if event.author_id != actor.account_id:
        raise Forbidden("only who wrote a comment can change it")
    _require_room(db, repo, number)
    before = [*event.data["history"], {"text": event.data["text"], "until": now()}][-100:]
    while sum(len(each["text"]) for each in before) > MAX_BEFORE:
        before = before[1:]
    data = {**event.data, "text": _check_text(text), "history": before}
    changed = _change_event(db, event, {**data, "edited": now()})
    _tell(db, repo, number, "update", changed, "discussion.comment")
    return changed


def hide_comment(db: Connection, repo: Repository, number: int, event_id: str, actor: Actor) -> Event:
    """Hide a comment from everybody; its author may, and whoever may write to the repository.

    Raises:
        NotFound: When there is no such comment.
        Forbidden: When the actor may not.
    """
    event = _find_comment(db, repo, number, event_id)
    require_author(db, repo, actor, event.author_id)
    record(db, actor, Tag.COMMENT_HIDDEN, f"repository:{repo.id}", {"discussion": number, "comment": event.id})
    changed = _change_event(db, event, {**event.data, "hidden": True, "text": "", "history": []})
    _tell(db, repo, number, "update", changed, "discussion.comment")
    return changed


def change_status(db: Connection, repo: Repository, number: int, actor: Actor, status: str) -> Event:
    """Open or close a discussion; its author may, and whoever may write to the repository.

    Raises:
        InputError: When the status is neither, or it was merged.
        NotFound: When there is no such discussion.
        Forbidden: When the actor may not.
    """
    found = find_discussion(db, repo, number)
    require_author(db, repo, actor, found.author_id)
    if status not in (OPEN, CLOSED, *((DRAFT,) if found.pull_request else ())):
        raise InputError("a discussion can be 'open' or 'closed', a pull request 'draft' too")
    if found.status == MERGED:
        raise Conflict("this pull request was merged; its status cannot change any more")
    return set_status(db, repo, number, actor, status)


def set_status(db: Connection, repo: Repository, number: int, actor: Actor, status: str, *, merged: str = "") -> Event:
    """Note a status; the caller has checked that it may be."""
    where = (discussion.c.repository_id == repo.id, discussion.c.number == number)
    db.execute(update(discussion).where(*where).values(status=status, merged=merged))
    event = add_event(db, repo, number, actor, "status-change", {"status": status})
    _tell(db, repo, number, "update")
    return event


def rename(db: Connection, repo: Repository, number: int, actor: Actor, title: str) -> Event:
    """Give a discussion another title; its author may, and whoever may write to the repository.

    Raises:
        InputError: When the title is empty or too long.
        NotFound: When there is no such discussion.
        Forbidden: When the actor may not.
    """
    found = find_discussion(db, repo, number)
    require_author(db, repo, actor, found.author_id)
    title = _check_title(title)
    where = (discussion.c.repository_id == repo.id, discussion.c.number == number)
    db.execute(update(discussion).where(*where).values(title=title))
    event = add_event(db, repo, number, actor, "title-change", {"from": found.title, "to": title})
    _tell(db, repo, number, "update")
    return event


def require_author(db: Connection, repo: Repository, actor: Actor, author_id: str | None) -> None:
    """Refuse unless the actor wrote something, or may write to the repository.

    Raises:
        Forbidden: When neither.
    """
    if actor.known and actor.account_id == author_id:
        return
    roles = load_standing(db, actor, repo.scope).roles
    if not any(Action.WRITE in ALLOWED[role] for role in roles):
        raise Forbidden("only its author and whoever may write to the repository can do that")


def _require_room(db: Connection, repo: Repository, number: int) -> int:
    """Return when the last thing happened in a discussion, 0 when nothing has.

    Raises:
        InputError: When too much happened in it already.
    """
    table = discussion_event.c
    counted = select(func.count(), func.max(table.created), func.sum(func.length(cast(table.data, Text))))
    count, latest, length = db.execute(counted.where(table.repository_id == repo.id, table.number == number)).one()
    if count >= MAX_EVENTS or (length or 0) > MAX_ALL:
        raise InputError(f"discussion {number} has as much in it as one may have; open another one")
    return latest or 0


def _tell(
    db: Connection, repo: Repository, number: int, action: str, comment: Event | None = None, scope: str = "discussion"
) -> None:
    """Let webhooks tell of a discussion as it is now, and of one comment in it."""
    found = find_discussion(db, repo, number)
    told: dict[str, Any] = {
        "id": f"{repo.id}-{number}",
        "num": number,
        "title": found.title,
        "status": found.status,
        "isPullRequest": found.pull_request,
        "author": {"id": found.author_id or ""},
    }
    if found.pull_request:
        merged = {"mergeCommitId": found.merged} if found.merged else {}
        told["changes"] = {"base": found.target, **merged}
    details = {"discussion": told}
    if comment is not None:
        hidden = bool(comment.data["hidden"])
        words = {} if hidden else {"content": comment.data["text"]}
        author = {"id": comment.author_id or ""}
        details["comment"] = {"id": comment.id, "author": author, "hidden": hidden, **words}
    announce(db, repo.scope, Occasion(action, scope, details))


def _check_title(title: str) -> str:
    title = " ".join(title.split())
    if not title or len(title) > MAX_TITLE:
        raise InputError(f"a title has 1 to {MAX_TITLE} characters")
    return title


def _check_text(text: str, *, empty: bool = False) -> str:
    if len(text) > MAX_COMMENT or not (empty or text.strip()):
        raise InputError(f"a comment has 1 to {MAX_COMMENT:,} characters")
    return text.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be kept


def _find_comment(db: Connection, repo: Repository, number: int, event_id: str) -> Event:
    event = find_event(db, repo, number, event_id)
    if event.kind != "comment":
        raise NotFound(f"discussion {number} has no comment {event_id[:40]}")
    if event.data["hidden"]:
        raise Conflict("this comment is hidden")
    return event


def _change_event(db: Connection, event: Event, data: Mapping[str, Any]) -> Event:
    db.execute(update(discussion_event).where(discussion_event.c.id == event.id).values(data=data))
    return Event(event.id, event.kind, event.author, event.author_id, data, event.created)


def _discussions() -> Select[Any]:
    return select(discussion, account.c.name.label("author")).outerjoin(
        account, account.c.id == discussion.c.account_id
    )


def _events() -> Select[Any]:
    return select(discussion_event, account.c.name.label("author")).outerjoin(
        account, account.c.id == discussion_event.c.account_id
    )


def _from_row(row: Row[Any]) -> Discussion:
    return Discussion(
        row.number, row.title, row.author or "", row.account_id, row.status, row.pull_request, row.target, row.base,
        row.merged, row.created,
    )  # fmt: skip


def _event_from_row(row: Row[Any]) -> Event:
    return Event(row.id, row.kind, row.author or "", row.account_id, row.data, row.created)
