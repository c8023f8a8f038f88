"""What every request passes before a route sees it: its host, how often and how much is sent, and whose form it is."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hallmarked.core.errors import BackendError, Error, Forbidden, InputError
from hallmarked.hub.account.token import Uses
from hallmarked.hub.error import TooLarge, TooSlow
from hallmarked.hub.hub import Hub
from hallmarked.hub.setting import Server
from hallmarked.web.error import answer
from hallmarked.web.limit import Limits
from hallmarked.web.request import check_json
from hallmarked.web.session import FIELD, GUEST, HEADER, cookie_name, is_secure, is_token_valid, session_cookie

log = logging.getLogger(__name__)

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing."""
OURS = "/api/hallmarked/"
"""Where our own API is: its bodies are JSON, and small."""
JSON_LIMIT = 256 << 10
"""Bytes of a body there."""
FORM_LIMIT = 1 << 20
"""Bytes of a form without files."""
FIRST_PART = 4_096
"""Bytes within which a form with files says its token."""
SECONDS = 60
"""How long a client may send nothing in the middle of a body."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?\Z")
_FIRST = re.compile(
    rb'\A--[^\r\n]{1,70}\r\ncontent-disposition: *form-data; *name="csrf"\r\n\r\n([0-9a-f]{64})\r\n', re.IGNORECASE
)


class Guard:
    """Middleware that refuses requests before they reach a route, see the module's first line.

    Args:
        app: What answers.
        hub: What is served.
        limits: Counts requests.
        uses: Collects when tokens were used.
    """

    def __init__(self, app: ASGIApp, hub: Hub, limits: Limits, uses: Uses) -> None:
        self.app, self.hub, self.limits, self.uses = app, hub, limits, uses
        self.hosts = allowed_hosts(hub.settings.server)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})
        connection = HTTPConnection(scope)
        try:
            if scope["method"] != "PUT":  # the bodies of those are files: hallmarked.web.transfer minds their pace
                receive = _patient(receive)
            receive = await self._check(connection, scope["method"], receive)
        except Error as error:
            await _refuse(scope, error)(scope, receive, send)
            return
        await self.app(scope, receive, self._watched(connection, send))
        if self.uses.due:
            try:
                await run_in_threadpool(self.uses.write, self.hub.database)
            except BackendError as error:  # the request was answered already
                log.warning("when tokens were used could not be written: %s", error)

    async def _check(self, connection: HTTPConnection, method: str, receive: Receive) -> Receive:
        check_host(connection.headers.get("host", ""), self.hosts)
        if b"%00" in connection.scope.get("raw_path", b"") or b"%00" in connection.scope["query_string"]:
            raise InputError("an address holds no NUL")  # which PostgreSQL cannot compare with anything
        changes = method not in SAFE
        self.limits.take_request(connection, changes=changes)
        if not changes:
            return receive
        if connection.url.path.startswith(OURS):
            body = await _read(receive, JSON_LIMIT)
            check_json(body)
            receive = _replay([body], receive, whole=True)
        check_origin(connection)
        if "authorization" in connection.headers:
            return receive  # the cookie counts for nothing then
        return await self._check_form(connection, receive)

    async def _check_form(self, connection: HTTPConnection, receive: Receive) -> Receive:
        """Refuse what a browser sends without the token of one of our own pages."""
        kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_form = kind in ("application/x-www-form-urlencoded", "multipart/form-data")
        if not session_cookie(connection) and not (is_form and not connection.url.path.startswith("/api/")):
            return receive  # nobody is signed in, and nobody can be by this
        token = connection.headers.get(HEADER, "")
        if not token and kind == "application/x-www-form-urlencoded":
            body = await _read(receive, FORM_LIMIT)
            receive = _replay([body], receive, whole=True)
            fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=1_000)
            token = fields.get(FIELD, [""])[0]
        elif not token and kind == "multipart/form-data":
            parts = await _peek(receive, FIRST_PART)
            receive = _replay(parts, receive, whole=False)
            found = _FIRST.match(b"".join(parts))
            token = found.group(1).decode() if found else ""
        if not is_token_valid(connection, token):
            raise Forbidden("this form is not from a page of this hub, or is too old: open the page again")
        return receive

    def _watched(self, connection: HTTPConnection, send: Send) -> Send:
        """Let a browser keep what it needs for the next form, and count tokens that were wrong."""

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 401 and "authorization" in connection.headers:
                    self.limits.take_wrong_token(connection)
                guest = connection.scope["state"].get("guest")
                if guest:
                    secure = is_secure(connection)
                    holder = Response()
                    name = cookie_name(GUEST, secure=secure)
                    holder.set_cookie(name, guest, httponly=True, samesite="lax", secure=secure, path="/")
                    MutableHeaders(scope=message).append("Set-Cookie", holder.headers["set-cookie"])
            await send(message)

        return watch


def allowed_hosts(server: Server) -> frozenset[str] | None:
    """Return the names, in lower case and without port, that a hub answers to; None for any.

    A name is checked so that a page elsewhere cannot reach a hub in a private network by a name that leads to its
    address (DNS rebinding), and so that no link the hub writes leads elsewhere.
    """
    named = {name.lower() for name in server.hosts}
    if "*" in named:
        return None
    if server.url:
        return frozenset({urlsplit(server.url).netloc.rpartition("@")[2].lower().split(":")[0], *named} | LOOPBACK)
    if server.host in ("127.0.0.1", "localhost", "::1"):
        return LOOPBACK | named
    return frozenset(named) or None


def check_host(host: str, hosts: frozenset[str] | None) -> None:
    """Refuse a request for a name that is not this hub's.

    Raises:
        InputError: When it is not.
    """
    if not _is_reached(host, hosts):
        raise InputError("this hub is not reached by that name; its settings say which names it answers to")


@lru_cache(64)
def _is_reached(host: str, hosts: frozenset[str] | None) -> bool:
    name = re.sub(r":[0-9]*\Z", "", host.lower())
    return bool(_HOST.match(host)) and (hosts is None or name in hosts)


def check_origin(connection: HTTPConnection) -> None:
    """Refuse what a page of another site makes a browser send, be it with a cookie or with a name and token for git.

    Raises:
        Forbidden: When it comes from there.
    """
    origin = connection.headers.get("origin")
    site = connection.headers.get("sec-fetch-site", "same-origin")
    host = connection.headers.get("host", "").lower()
    given = urlsplit(origin).netloc.lower() if origin else host
    url = urlsplit(connection.app.state.hub.settings.server.url).netloc.lower()
    if given not in (host, url) or origin == "null" or site not in ("same-origin", "none"):
        raise Forbidden("this was sent by a page of another site")


def _refuse(scope: Scope, error: Error) -> Response:
    request = Request(scope)
    handler: Callable[[Request, Exception], Response] = scope["app"].exception_handlers.get(Error, answer)
    return handler(request, error)


def _patient(receive: Receive) -> Receive:
    """Give up on a client that sends nothing for a while, as long as its body has not ended."""
    ended = False

    async def wait() -> Message:
        nonlocal ended
        try:
            # After the body there is only the end of the connection to wait for: a download may take hours.
            async with asyncio.timeout(None if ended else SECONDS):
                message = await receive()
        except TimeoutError as error:
            raise TooSlow(f"nothing was sent for {SECONDS} seconds") from error
        ended = not message.get("more_body", False)
        return message

    return wait


async def _read(receive: Receive, limit: int) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLarge(f"at most {limit:,} bytes are accepted here")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _peek(receive: Receive, enough: int) -> list[bytes]:
    """Return the parts of a body up to a length; an empty last part stands for its end."""
    parts: list[bytes] = []
    while sum(map(len, parts)) < enough:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return [*parts, b""]
    return parts


def _replay(parts: list[bytes], receive: Receive, *, whole: bool) -> Receive:
    """Let a route read again what was read already, then the rest."""
    ended = whole or parts[-1] == b""
    waiting = list(parts)

    async def again() -> Message:
        if waiting:
            part = waiting.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(waiting) or not ended}
        return await receive()

    return again
