"""Serve a hub from this process, or from several."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import uvicorn
from fastapi import FastAPI

from hallmarked.hub.hub import Hub, open_hub
from hallmarked.hub.log import start_log
from hallmarked.hub.setting import Settings, settings_from
from hallmarked.web.app import create_app

SERVED, PASSPHRASE = "HALLMARKED_SERVED", "HALLMARKED_PASSPHRASE"
"""Environment of the processes that this one starts: the settings, as JSON, and what opens the ledger's keys."""


def run_server(hub: Hub) -> None:
    """Answer requests until told to stop; then return, so that the caller can end its other work."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # the server sends itself the signal again once it has stopped
    uvicorn.run(create_app(hub), **_options(hub.settings))


def run_servers(settings: Settings) -> None:
    """Answer requests from several processes until told to stop."""
    os.environ[SERVED] = json.dumps(asdict(settings))
    uvicorn.run(
        "hallmarked.web.server:create_served", factory=True, workers=settings.server.workers, **_options(settings)
    )


def create_served() -> FastAPI:
    """Make the application of one process of several."""
    start_log()
    hub = open_hub(settings_from(json.loads(os.environ[SERVED])), os.environ.get(PASSPHRASE))

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        yield
        hub.close()

    app = create_app(hub)
    app.router.lifespan_context = life
    return app


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.server.host,
        "port": settings.server.port,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": settings.job.grace_seconds,
    }
