"""Answers to HEAD on a file, from memory.

Clients ask for the description of every file before they fetch it, often of hundreds at once. Whoever asks again with
the same credentials, while nothing was committed, gets the same answer without a thread or a query; a right that is
taken away is gone with the commit that takes it: see :mod:`hallmarked.hub.memory`. A route allows this by saying in the
request's state, as ``until``, when its answer ends by the clock.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hallmarked.hub.memory import Memory, recall, remember

LONGEST = 4_096
"""Bytes of an address and credentials that are remembered."""
_MATTERS = frozenset((b"authorization", b"cookie", b"if-match", b"if-none-match", b"accept-language"))
"""Headers of a request that an answer may depend on."""


class HeadCache:
    """Middleware, see the module's text.

    Args:
        app: What answers else.
        memory: What remembers.
    """

    def __init__(self, app: ASGIApp, memory: Memory) -> None:
        self.app, self.memory = app, memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        quick = scope["type"] == "http" and scope["method"] == "HEAD" and "/resolve/" in scope["path"]
        state, key = (self.memory.state(), _key(scope)) if quick else (None, ())
        if state is None or sum(map(len, key)) > LONGEST:
            await self.app(scope, receive, send)
            return
        kept: Message | None = recall(state, key)
        if kept is not None:
            await send({**kept, "headers": list(kept["headers"])})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                until = scope["state"].get("until", 0)
                remember(state, key, {**message, "headers": list(message["headers"])}, until)
            await send(message)

        scope.setdefault("state", {})
        await self.app(scope, receive, watch)


def _key(scope: Scope) -> tuple[bytes, ...]:
    path, query = scope.get("raw_path") or scope["path"].encode(), scope.get("query_string", b"")
    return (path, query, *(part for header in scope["headers"] if header[0] in _MATTERS for part in header))
