"""Discussions and pull requests, as clients read and write them."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Action, Actor, load_standing
from hallmarked.hub.clock import to_text
from hallmarked.hub.community.discussion import (
    DRAFT,
    MERGED,
    OPEN,
    Discussion,
    Event,
    Filter,
    Opening,
    add_comment,
    change_status,
    edit_comment,
    find_discussion,
    hide_comment,
    list_discussions,
    list_events,
    open_discussion,
    rename,
)
from hallmarked.hub.community.pull import list_conflicts, merge_pull
from hallmarked.hub.error import RevisionNotFound
from hallmarked.hub.kind import CLIENT_KINDS
from hallmarked.hub.repository.diff import FileChange, compare, write_diff
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.review.passage import Passage
from hallmarked.web.address import discussion_number, flag, limit_of, param
from hallmarked.web.link import page_url
from hallmarked.web.request import hub_of, target, text_of, with_json

PAGE, MOST, MOST_PAGES = 50, 100, 10_000


def browse(request: Request) -> Response:
    """List discussions, newest first, by pages counted from 0."""
    query = request.query_params
    page, size = query.get("p", "0"), limit_of(request, PAGE, MOST)
    if not page.isdecimal() or len(page) > 6 or int(page) > MOST_PAGES:
        raise InputError("p has to be the number of a page, counted from 0")
    wanted = Filter(query.get("status", ""), query.get("type", ""), query.get("author", ""))
    with hub_of(request).database.read() as db:
        _, repo = target(request, db, request.path_params["kind"])
        start = int(page) * size
        total, found = list_discussions(db, repo, wanted, start=start, count=size)
    return JSONResponse({"count": total, "start": start, "discussions": [write_head(repo, item) for item in found]})


def make(request: Request, body: dict[str, Any]) -> Response:
    """Open a discussion or, as a draft, a pull request."""
    pull = body.get("pullRequest") is True
    opening = Opening(
        text_of(body, "title"),
        text_of(body, "description", ""),
        pull_request=pull,
        status=DRAFT if pull else OPEN,
    )
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.DISCUSS)
        made = open_discussion(db, repo, actor, opening)
    url = f"{page_url(request, repo)}/discussions/{made.number}"
    return JSONResponse({"num": made.number, "url": url, "pullRequest": pull})


def show(request: Request) -> Response:
    """Show a discussion with everything that happened in it, and what a pull request would change."""
    number = discussion_number(request)
    with hub_of(request).database.read() as db:
        actor, repo = target(request, db, request.path_params["kind"])
        found = find_discussion(db, repo, number)
        body = write_head(repo, found)
        body["events"] = [write_event(event) for event in list_events(db, repo, number)]
        body |= {"diffUrl": None, "filesWithConflicts": None}
        if found.pull_request:
            body |= _pull_part(request, db, repo, actor, found)
    return JSONResponse(body)


def _pull_part(request: Request, db: Connection, repo: Repository, actor: Actor, pull: Discussion) -> dict[str, Any]:
    changes = {"base": pull.target, **({"mergeCommitId": pull.merged} if pull.merged else {})}
    part: dict[str, Any] = {"changes": changes, "filesWithConflicts": []}
    try:
        if pull.status != MERGED:
            part["filesWithConflicts"] = list(list_conflicts(db, repo, pull))
    except RevisionNotFound:  # the branch it is for was deleted
        part["filesWithConflicts"] = True
    if flag(request, "diff"):
        part["diff"] = _diff(request, db, repo, actor, pull)
    return part


def _diff(request: Request, db: Connection, repo: Repository, actor: Actor, pull: Discussion) -> str:
    """Write the changes of a pull request, with the lines of those files only that the reader may download."""
    base, head = find_revision(db, repo, pull.base), find_revision(db, repo, pull.branch)
    standing, policy = load_standing(db, actor, repo.scope), hub_of(request).settings.policy

    def may_read(change: FileChange) -> bool:
        return all(
            entry is None or Passage(actor, repo, standing, at).refusal(entry, policy) is None
            for at, entry in ((base, change.old), (head, change.new))
        )

    return write_diff(db, compare(db, base.tree, head.tree), may_read)


def comment(request: Request, body: dict[str, Any]) -> Response:
    """Answer in a discussion."""
    text = text_of(body, "comment")
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.DISCUSS)
        event = add_comment(db, repo, discussion_number(request), actor, text)
    return JSONResponse({"newMessage": write_event(event)})


def edit(request: Request, body: dict[str, Any]) -> Response:
    """Change a comment."""
    text = text_of(body, "content")
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.DISCUSS)
        event = edit_comment(db, repo, discussion_number(request), param(request, "event").lower(), actor, text)
    return JSONResponse({"updatedComment": write_event(event)})


def hide(request: Request, body: dict[str, Any]) -> Response:
    """Hide a comment."""
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.DISCUSS)
        event = hide_comment(db, repo, discussion_number(request), param(request, "event").lower(), actor)
    return JSONResponse({"updatedComment": write_event(event)})


def retitle(request: Request, body: dict[str, Any]) -> Response:
    """Give a discussion another title."""
    title = text_of(body, "title")
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.DISCUSS)
        event = rename(db, repo, discussion_number(request), actor, title)
    return JSONResponse({"newTitle": write_event(event)})


def restatus(request: Request, body: dict[str, Any]) -> Response:
    """Open or close a discussion."""
    status, text = text_of(body, "status"), text_of(body, "comment", "")
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.DISCUSS)
        event = change_status(db, repo, discussion_number(request), actor, status)
        if text.strip():
            add_comment(db, repo, discussion_number(request), actor, text)
    return JSONResponse({"newStatus": write_event(event)})


def merge(request: Request, body: dict[str, Any]) -> Response:
    """Take the changes of a pull request."""
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.WRITE)
        made = merge_pull(db, repo, discussion_number(request), actor, text_of(body, "comment", ""))
    return JSONResponse({"mergeCommitId": made.oid})


def write_head(repo: Repository, item: Discussion) -> dict[str, Any]:
    """Write a discussion as lists of clients have it."""
    return {
        "num": item.number,
        "title": item.title,
        **_author(item.author),
        "createdAt": to_text(item.created),
        "status": item.status,
        "isPullRequest": item.pull_request,
        "repo": {"name": repo.name, "type": CLIENT_KINDS[repo.scope.kind]},
    }


def write_event(event: Event) -> dict[str, Any]:
    """Write what happened as clients read it."""
    data = dict(event.data)
    if event.kind == "comment":
        text = data["text"]
        latest = {
            "raw": text,
            # NOTE: escaped text, not rendered Markdown; pages render it themselves
            "html": f"<p>{escape(text)}</p>",
            "updatedAt": to_text(data.get("edited", event.created)),
            **_author(event.author),
        }
        data = {
            "edited": bool(data["history"]),
            "hidden": data["hidden"],
            "latest": latest,
            "numEdits": len(data["history"]),
            "history": [{"raw": old["text"], "updatedAt": to_text(old["until"])} for old in data["history"]],
        }
    return {
        "id": event.id,
        "type": event.kind,
        "createdAt": to_text(event.created),
        **_author(event.author),
        "data": data,
    }


def _author(name: str) -> dict[str, Any]:
    return {"author": {"name": name}} if name else {}


_BASE = "/api/{kind:kind}/{owner}/{name}/discussions"
_post = partial(Route, methods=["POST"])
ROUTES = [
    Route(_BASE, browse),
    _post(_BASE, with_json(make)),
    Route(f"{_BASE}/{{number}}", show),
    _post(f"{_BASE}/{{number}}/comment", with_json(comment)),
    _post(f"{_BASE}/{{number}}/comment/{{event}}/edit", with_json(edit)),
    _post(f"{_BASE}/{{number}}/comment/{{event}}/hide", with_json(hide)),
    _post(f"{_BASE}/{{number}}/title", with_json(retitle)),
    _post(f"{_BASE}/{{number}}/status", with_json(restatus)),
    _post(f"{_BASE}/{{number}}/merge", with_json(merge)),
]
