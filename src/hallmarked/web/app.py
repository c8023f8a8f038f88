"""The application: every route module, and how errors are answered."""

from __future__ import annotations

from fastapi import FastAPI

from hallmarked.hub.hub import Hub
from hallmarked.web.address import KeepSlashes
from hallmarked.web.route import account, card, commit, ledger, lfs, repository, resolve, tree
from hallmarked.web.site import install

MODULES = (account, card, ledger, repository, tree, commit, lfs, resolve)
"""Modules with routes, in the order in which they are tried."""


def create_app(hub: Hub) -> FastAPI:
    """Make the application that serves a hub."""
    app = FastAPI(title=hub.settings.server.name, docs_url=None, redoc_url=None)
    app.state.hub = hub
    app.add_middleware(KeepSlashes)
    for module in MODULES:
        app.router.routes.extend(module.ROUTES)
    install(app)
    return app
