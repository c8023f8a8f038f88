"""Serve a hub from this process, or from several."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from hallmarked.core.errors import InputError
from hallmarked.hub.hub import Hub, open_hub
from hallmarked.hub.log import start_log
from hallmarked.hub.setting import Server, Settings, settings_from
from hallmarked.web.app import create_app

SERVED, PASSPHRASE = "HALLMARKED_SERVED", "HALLMARKED_PASSPHRASE"
"""Environment of the processes that this one starts: the settings, as JSON, and what opens the ledger's keys."""

_TRIM, _MAP, _ARENAS = -1, -3, -8
"""Names of settings of GNU's C library, as ``mallopt`` takes them."""


def listen(server: Server) -> socket.socket:
    """Take the address that people connect to, before anything is made or begun for them.

    Raises:
        InputError: When it cannot be had, in particular because another program has it.
    """
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    try:
        return socket.create_server((server.host, server.port), family=family, dualstack_ipv6=server.host == "::")
    except OSError as error:
        place = f"port {server.port} of {server.host}"
        if error.errno == errno.EADDRINUSE:
            raise InputError(f"another program already listens on {place}; choose another port with --port") from None
        raise InputError(f"{place} cannot be listened on") from error


def run_server(hub: Hub, place: socket.socket) -> None:
    """Answer requests until told to stop; then return, so that the caller can end its other work."""
    _keep_memory()
    signal.signal(signal.SIGTERM, lambda *_: None)  # the server sends itself the signal again once it has stopped
    signal.signal(signal.SIGHUP, lambda *_: None)  # there is nothing to read anew
    with suppress(KeyboardInterrupt):
        uvicorn.Server(uvicorn.Config(create_app(hub), **_options(hub.settings))).run(sockets=[place])


def run_servers(settings: Settings, place: socket.socket) -> None:
    """Answer requests from several processes until told to stop."""
    os.environ[SERVED] = json.dumps(asdict(settings))
    config = uvicorn.Config(
        "hallmarked.web.server:create_served",
        factory=True,
        workers=settings.server.workers,
        **_options(settings),
    )
    Multiprocess(config, sockets=[place]).run()


def create_served() -> FastAPI:
    """Make the application of one process of several."""
    start_log()
    _keep_memory()
    hub = open_hub(settings_from(json.loads(os.environ[SERVED])), os.environ.get(PASSPHRASE))

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        yield
        hub.close()

    app = create_app(hub)
    app.router.lifespan_context = life
    return app


def _keep_memory() -> None:
    """Let the C library keep a few MiB that are free.

    Bodies pass through in pieces of a quarter of a MiB. GNU's library would hand each of them back to the system and
    get it anew, emptied, which costs more than all else that is done with it.
    """
    with suppress(AttributeError):  # other libraries do not have this setting
        library = ctypes.CDLL(None)
        library.mallopt(_MAP, 4 << 20)
        library.mallopt(_TRIM, 4 << 20)
        library.mallopt(_ARENAS, 2)  # what is free in one cannot be used in another


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": settings.job.grace_seconds,
    }
