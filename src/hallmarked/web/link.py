"""Absolute addresses, as people and clients outside reach the hub."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hallmarked.hub.kind import page_path
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Revision
from hallmarked.hub.review.status import warning_of
from hallmarked.web.error import header_text
from hallmarked.web.request import base_url


def page_url(request: Request, repo: Repository) -> str:
    """Return the address of a repository's page."""
    return base_url(request) + page_path(repo.scope.kind, repo.name)


def same_url(request: Request, **query: str) -> str:
    """Return the address of this request as it was asked for, with other query parameters."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.partition(b"?")[0].decode("ascii", "replace")
    parts = urlsplit(base_url(request))
    text = str(request.url.include_query_params(**query).query)
    return urlunsplit((parts.scheme, parts.netloc, parts.path + path, text, ""))


def warn_of_state(response: Response, at: Revision) -> None:
    """Tell clients, which show it to people, when others cannot get all files of a revision (yet)."""
    said = warning_of(at)
    if said is not None:
        response.headers["X-HF-Warning"] = header_text(said)


def page_response(request: Request, items: list[Any], **following: str) -> Response:
    """Answer with a page of a list, and tell the client where the next one is, if there is one."""
    response = JSONResponse(items)
    if following:
        response.headers["Link"] = f'<{same_url(request, **following)}>; rel="next"'
    return response
