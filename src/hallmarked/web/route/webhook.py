"""Webhooks of the caller."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import Forbidden, InputError
from hallmarked.hub.access import Actor
from hallmarked.hub.outbound.client import rules_of
from hallmarked.hub.outbound.webhook import (
    Webhook,
    Wish,
    change_webhook,
    create_webhook,
    delete_webhook,
    enable_webhook,
    find_webhook,
    list_webhooks,
)
from hallmarked.web.address import param
from hallmarked.web.request import actor_of, hub_of, with_json


def list_all(request: Request) -> Response:
    """List the caller's webhooks."""
    with hub_of(request).database.read() as db:
        actor = _seeing(actor_of(request, db))
        found = list_webhooks(db, actor)
    return JSONResponse([_write(item, secret=actor.writes) for item in found])


def show(request: Request) -> Response:
    """Show one."""
    with hub_of(request).database.read() as db:
        actor = _seeing(actor_of(request, db))
        return _answer(find_webhook(db, actor, param(request, "id")), secret=actor.writes)


def create(request: Request, body: dict[str, Any]) -> Response:
    """Make one."""
    hub = hub_of(request)
    with hub.database.write() as db:
        actor = _changing(actor_of(request, db))
        return _answer(create_webhook(db, actor, _wish(body), rules_of(hub.settings.outbound)))


def change(request: Request, body: dict[str, Any]) -> Response:
    """Change one."""
    hub, webhook_id = hub_of(request), param(request, "id")
    with hub.database.write() as db:
        actor = _changing(actor_of(request, db))
        return _answer(change_webhook(db, actor, webhook_id, _wish(body), rules_of(hub.settings.outbound)))


def enable(request: Request, *, enabled: bool) -> Response:
    """Switch one on or off."""
    with hub_of(request).database.write() as db:
        actor = _changing(actor_of(request, db))
        return _answer(enable_webhook(db, actor, param(request, "id"), enabled=enabled))


def remove(request: Request) -> Response:
    """Forget one."""
    with hub_of(request).database.write() as db:
        delete_webhook(db, _changing(actor_of(request, db)), param(request, "id"))
    return JSONResponse({})


def _seeing(actor: Actor) -> Actor:
    """Refuse a token that is for some repositories only: webhooks name others."""
    if actor.repositories is not None:
        raise Forbidden("this token may not see webhooks; use one that is for all you have")
    return actor


def _changing(actor: Actor) -> Actor:
    """Refuse a token that only reads, or that is for some repositories only: a webhook sees whatever its owner sees."""
    if actor.known and (not actor.writes or actor.repositories is not None):
        raise Forbidden("this token may not change webhooks; use one that may write to all you have")
    return actor


def _wish(body: dict[str, Any]) -> Wish:
    watched, domains = body.get("watched"), body.get("domains")
    if body.get("jobSourceId") is not None or body.get("job") is not None:
        raise InputError("this hub runs no jobs, so that a webhook needs a url")
    for name in ("url", "secret"):
        if not isinstance(body.get(name, ""), str | None):
            raise InputError(f"{name} has to be a text")
    if not isinstance(watched, list | None) or not all(isinstance(item, dict) for item in watched or ()):
        raise InputError("watched has to be a list of objects with type and name")
    if not isinstance(domains, list | None) or not all(isinstance(item, str) for item in domains or ()):
        raise InputError("domains has to be a list of texts")
    return Wish(body.get("url"), watched, domains, body.get("secret"))


def _answer(found: Webhook, *, secret: bool = True) -> Response:
    return JSONResponse({"webhook": _write(found, secret=secret)})


def _write(found: Webhook, *, secret: bool) -> dict[str, Any]:
    """Write a webhook; its secret, with which messages are signed, only for who could set another one."""
    return {
        "id": found.id,
        "url": found.url,
        "watched": list(found.watched),
        "domains": list(found.domains),
        "secret": (found.secret or None) if secret else None,
        "disabled": found.disabled,
    }


_BASE = "/api/settings/webhooks"
ROUTES = [
    Route(_BASE, list_all),
    Route(_BASE, with_json(create), methods=["POST"]),
    Route(f"{_BASE}/{{id}}", show),
    Route(f"{_BASE}/{{id}}", with_json(change), methods=["POST"]),
    Route(f"{_BASE}/{{id}}", remove, methods=["DELETE"]),
    Route(f"{_BASE}/{{id}}/enable", partial(enable, enabled=True), methods=["POST"]),
    Route(f"{_BASE}/{{id}}/disable", partial(enable, enabled=False), methods=["POST"]),
]
