"""Repositories: make, delete, move, change, and what is known of them."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Action
from hallmarked.hub.change.creation import create
from hallmarked.hub.change.duplicate import Copy, duplicate
from hallmarked.hub.kind import FROM_CLIENTS, KINDS
from hallmarked.hub.repository.repository import (
    MAIN,
    change_settings,
    delete_repository,
    move_repository,
    open_repository,
)
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.review.context import note_decision
from hallmarked.hub.review.status import repo_status
from hallmarked.web.address import flag, param
from hallmarked.web.description import FULL, RUNTIME, View, check_fields, write_fields, write_sibling
from hallmarked.web.link import page_url, warn_of_state
from hallmarked.web.request import actor_of, hub_of, target, text_of, with_json


def kind_of(body: dict[str, Any]) -> str:
    """Return the kind of repository a body names."""
    word = text_of(body, "type", "model")
    kind = FROM_CLIENTS.get(word, word)
    if kind not in KINDS:
        raise InputError("type has to be model, dataset or space")
    return kind


def _refuse_group(body: dict[str, Any]) -> None:
    """Refuse what would seem to restrict access and does not."""
    if body.get("resourceGroupId") is not None:
        raise InputError("this hub has no resource groups; use an organisation or collaborators instead")


def _visibility(body: dict[str, Any]) -> str:
    """Return what a body says of who may see a repository, in the words of new clients or of older ones."""
    if isinstance(body.get("private"), bool):
        return "private" if body["private"] else "public"
    return text_of(body, "visibility", "")


def make(request: Request, body: dict[str, Any]) -> Response:
    """Make a repository."""
    name, owner = text_of(body, "name"), text_of(body, "organization", "") or None
    if "/" in name:
        owner, _, name = name.partition("/")
    visibility = _visibility(body)
    _refuse_group(body)
    with hub_of(request).database.write() as db:
        repo = create(
            db,
            actor_of(request, db),
            kind_of(body),
            name,
            visibility=visibility,
            owner=owner,
            sdk=text_of(body, "sdk", ""),
        )
    return JSONResponse(
        {"url": page_url(request, repo), "name": repo.name, "id": repo.id, "private": repo.scope.private}
    )


def remove(request: Request, body: dict[str, Any]) -> Response:
    """Delete a repository; it can be restored for a while."""
    with hub_of(request).database.write() as db:
        actor = actor_of(request, db)
        name = text_of(body, "name")
        full = name if "/" in name else f"{text_of(body, 'organization', '') or actor.name}/{name}"
        repo = open_repository(db, actor, kind_of(body), full, Action.MANAGE)
        delete_repository(db, repo.id, by=actor)
    return JSONResponse({})


def move(request: Request, body: dict[str, Any]) -> Response:
    """Give a repository another name or owner."""
    with hub_of(request).database.write() as db:
        actor = actor_of(request, db)
        repo = open_repository(db, actor, kind_of(body), text_of(body, "fromRepo"), Action.MANAGE)
        repo = move_repository(db, actor, repo, text_of(body, "toRepo"))
    return JSONResponse({"url": page_url(request, repo)})


def change(request: Request, body: dict[str, Any]) -> Response:
    """Change who may see a repository and get its files."""
    visibility = _visibility(body) or None
    gate = body.get("gated")
    gate = "" if gate is False else gate
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.MANAGE)
        if decision := text_of(body, "decision", ""):
            note_decision(db, actor, repo, "gate" if gate is not None else "visibility", decision)
        change_settings(db, repo.id, visibility=visibility, gate=gate, by=actor)
    return JSONResponse({"visibility": visibility, "gated": gate or False})


def copy(request: Request, body: dict[str, Any]) -> Response:
    """Copy a repository with its history."""
    owner, _, name = text_of(body, "repository").partition("/")
    visibility = _visibility(body)
    _refuse_group(body)
    hub = hub_of(request)
    with hub.database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.READ)
        made = duplicate(db, actor, repo, Copy(name, owner, visibility), hub.settings.policy)
    return JSONResponse({"url": page_url(request, made), "filesCopyPending": False})


def info(request: Request) -> Response:
    """Say what is known of a repository, at its main branch or another revision."""
    name = param(request, "revision") if "revision" in request.path_params else MAIN
    query, kind = request.query_params, request.path_params["kind"]
    expand = [field for text in (*query.getlist("expand"), *query.getlist("expand[]")) for field in text.split(",")]
    hub = hub_of(request)
    with hub.database.read() as db:
        _, repo = target(request, db, kind)
        at = find_revision(db, repo, name)
        view = View(db, hub, repo, at.oid, at.tree)
        body = write_fields(view, check_fields(kind, expand) or (*FULL[kind], "siblings"))
        if flag(request, "blobs"):
            body["siblings"] = [write_sibling(entry) for entry in view.files]
        if flag(request, "securityStatus"):
            body["securityRepoStatus"] = dict(repo_status(db, repo.id, at))
    response = JSONResponse(body)
    warn_of_state(response, at)
    return response


def runtime(request: Request) -> Response:
    """Say what of a repository runs: nothing, as this hub keeps systems and does not execute them."""
    with hub_of(request).database.read() as db:
        target(request, db, request.path_params["kind"])
    return JSONResponse(RUNTIME)


def check(request: Request) -> Response:
    """Say whether the caller may get the files; writing too when the address asks for it."""
    action = Action.WRITE if request.url.path.endswith("/write") else Action.READ
    with hub_of(request).database.read() as db:
        target(request, db, request.path_params["kind"], action)
    return JSONResponse({})


ROUTES = [
    Route("/api/repos/create", with_json(make), methods=["POST"]),
    Route("/api/repos/delete", with_json(remove), methods=["DELETE"]),
    Route("/api/repos/move", with_json(move), methods=["POST"]),
    Route("/api/{kind:kind}/{owner}/{name}/settings", with_json(change), methods=["PUT"]),
    Route("/api/{kind:kind}/{owner}/{name}/duplicate", with_json(copy), methods=["POST"]),
    Route("/api/{kind:kind}/{owner}/{name}/runtime", runtime),
    Route("/api/{kind:kind}/{owner}/{name}/auth-check", check),
    Route("/api/{kind:kind}/{owner}/{name}/auth-check/write", check),
    Route("/api/{kind:kind}/{owner}/{name}/revision/{revision}", info),
    Route("/api/{kind:kind}/{owner}/{name}", info),
]
