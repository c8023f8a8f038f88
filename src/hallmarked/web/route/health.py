"""For those who run the hub: is it alive, is it ready, and its counters."""

from __future__ import annotations

import secrets

from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import BackendError, Error, Forbidden
from hallmarked.hub.job.waiting import count_waiting
from hallmarked.hub.schema.repository import repository, revision
from hallmarked.web.meter import Labels, gauges
from hallmarked.web.request import hub_of

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NEAR = frozenset({"127.0.0.1", "::1"})
PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip")
ABSENT = "0" * 64
"""Digest that is asked for only to see whether the storage answers."""


def live(request: Request) -> Response:
    """Say that this process answers."""
    return PlainTextResponse("alive\n")


def ready(request: Request) -> Response:
    """Say that database, storage and ledger answer; 503 with the reason when one does not."""
    hub = hub_of(request)
    try:
        with hub.database.read() as db:
            db.execute(select(repository.c.id).limit(1)).first()
        hub.blobs.size(ABSENT)
        hub.journal.checkpoint()
    except BackendError as error:
        return PlainTextResponse(f"not ready: {error}\n", 503)
    return PlainTextResponse("ready\n")


def metrics(request: Request) -> Response:
    """Write the counters of this process, and what waits in the hub.

    Raises:
        Forbidden: When neither this machine asks nor somebody with the token for it.
    """
    hub = hub_of(request)
    _refuse_others(request, hub.settings.server.metrics_token)
    values: dict[str, tuple[str, dict[Labels, float]]] = {}
    try:
        with hub.database.read() as db:
            waiting = count_waiting(db)
            states = db.execute(select(revision.c.state, func.count()).group_by(revision.c.state)).all()
        values["hallmarked_audits_waiting"] = ("Revisions that were never audited.", {(): waiting})
        found: dict[Labels, float] = {(("state", str(state)),): count for state, count in states}
        values["hallmarked_revisions"] = ("Revisions by state.", found)
        values["hallmarked_ledger_entries"] = ("Entries of the ledger.", {(): hub.journal.size})
        up = 1.0
    except Error:
        up = 0.0  # the counters of this process are wanted most when something below it fails
    values["hallmarked_up"] = ("Whether database and ledger answer.", {(): up})
    lines = [*request.app.state.meters.lines(), *gauges(values)]
    return Response("\n".join(lines) + "\n", media_type=MEDIA_TYPE)


def _refuse_others(request: Request, token: str) -> None:
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and secrets.compare_digest(given.encode(), token.encode()):
        return
    near = request.client is not None and request.client.host in NEAR
    if not near or any(name in request.headers for name in PROXIED):
        raise Forbidden("the counters are for this machine, and for whoever has the token server.metrics_token")


ROUTES = [
    Route("/health/live", live),
    Route("/health/ready", ready),
    Route("/metrics", metrics),
]
