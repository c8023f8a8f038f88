"""Counts downloads beside the routes that send files, so that sending a file never waits for a write."""

from __future__ import annotations

import hashlib
import logging
import re

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hallmarked.core.errors import BackendError
from hallmarked.hub.community.popularity import Downloads
from hallmarked.web.address import PREFIXES

log = logging.getLogger(__name__)

_FILE = re.compile(r"(?P<prefix>/datasets|/spaces|/systems|)/(?P<name>[^/]+/[^/]+)/resolve/[^/]+/.")


class CountMiddleware:
    """Note every file that is sent, or to whose place somebody is sent, from its beginning.

    Args:
        app: What answers.
        downloads: Collects the counts.
    """

    def __init__(self, app: ASGIApp, downloads: Downloads) -> None:
        self.app, self.downloads = app, downloads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        match = _FILE.match(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if match is None:
            await self.app(scope, receive, send)
            return
        sent = ""

        async def send_and_look(message: Message) -> None:
            nonlocal sent
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                begins = headers.get(b"content-range", b"bytes 0-").startswith(b"bytes 0-")
                if message["status"] in (200, 206, 302) and begins:
                    sent = headers.get(b"x-repo-commit", b"").decode("latin-1")
            await send(message)

        await self.app(scope, receive, send_and_look)
        if not sent:
            return
        self.downloads.note(PREFIXES[match["prefix"]], match["name"], sent, _who(scope))
        if self.downloads.due:
            try:
                await run_in_threadpool(self.downloads.flush)
            except BackendError as error:  # the request was answered already
                log.warning("downloads could not be counted: %s", error)


def _who(scope: Scope) -> str:
    """Return something that stays the same for one caller and that nobody is recognised by."""
    token = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    client = scope.get("client") or ("", 0)
    return hashlib.blake2b(token or str(client[0]).encode(), digest_size=12).hexdigest()
