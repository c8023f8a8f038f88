"""Access to gated repositories: asking for it, deciding on it, and the table of who has it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Action
from hallmarked.hub.clock import to_text
from hallmarked.hub.gate.report import write_report
from hallmarked.hub.gate.request import (
    PAGE,
    AccessRequest,
    Decision,
    Status,
    ask_access,
    decide_request,
    grant_access,
    list_requests,
    withdraw_request,
)
from hallmarked.hub.kind import page_path
from hallmarked.web.address import limit_of, repo_routes
from hallmarked.web.link import page_response
from hallmarked.web.request import hub_of, parse_object, read_body, target, text_of, with_json

FORM_LIMIT = 256 << 10
"""Bytes of the answers to a card's questions."""


def listing(request: Request) -> Response:
    """List the requests of one status."""
    status = status_of(request.path_params["status"])
    size = limit_of(request, PAGE, PAGE)
    with hub_of(request).database.read() as db:
        _, repo = target(request, db, request.path_params["kind"], Action.REVIEW)
        if not repo.scope.gate:
            raise InputError(f"{repo.name} is not gated, so that nobody asks for access")
        found = list_requests(db, repo, status, after=request.query_params.get("cursor", ""), limit=size + 1)
    items = [write_request(item) for item in found[:size]]
    return page_response(request, items, **({"cursor": found[size - 1].id} if len(found) > size else {}))


def handle(request: Request, body: dict[str, Any]) -> Response:
    """Accept or reject a request, or take such a decision back."""
    decision = Decision(status_of(text_of(body, "status")), text_of(body, "rejectionReason", ""), days_of(body))
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.REVIEW)
        user, request_id = text_of(body, "user", ""), text_of(body, "requestId", "")
        if bool(user) == bool(request_id):
            raise InputError("name the user or the request, one of both")
        decide_request(db, actor, repo, decision, user=user, request_id=request_id)
    return JSONResponse({})


def grant(request: Request, body: dict[str, Any]) -> Response:
    """Give somebody access who did not ask."""
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.REVIEW)
        grant_access(db, actor, repo, text_of(body, "user"), days_of(body))
    return JSONResponse({})


async def ask(request: Request, kind: str) -> Response:
    """Ask for access, by a form or a JSON object of answers; a form leads back to the repository's page."""
    body = await read_body(request, FORM_LIMIT)
    if request.headers.get("content-type", "").startswith("application/json"):
        given = {key: _answer(value) for key, value in parse_object(body).items()}
        status, _ = await run_in_threadpool(_ask, request, kind, given)
        return JSONResponse({"status": status})
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=1_000)
    _, path = await run_in_threadpool(_ask, request, kind, {key: values[0] for key, values in fields.items()})
    return RedirectResponse(path, 303)


def _ask(request: Request, kind: str, given: dict[str, str]) -> tuple[Status, str]:
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, kind)
        return ask_access(db, actor, repo, given), page_path(kind, repo.name)


def withdraw(request: Request, kind: str) -> Response:
    """Take an own request back."""
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, kind)
        withdraw_request(db, actor, repo)
    return RedirectResponse(page_path(kind, repo.name), 303)


def report(request: Request, kind: str) -> Response:
    """Send the table of all requests."""
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, kind, Action.REVIEW)
        lines = "".join(write_report(db, actor, repo))
    name = repo.name.replace("/", "-")
    headers = {"Content-Disposition": f'attachment; filename="{name}-access.csv"', "Cache-Control": "no-store"}
    return Response(lines, media_type="text/csv; charset=utf-8", headers=headers)


def status_of(text: str) -> Status:
    """Return the status a text names.

    Raises:
        InputError: When it is none.
    """
    try:
        return Status(text)
    except ValueError as error:
        raise InputError("the status has to be pending, accepted or rejected") from error


def days_of(body: dict[str, Any]) -> int | None:
    """Return for how many days access is given; None when nothing is said of that.

    Raises:
        InputError: When it is not a number.
    """
    days = body.get("days")
    if days is not None and (not isinstance(days, int) or isinstance(days, bool)):
        raise InputError("days has to be a number")
    return days


def write_request(item: AccessRequest) -> dict[str, Any]:
    """Write a request as clients read it."""
    return {
        "requestId": item.id,
        "user": {"user": item.user, "fullname": item.full_name, "email": item.email or None},
        "status": item.status,
        "timestamp": to_text(item.created),
        **({"fields": dict(item.answers)} if item.answers else {}),
        **({"rejectionReason": item.reason} if item.reason else {}),
        **({"expires": to_text(item.expires)} if item.expires is not None else {}),
    }


def _answer(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else ""
    if not isinstance(value, str):
        raise InputError("an answer is a text, or true")
    return value


_BASE = "/api/{kind:kind}/{owner}/{name}/user-access-request"
ROUTES = [
    Route(f"{_BASE}/handle", with_json(handle), methods=["POST"]),
    Route(f"{_BASE}/grant", with_json(grant), methods=["POST"]),
    Route(f"{_BASE}/{{status}}", listing),
    *repo_routes("/ask-access", ask, methods=["POST"], name="ask_access"),
    *repo_routes("/withdraw-access", withdraw, methods=["POST"], name="withdraw_access"),
    *repo_routes("/user-access-report", report, name="access_report"),
]
