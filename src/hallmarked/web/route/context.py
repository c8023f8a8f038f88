"""Contexts: in which ones a repository is judged, and what each decides about a revision now."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Action
from hallmarked.hub.repository.repository import MAIN, Repository
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.review.context import asked_of, choose_contexts, known_contexts
from hallmarked.hub.review.judgement import judge, redecide_all
from hallmarked.web.request import hub_of, target, text_of, with_json


def decision(request: Request) -> Response:
    """Decide about a revision in a context, now: the check before a deployment."""
    query, hub = request.query_params, hub_of(request)
    with hub.database.read() as db:
        _, repo = target(request, db, request.path_params["kind"])
        at = find_revision(db, repo, query.get("revision", MAIN))
        judged = judge(hub, db, repo, at, query.get("context", ""))
    verdict = judged.decision.verdict
    told = {
        "repository": repo.name,
        "revision": at.oid,
        "context": verdict.context,
        "outcome": verdict.outcome.value,
        "reasons": list(verdict.reasons),
        "until": judged.statement.predicate.get("until"),
        "entry": judged.entry,
        "statement": judged.statement.to_dict(),
    }
    return JSONResponse(told, headers={"X-Repo-Commit": at.oid, "Cache-Control": "private, no-cache"})


def show(request: Request) -> Response:
    """List in which contexts a repository is judged, and which there are."""
    with hub_of(request).database.read() as db:
        _, repo = target(request, db, request.path_params["kind"])
    return JSONResponse(_tell(request, repo))


def choose(request: Request, body: dict[str, Any]) -> Response:
    """Choose in which contexts a repository is judged besides those of the whole hub."""
    wanted = _names(body, "contexts"), _names(body, "gates")
    hub = hub_of(request)
    with hub.database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.MANAGE)
        changed = choose_contexts(hub, db, actor, repo, wanted, text_of(body, "decision", ""))
        redecide_all(hub, db, changed)
    return JSONResponse(_tell(request, changed))


def _tell(request: Request, repo: Repository) -> dict[str, Any]:
    asked, known = asked_of(hub_of(request), repo), known_contexts(hub_of(request))
    there = [
        {"name": name, "title": dict(one.title), "risk": one.risk, "digest": {"sha256": one.digest}}
        for name, one in known.items()
    ]
    return {
        "default": asked.usual,
        "required": list(asked.required),
        "contexts": list(asked.chosen),
        "gates": list(repo.gates),
        "known": there,
    }


def _names(body: dict[str, Any], key: str) -> list[str]:
    """Return a list of names of a JSON object; empty when it is not there.

    Raises:
        InputError: When it is something else.
    """
    value = body.get(key, [])
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InputError(f"{key} has to be a list of names of contexts")
    return value


_BASE = "/api/{kind:kind}/{owner}/{name}"
ROUTES = [
    Route(f"{_BASE}/decision", decision),
    Route(f"{_BASE}/contexts", show),
    Route(f"{_BASE}/contexts", with_json(choose), methods=["PUT"]),
]
