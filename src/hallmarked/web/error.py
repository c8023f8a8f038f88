"""How errors are answered: one place turns the tree into statuses, and into the headers that clients read."""

from __future__ import annotations

import logging
import unicodedata
from typing import Any
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from hallmarked.core.errors import BackendError, Error, Forbidden, FormatError, InputError, NotFound, VerificationError
from hallmarked.hub.access import Actor
from hallmarked.hub.error import (
    BadPath,
    Conflict,
    EntryNotFound,
    Gated,
    Interrupted,
    Moved,
    NotSignedIn,
    Outdated,
    RepositoryNotFound,
    StorageFull,
    Superseded,
    Taken,
    TooLarge,
    TooMany,
    TooSlow,
)
from hallmarked.hub.kind import page_path
from hallmarked.web.request import base_url

NO_REPOSITORY = "Repository not found"
"""Clients know this very wording, and say the rest themselves."""
log = logging.getLogger(__name__)

STATUS: tuple[tuple[type[Error], int], ...] = (
    (NotSignedIn, 401),
    (TooMany, 429),
    (Forbidden, 403),
    (Moved, 307),
    (Superseded, 410),
    (NotFound, 404),
    (Conflict, 409),
    (BadPath, 422),
    (Outdated, 412),
    (TooLarge, 413),
    (TooSlow, 408),
    (InputError, 400),
    (FormatError, 400),
    (VerificationError, 409),
    (StorageFull, 507),
    (BackendError, 503),
)
"""The first that fits."""


def status_of(error: Error, *, signed_in: bool) -> int:
    """Return the HTTP status of an error."""
    if not signed_in and isinstance(error, RepositoryNotFound | Gated):
        return 401  # also for what is not there, so that nobody learns the difference
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def answer(request: Request, error: Exception) -> Response:
    """Answer an error to a program."""
    assert isinstance(error, Error)
    actor = getattr(request.state, "actor", None)
    status = status_of(error, signed_in=isinstance(actor, Actor) and actor.known)
    if status >= 500:
        log.error("%s", error.diagnostics())
    said = NO_REPOSITORY if isinstance(error, RepositoryNotFound) else str(error).encode("utf-8", "replace").decode()
    headers = {"X-Error-Code": error.code, "X-Error-Message": header_text(said)}
    if isinstance(error, Moved):
        headers["Location"] = _new_place(request, error.name)
    if isinstance(error, Superseded):
        headers["X-Superseded-By"] = header_text(error.by)
    if isinstance(error, EntryNotFound):
        headers["X-Repo-Commit"] = error.commit
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.seconds)
        if error.allowed:
            headers["RateLimit"] = f'"api";r=0;t={error.seconds}'
            headers["RateLimit-Policy"] = f'"fixed window";"api";q={error.allowed};w={error.window}'
    if isinstance(error, TooLarge | TooSlow):
        headers["Connection"] = "close"  # what is still being sent is not wanted
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="hallmarked"'
    if getattr(request.state, "speaks_git", False):
        if status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="hallmarked", charset="UTF-8"'  # else git asks for no password
        return PlainTextResponse(f"{said}\n", status, headers)  # which git shows
    body = {"error": said}
    if isinstance(error, Taken):
        body["url"] = base_url(request) + page_path(error.kind, error.name)
    return JSONResponse(body, status, headers)


def answer_nobody(request: Request, _error: Exception) -> Response:
    """Answer a client that went away before its request was whole: for the log only, which has one line of it."""
    return answer(request, Interrupted("the connection ended before the request was whole, so nothing was done"))


def answer_invalid(_request: Request, error: Exception) -> Response:
    """Answer a request to our own API that is not as its description says: one sentence about the first thing wrong."""
    assert isinstance(error, RequestValidationError)
    first: dict[str, Any] = next(iter(error.errors()), {})
    place = ".".join(str(part) for part in first.get("loc", ()) if part != "body")
    said = f"{place or 'the body'}: {first.get('msg', 'is not as it should be')}"[:500]
    return JSONResponse({"error": said}, 422, {"X-Error-Code": "input", "X-Error-Message": header_text(said)})


def _new_place(request: Request, name: str) -> str:
    """Return the address of a request with the name its repository has now; a path, for the same host."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.partition(b"?")[0].decode("ascii", "replace")
    old = "/".join(quote(str(request.path_params[part]), safe="%") for part in ("owner", "name"))
    query = f"?{request.url.query}" if request.url.query else ""
    return path.replace(f"/{old}", f"/{name}", 1) + query


def header_text(text: str) -> str:
    """Make a text fit for a header: one line of ASCII."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "replace").decode()
    return "".join(char if char.isprintable() else " " for char in plain)[:500]
