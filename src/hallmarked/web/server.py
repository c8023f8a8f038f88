"""Serve a hub from this process."""

from __future__ import annotations

import uvicorn

from hallmarked.hub.hub import Hub
from hallmarked.web.app import create_app


def run_server(hub: Hub) -> None:
    """Answer requests until told to stop."""
    server = hub.settings.server
    uvicorn.run(create_app(hub), host=server.host, port=server.port)
