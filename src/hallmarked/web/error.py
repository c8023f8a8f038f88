"""How errors are answered: one place turns the tree into statuses, and into the headers that clients read."""

from __future__ import annotations

import logging
import unicodedata

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from hallmarked.core.errors import BackendError, Error, Forbidden, FormatError, InputError, NotFound, VerificationError
from hallmarked.hub.access import Actor
from hallmarked.hub.error import (
    BadPath,
    Conflict,
    EntryNotFound,
    Gated,
    NotSignedIn,
    Outdated,
    RepositoryNotFound,
    TooLarge,
    TooMany,
    TooSlow,
)

log = logging.getLogger(__name__)

STATUS: tuple[tuple[type[Error], int], ...] = (
    (NotSignedIn, 401),
    (TooMany, 429),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (BadPath, 422),
    (Outdated, 412),
    (TooLarge, 413),
    (TooSlow, 408),
    (InputError, 400),
    (FormatError, 400),
    (VerificationError, 409),
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
    said = str(error)
    headers = {"X-Error-Code": error.code, "X-Error-Message": header_text(said)}
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
    return JSONResponse({"error": said}, status, headers)


def header_text(text: str) -> str:
    """Make a text fit for a header: one line of ASCII."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "replace").decode()
    return "".join(char if char.isprintable() else " " for char in plain)[:500]
