"""What people and others state about revisions: filed here or brought as evidence, and removed by moderation alone."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Action
from hallmarked.hub.repository.repository import MAIN
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.review.filing import file_record
from hallmarked.hub.review.judgement import redecide_about
from hallmarked.hub.review.outside import MOST_BYTES, Received, Removal, list_outside, remove, take_in
from hallmarked.web.address import limit_of, param
from hallmarked.web.request import actor_of, check_json, hub_of, read_body, target, text_of, with_json

FILES = 30
"""Evidence files that one account may bring, a minute."""
PAGE = 200
"""Statements that are listed in one answer."""


async def bring(request: Request) -> Response:
    """Take in an evidence file about a repository."""
    # Who may not bring anything is told so before a large body is read.
    await run_in_threadpool(_admit, request)
    data = await read_body(request, MOST_BYTES)
    check_json(data)
    got = await run_in_threadpool(_take_in, request, data)
    told = {"received": [one.to_dict() for one in got.new], "known": got.known, "own": got.own}
    return JSONResponse(told, 201 if got.new else 200)


def _admit(request: Request) -> None:
    with hub_of(request).database.read() as db:
        actor, _ = target(request, db, request.path_params["kind"], Action.ATTEST)
    request.app.state.limits.take("evidence", actor.account_id or "", FILES)


def _take_in(request: Request, data: bytes) -> Received:
    hub = hub_of(request)
    with hub.database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.ATTEST)
        got = take_in(hub, db, actor, repo, data)
        redecide_about(hub, db, repo, {one.revision for one in got.new})
        return got


def listing(request: Request) -> Response:
    """List what others state about a repository, or about one revision of it; what came last first."""
    limit = limit_of(request, PAGE, PAGE)
    before = _place(request.query_params.get("before", ""))
    with hub_of(request).database.read() as db:
        _, repo = target(request, db, request.path_params["kind"])
        name = request.query_params.get("revision", "")
        oid = find_revision(db, repo, name).oid if name else ""
        found = list_outside(db, repo, revision=oid, limit=limit, before=before)
    following = f"{found[-1].created}-{found[-1].id}" if len(found) == limit else ""
    return JSONResponse({"evidence": [one.to_dict() for one in found], "next": following})


def file(request: Request, body: dict[str, Any]) -> Response:
    """File a record about a revision, which the hub signs for the account."""
    said = body.get("record", {})
    if not isinstance(said, dict):
        raise InputError("record has to be an object with the fields of the record")
    hub = hub_of(request)
    with hub.database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.RECORD)
        request.app.state.limits.take("evidence", actor.account_id or "", FILES)
        at = find_revision(db, repo, text_of(body, "revision", MAIN))
        filed = file_record(hub, db, actor, (repo, at), text_of(body, "kind"), said)
        redecide_about(hub, db, repo, {filed.revision})
    return JSONResponse(filed.to_dict(), 201)


def drop(request: Request, body: dict[str, Any]) -> Response:
    """Let a statement count no more, with a reason for everybody."""
    hub = hub_of(request)
    with hub.database.write() as db:
        actor_of(request, db)
        actor, repo = target(request, db, request.path_params["kind"], Action.MANAGE)
        how = Removal(text_of(body, "reason"), body.get("erase") is True)
        removed = remove(hub, db, actor, repo, param(request, "id"), how)
        redecide_about(hub, db, repo, {removed.revision})
    return JSONResponse(removed.to_dict())


def _place(text: str) -> tuple[int, str] | None:
    """Read where a page ended.

    Raises:
        InputError: When it is not what an earlier page said.
    """
    if not text:
        return None
    time, _, name = text.partition("-")
    if not (time.isascii() and time.isdecimal()) or not name.isalnum() or len(time) > 15:
        raise InputError("before has to be what an earlier page said is next")
    return int(time), name


_BASE = "/api/{kind:kind}/{owner}/{name}/evidence"
ROUTES = [
    Route(_BASE, bring, methods=["POST"]),
    Route(_BASE, listing),
    Route("/api/{kind:kind}/{owner}/{name}/records", with_json(file), methods=["POST"]),
    Route(_BASE + "/{id}/remove", with_json(drop), methods=["POST"]),
]
