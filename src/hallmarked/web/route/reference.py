"""Branches, tags, and the commits that lead to a revision."""

from __future__ import annotations

from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Action
from hallmarked.hub.change.commit import Message
from hallmarked.hub.change.history import Step, list_steps, squash, start_empty
from hallmarked.hub.clock import to_text
from hallmarked.hub.community.pull import full_branch, pull_number, require_commit
from hallmarked.hub.repository.repository import MAIN
from hallmarked.hub.repository.revision import HEADS, PULLS, TAGS, create_ref, delete_ref, find_revision, list_refs
from hallmarked.hub.trail import Tag
from hallmarked.hub.trail import record as note
from hallmarked.web.address import flag, limit_of, param
from hallmarked.web.link import page_response
from hallmarked.web.request import hub_of, target, text_of, with_json

PAGE, MOST = 100, 1000


def refs(request: Request) -> Response:
    """List branches and tags, and pull requests when asked."""
    with hub_of(request).database.read() as db:
        _, repo = target(request, db, request.path_params["kind"])
        known = list_refs(db, repo)
    body: dict[str, Any] = {"branches": [], "converts": [], "tags": []}
    kinds = {"branches": HEADS, "tags": TAGS}
    if flag(request, "include_prs"):
        kinds["pullRequests"] = PULLS
    for kind, prefix in kinds.items():
        body[kind] = [
            {"name": ref.name if kind == "pullRequests" else ref.name.removeprefix(prefix), "ref": ref.name,
             "targetCommit": ref.oid}
            for ref in known
            if ref.name.startswith(prefix)
        ]  # fmt: skip
    return JSONResponse(body)


def make_branch(request: Request, body: dict[str, Any]) -> Response:
    """Make a branch, from main or from where the caller says."""
    name = full_branch(param(request, "branch"))
    if not name.startswith(HEADS):
        raise InputError(f"Invalid reference for a branch: {name[:200]} belongs to a pull request")
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.WRITE)
        if body.get("emptyBranch") is True:
            oid = start_empty(db, repo, actor)
        else:
            oid = find_revision(db, repo, text_of(body, "startingPoint", MAIN)).oid
        create_ref(db, repo, name, oid)
        note(db, actor, Tag.BRANCH_CREATED, f"repository:{repo.id}", {"name": name, "commit": oid})
    return JSONResponse({"ref": name, "targetCommit": oid})


def remove_branch(request: Request) -> Response:
    """Delete a branch; its commits stay."""
    name = full_branch(param(request, "branch"))
    if not name.startswith(HEADS):
        raise InputError(f"Invalid reference for a branch: {name[:200]} belongs to a pull request")
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.WRITE)
        delete_ref(db, repo, name)
        note(db, actor, Tag.BRANCH_DELETED, f"repository:{repo.id}", {"name": name})
    return JSONResponse({})


def make_tag(request: Request, body: dict[str, Any]) -> Response:
    """Give a revision a name that does not move."""
    name = TAGS + text_of(body, "tag")
    message = text_of(body, "message", "")[:10_000]
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.WRITE)
        oid = find_revision(db, repo, param(request, "revision")).oid
        create_ref(db, repo, name, oid, message)
        note(db, actor, Tag.TAG_CREATED, f"repository:{repo.id}", {"name": name, "commit": oid})
    return JSONResponse({"ref": name, "targetCommit": oid})


def remove_tag(request: Request) -> Response:
    """Delete a tag."""
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.WRITE)
        delete_ref(db, repo, TAGS + param(request, "revision"))
        note(db, actor, Tag.TAG_DELETED, f"repository:{repo.id}", {"name": TAGS + param(request, "revision")})
    return JSONResponse({})


def commits(request: Request) -> Response:
    """List the commits that lead to a revision, newest first."""
    count = limit_of(request, PAGE, MOST)
    formatted = "formatted" in request.query_params.getlist("expand[]") + request.query_params.getlist("expand")
    after = request.query_params.get("cursor", "")
    with hub_of(request).database.read() as db:
        _, repo = target(request, db, request.path_params["kind"])
        at = find_revision(db, repo, param(request, "revision"))
        oid = find_revision(db, repo, after).oid if after else at.oid
        steps = list_steps(db, repo, oid, count)
    following = {"cursor": steps[-1].parent} if steps[-1].parent else {}
    return page_response(request, [write_step(step, formatted=formatted) for step in steps], **following)


def write_step(step: Step, *, formatted: bool = False) -> dict[str, Any]:
    """Write a commit as clients read it."""
    body = {
        "id": step.oid,
        "title": step.title,
        "message": step.description,
        "authors": [{"user": step.author}] if step.author else [],
        "date": to_text(step.created),
    }
    if formatted:
        return body | {"formatted": {"title": escape(step.title), "message": escape(step.description)}}
    return body


def super_squash(request: Request, body: dict[str, Any]) -> Response:
    """Replace the history of a branch by one commit."""
    short = param(request, "branch")
    branch = full_branch(short)
    message = Message(text_of(body, "message", f"Squash {short}"))
    number = pull_number(branch)
    with hub_of(request).database.write() as db:
        action = Action.DISCUSS if number is not None else Action.WRITE
        actor, repo = target(request, db, request.path_params["kind"], action)
        if number is not None:
            require_commit(db, repo, number, actor)
        made = squash(db, repo, actor, branch, message)
        note(db, actor, Tag.HISTORY_SQUASHED, f"repository:{repo.id}", {"name": branch, "commit": made.oid})
    return JSONResponse({"commitOid": made.oid})


_BASE = "/api/{kind:kind}/{owner}/{name}"
ROUTES = [
    Route(f"{_BASE}/refs", refs),
    Route(f"{_BASE}/branch/{{branch:path}}", with_json(make_branch), methods=["POST"]),
    Route(f"{_BASE}/branch/{{branch:path}}", remove_branch, methods=["DELETE"]),
    Route(f"{_BASE}/tag/{{revision:path}}", with_json(make_tag), methods=["POST"]),
    Route(f"{_BASE}/tag/{{revision:path}}", remove_tag, methods=["DELETE"]),
    Route(f"{_BASE}/commits/{{revision:path}}", commits),
    Route(f"{_BASE}/super-squash/{{branch:path}}", with_json(super_squash), methods=["POST"]),
]
