"""Discussions and pull requests of a repository."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from hallmarked.hub.access import Action
from hallmarked.hub.clock import to_datetime
from hallmarked.hub.community.discussion import (
    Event,
    Filter,
    Opening,
    add_comment,
    change_status,
    find_discussion,
    hide_comment,
    list_discussions,
    list_events,
    open_discussion,
    rename,
)
from hallmarked.hub.community.pull import list_conflicts, merge_pull
from hallmarked.hub.kind import page_path
from hallmarked.web.address import discussion_number, repo_routes
from hallmarked.web.form import Form, with_form
from hallmarked.web.markdown import render_markdown
from hallmarked.web.page.repository import KINDS, Head, Opened, open_page
from hallmarked.web.render import Html, Page, context
from hallmarked.web.request import hub_of, target

ROWS = 30
"""Discussions on one page."""
MOST_EVENTS = 500
"""Events of one discussion on its page, the newest."""


@context
class Row:
    """A discussion in the list."""

    number: int
    """Its number in the repository."""
    title: str
    """What it is about."""
    author: str
    """Who began it; empty when the account is gone."""
    status: str
    """``draft``, ``open``, ``closed`` or ``merged``."""
    pull_request: bool
    """Whether it offers changes."""
    time: datetime
    """When it began."""


@context
class Community:
    """The discussions of a repository."""

    head: Head
    """What stands on top."""
    status: str
    """Which are listed: ``open``, ``closed`` or ``all``."""
    rows: tuple[Row, ...]
    """One part of the list, newest first."""
    total: int
    """How many there are."""
    following: str
    """Address of the next part; empty on the last."""


@context
class Happened:
    """Something that happened in a discussion."""

    id: str
    """Names it in forms."""
    kind: str
    """``comment``, ``status-change``, ``title-change`` or ``commit``."""
    author: str
    """Who; empty when the account is gone."""
    time: datetime
    """When."""
    text: Html
    """A comment, rendered."""
    hidden: bool
    """Whether the comment was hidden."""
    edited: bool
    """Whether the comment says something else than at first."""
    words: str
    """The new status or title, or the title of the commit."""
    commit: str
    """Id of the commit."""
    may_hide: bool
    """Whether the reader may hide the comment."""


@context
class Discussion:
    """One discussion or pull request."""

    head: Head
    """What stands on top."""
    row: Row
    """What it is."""
    events: tuple[Happened, ...]
    """What happened, oldest first."""
    hidden: int
    """How many older events are not shown."""
    target: str
    """Branch that a pull request is for."""
    branch: str
    """Ref with the changes of a pull request."""
    base: str
    """Commit a pull request started from."""
    merged: str
    """Commit it was merged as; empty before."""
    conflicts: tuple[str, ...]
    """Files that both the pull request and its branch have changed."""
    may_close: bool
    """Whether the reader may close or open it, and rename it."""
    may_merge: bool
    """Whether the reader may merge it."""


def show_community(request: Request, kind: str) -> Community:
    """Make the list of discussions."""
    asked = request.query_params
    status = asked.get("status", "open") if asked.get("status") in {"open", "closed", "all"} else "open"
    page = asked.get("p", "0")
    start = int(page) * ROWS if page.isdecimal() and len(page) < 6 else 0
    with open_page(request, kind) as opened:
        wanted = Filter("" if status == "all" else status)
        total, found = list_discussions(opened.db, opened.repo, wanted, start=start, count=ROWS)
        rows = tuple(
            Row(each.number, each.title, each.author, each.status, each.pull_request, to_datetime(each.created))
            for each in found
        )
        more = start + ROWS < total
        following = f"?{urlencode({'status': status, 'p': start // ROWS + 1})}" if more else ""
        return Community(opened.head, status, rows, total, following)


def show_discussion(request: Request, kind: str) -> Discussion:
    """Make the page of a discussion."""
    with open_page(request, kind) as opened:
        found = find_discussion(opened.db, opened.repo, discussion_number(request))
        events = list_events(opened.db, opened.repo, found.number)
        row = Row(found.number, found.title, found.author, found.status, found.pull_request, to_datetime(found.created))
        mine = opened.actor.known and found.author_id == opened.actor.account_id
        head = opened.head
        waiting = found.pull_request and found.status in {"open", "draft"}
        return Discussion(
            head,
            row,
            tuple(_happened(opened, each) for each in events[-MOST_EVENTS:]),
            max(0, len(events) - MOST_EVENTS),
            found.target.removeprefix("refs/heads/"),
            found.branch if found.pull_request else "",
            found.base,
            found.merged,
            tuple(list_conflicts(opened.db, opened.repo, found)) if waiting else (),
            found.status != "merged" and (mine or head.may_write),
            waiting and head.may_write,
        )


def _happened(opened: Opened, event: Event) -> Happened:
    data = event.data
    mine = opened.actor.known and event.author_id == opened.actor.account_id
    hidden = bool(data.get("hidden"))
    return Happened(
        event.id,
        event.kind,
        event.author,
        to_datetime(event.created),
        render_markdown(str(data.get("text", "")), opened.place()).html,
        hidden,
        bool(data.get("history")),
        str(data.get("status") or data.get("to") or data.get("subject") or ""),
        str(data.get("oid", "")),
        event.kind == "comment" and not hidden and (mine or opened.head.may_write),
    )


def do_open(request: Request, form: Form, kind: str) -> Response:
    """Open a discussion."""
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, kind, Action.DISCUSS)
        made = open_discussion(db, repo, actor, Opening(form.text("title"), form.text("text")))
    return RedirectResponse(f"{page_path(kind, repo.name)}/discussions/{made.number}", 303)


def do_answer(request: Request, form: Form, kind: str) -> Response:
    """Do what the button says: answer, open, close, rename, hide or merge."""
    number, act = discussion_number(request), form.text("act", "comment")
    with hub_of(request).database.write() as db:
        needed = Action.WRITE if act == "merge" else Action.DISCUSS
        actor, repo = target(request, db, kind, needed)
        if act == "merge":
            merge_pull(db, repo, number, actor, form.text("text"))
        elif act in {"open", "closed", "draft"}:
            if form.text("text"):
                add_comment(db, repo, number, actor, form.text("text"))
            change_status(db, repo, number, actor, act)
        elif act == "rename":
            rename(db, repo, number, actor, form.text("title"))
        elif act == "hide":
            hide_comment(db, repo, number, form.text("event"), actor)
        else:
            add_comment(db, repo, number, actor, form.text("text"))
    return RedirectResponse(f"{page_path(kind, repo.name)}/discussions/{number}#end", 303)


FORMS: tuple[BaseRoute, ...] = (
    *repo_routes("/discussions", with_form(do_open), methods=["POST"], name="discuss"),
    *repo_routes("/discussions/{number}", with_form(do_answer), methods=["POST"], name="answer"),
)
PAGES = (
    Page("/{owner}/{name}/discussions", "repository/community.html.j2", show_community, KINDS),
    Page("/{owner}/{name}/discussions/{number}", "repository/discussion.html.j2", show_discussion, KINDS),
)
