"""Every response carries an id, so that what somebody reports can be found in the log."""

from __future__ import annotations

import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-Id"
_RAW = HEADER.lower().encode()


class IdentifierMiddleware:
    """Give every response an id; while it is made, the id is in the request's state as ``request_id``.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        made = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = made

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start" and _RAW not in dict(message["headers"]):
                message["headers"] = [*message["headers"], (_RAW, made.encode())]
            await send(message)

        await self.app(scope, receive, send_with_id)
