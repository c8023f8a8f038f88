"""Answers that take longer than clients wait for a first byte."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

WAIT = 5.0
"""Seconds after which a client hears something; common clients give up after ten."""


class KeepAlive(Response):
    """Sends what a task returns; while it is not there yet, spaces, which mean nothing before JSON or in an empty text.

    A task that fails in time is answered as usual. One that fails later cuts the connection off, which every client
    takes for a failure too.

    Args:
        work: What is being done; it goes on when the client hangs up.
    """

    def __init__(self, work: Awaitable[Response]) -> None:
        self.work = asyncio.ensure_future(work)
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it.

        Raises:
            Error: What the task raises.
        """
        done, _ = await asyncio.wait([self.work], timeout=WAIT)
        if done:
            await self.work.result()(scope, receive, send)
            return
        headers = [(b"content-type", b"application/vnd.git-lfs+json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while not (await asyncio.wait([self.work], timeout=WAIT))[0]:
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
        await send({"type": "http.response.body", "body": bytes(self.work.result().body), "more_body": False})
