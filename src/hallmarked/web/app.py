"""The application: every route module, and what stands before all of them."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect

from hallmarked.hub.account.token import Uses
from hallmarked.hub.community.popularity import Downloads
from hallmarked.hub.consent.listing import Index
from hallmarked.hub.hub import Hub
from hallmarked.hub.memory import Memory
from hallmarked.hub.passage.caller import Callers
from hallmarked.hub.passage.shelf import Shelf
from hallmarked.web.address import KeepSlashes
from hallmarked.web.cache import HeadCache
from hallmarked.web.count import CountMiddleware
from hallmarked.web.error import answer_invalid, answer_nobody
from hallmarked.web.guard import Guard
from hallmarked.web.identifier import IdentifierMiddleware
from hallmarked.web.limit import Limits
from hallmarked.web.meter import Metered, Meters
from hallmarked.web.route import (
    account,
    card,
    commit,
    context,
    discussion,
    evidence,
    fallback,
    gate,
    git,
    health,
    large,
    ledger,
    lfs,
    listing,
    login,
    passage,
    person,
    reference,
    repository,
    resolve,
    review,
    tree,
    webhook,
    xet,
)
from hallmarked.web.route.api import administration as our_administration
from hallmarked.web.route.api import consent as our_consents
from hallmarked.web.route.api import organisation as our_organisations
from hallmarked.web.route.api import person as our_people
from hallmarked.web.site import install

MODULES = (
    resolve,
    our_people,
    our_organisations,
    our_administration,
    our_consents,
    health,
    review,
    login,
    account,
    card,
    ledger,
    evidence,
    context,
    person,
    passage,
    gate,
    reference,
    discussion,
    listing,
    repository,
    tree,
    large,
    commit,
    lfs,
    xet,
    git,
    webhook,
    fallback,
)
"""Modules with routes, in the order in which they are tried: what is asked for most comes first."""

SILENT: dict[str, Any] = {"telemetry": {"tracing": False, "metrics": False, "logs": False}}
"""FastAPI would measure for, and send to, whatever OpenTelemetry finds in the environment."""


def create_app(hub: Hub) -> FastAPI:
    """Make the application that serves a hub."""
    app = FastAPI(title=hub.settings.server.name, docs_url=None, redoc_url=None, **SILENT)
    app.state.hub = hub
    app.state.downloads = Downloads(hub.database)
    app.state.limits, app.state.uses = Limits(hub.settings.limit), Uses()
    app.state.shelf = Shelf()
    app.state.callers, app.state.wait = Callers(hub.settings.search.questions), asyncio.sleep
    app.add_middleware(CountMiddleware, downloads=app.state.downloads)
    app.state.memory = Memory(hub.database)
    app.state.consents = Index()
    app.add_middleware(HeadCache, memory=app.state.memory)
    app.add_middleware(KeepSlashes)
    app.add_middleware(Guard, hub=hub, limits=app.state.limits, uses=app.state.uses)
    app.add_middleware(IdentifierMiddleware)  # outside of the guard: what it refuses has an id too
    app.state.meters = Meters()
    app.add_middleware(Metered, meters=app.state.meters)
    for module in MODULES:
        app.router.routes.extend(module.ROUTES)
    install(app)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(ClientDisconnect, answer_nobody)
    return app
