"""What routes need of a request: the hub, who asks, and a bounded body."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from hallmarked.core.errors import InputError
from hallmarked.hub.access import ANYBODY, Action, Actor
from hallmarked.hub.account.session import actor_of_session
from hallmarked.hub.account.token import actor_of_token
from hallmarked.hub.error import Moved, NotSignedIn, TooLarge
from hallmarked.hub.hub import Hub
from hallmarked.hub.repository.repository import Repository, open_repository
from hallmarked.web.address import repo_name
from hallmarked.web.session import session_cookie

JSON_LIMIT = 4 << 20
"""Bytes of a JSON body."""
MAX_DEPTH, MAX_PARTS = 32, 200_000
"""Of a JSON body: nesting; strings, commas and brackets."""
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)
_ESCAPED = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""Characters that only an escape can bring into JSON: NUL, and halves of surrogate pairs."""
BAD_TOKEN = "Invalid credentials in Authorization header"  # noqa: S105 - a message; clients know this very wording


def hub_of(request: Request) -> Hub:
    """Return the hub that is served."""
    hub: Hub = request.app.state.hub
    return hub


def base_url(request: Request) -> str:
    """Return the address of the hub as people and clients outside reach it, without a slash at its end."""
    return (hub_of(request).settings.server.url or str(request.base_url)).rstrip("/")


def actor_of(request: Request, db: Connection) -> Actor:
    """Return who asks: by a token (bearer, or git's name and password), else by the cookie of a session.

    A cookie that comes with a token counts for nothing; what a cookie alone changes, the middleware has let through
    only with a form's token (``hallmarked.web.guard``).

    Raises:
        NotSignedIn: When a token was sent that is not valid.
    """
    known = getattr(request.state, "actor", None)
    if isinstance(known, Actor):
        return known
    terms = hub_of(request).settings.terms.version
    actor = ANYBODY
    if "authorization" in request.headers:
        found = actor_of_token(db, _token(request.headers["authorization"]), terms)
        if found is None:
            raise NotSignedIn(BAD_TOKEN)
        actor = found
    elif cookie := session_cookie(request):
        actor = actor_of_session(db, cookie, terms) or ANYBODY
    request.app.state.uses.note(actor)
    request.state.actor = actor
    return actor


def _token(header: str) -> str:
    """Return the token of an Authorization header; empty when there is none in it."""
    kind, _, value = header.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() != "basic":
        return ""
    try:
        name, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password or name  # some people give git a token as their name


def target(request: Request, db: Connection, kind: str, action: Action = Action.SEE) -> tuple[Actor, Repository]:
    """Return who asks, and the repository of the address, which they may do that with.

    Raises:
        RepositoryNotFound, Forbidden, NotSignedIn: See :func:`hallmarked.hub.repository.repository.open_repository`.
        Moved: When it is only looked at, by a name it had before.
    """
    actor = actor_of(request, db)
    asked = repo_name(request)
    repo = open_repository(db, actor, kind, asked, action)
    if request.method in ("GET", "HEAD") and repo.name.lower() != asked.lower():
        raise Moved(repo.name)
    return actor, repo


async def read_body(request: Request, limit: int) -> bytes:
    """Read a small body whole.

    Raises:
        TooLarge: When it is longer than ``limit`` bytes.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLarge(f"at most {limit:,} bytes are accepted here")
        parts.append(part)
    return b"".join(parts)


def with_json(endpoint: Callable[..., Response], limit: int = JSON_LIMIT) -> Callable[..., Awaitable[Response]]:
    """Let an endpoint take the request and its body, a JSON object (or nothing: an empty one)."""

    @wraps(endpoint)
    async def read(request: Request, **options: Any) -> Response:
        body = parse_object(await read_body(request, limit))
        return await run_in_threadpool(endpoint, request, body, **options)

    return read


def check_json(data: bytes) -> None:
    """Refuse JSON that would take much more room, or many more steps, than its bytes, or holds what cannot be kept.

    Raises:
        InputError: When it is nested too deep, has too many parts, or texts with half a character or NUL.
    """
    depth = deepest = 0
    escaped = _ESCAPED.search(data) is not None
    for parts, match in enumerate(_STRUCTURE.finditer(data), 1):
        char = match.group()[:1]
        if escaped and char == b'"' and not _is_sound(match.group()):
            raise InputError("a text of the JSON holds a character that cannot be kept: NUL, or half of a pair")
        if char in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in b"]}":
            depth -= 1
        if deepest > MAX_DEPTH or parts > MAX_PARTS:
            raise InputError(f"the JSON is nested deeper than {MAX_DEPTH}, or has more than {MAX_PARTS:,} parts")


def parse_object(data: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InputError: When it is something else.
    """
    check_json(data)
    try:
        # NOTE: not left to the reader, which also takes UTF-16 and UTF-32, of which the check knows nothing
        value = json.loads(data.decode()) if data.strip() else {}
    except (ValueError, RecursionError) as error:
        raise InputError("the body is not JSON") from error
    if not isinstance(value, dict):
        raise InputError("the body has to be a JSON object")
    return value


def _is_sound(text: bytes) -> bool:
    """Whether a text, as JSON writes it, stands for characters that a database can keep and an answer can say."""
    try:
        plain = json.loads(text)
    except ValueError:
        return True  # which is said of the whole
    return "\0" not in plain and not any("\ud800" <= char <= "\udfff" for char in plain)


def text_of(body: dict[str, Any], key: str, default: str | None = None) -> str:
    """Return a text of a JSON object.

    Raises:
        InputError: When it is missing without a default, or something else.
    """
    value = body.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise InputError(f"{key} has to be a text")
    return value
