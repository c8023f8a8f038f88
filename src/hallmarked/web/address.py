"""Addresses: how paths are taken apart before routes look at them."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hallmarked.core.errors import InputError, NotFound
from hallmarked.hub.setting import Server

PLURALS = {"models": "model", "datasets": "dataset", "spaces": "system", "systems": "system"}
"""What clients call the kinds of repositories in addresses of the API."""
PREFIXES = {"": "model", "/datasets": "dataset", "/spaces": "system", "/systems": "system"}
"""Likewise in all others."""


class KindConvertor(Convertor[str]):
    """Lets ``{kind:kind}`` in a route stand for ``models``, ``datasets`` and so on."""

    regex = "|".join(PLURALS)

    def convert(self, value: str) -> str:
        """Return the kind."""
        return PLURALS[value]

    def to_string(self, value: str) -> str:
        """Return how clients write it."""
        return next(plural for plural, kind in PLURALS.items() if kind == value)


register_url_convertor("kind", KindConvertor())


class KeepSlashes:
    """Middleware that lets a slash inside of a path segment (``refs%2Fpr%2F1``) survive until :func:`param`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rewrite the path so that only ``/`` and ``%`` inside of segments stay escaped."""
        raw = scope.get("raw_path")
        if scope["type"] == "http" and raw and b"%" in raw:
            segments = raw.partition(b"?")[0].split(b"/")
            path = "/".join(
                unquote_to_bytes(segment).decode("utf-8", "replace").replace("%", "%25").replace("/", "%2F")
                for segment in segments
            )
            scope["path"] = path  # in place: whoever measures requests sees which route answered
        await self.app(scope, receive, send)


def param(request: Request, name: str) -> str:
    """Return a parameter of the path as it was meant."""
    value: str = request.path_params[name]
    return value.replace("%2F", "/").replace("%25", "%")


def kind_of(plural: str) -> str:
    """Return the kind of repositories that an address of our own API means.

    Raises:
        InputError: When it means none.
    """
    found = PLURALS.get(plural)
    if found is None:
        raise InputError("a repository is one of models, datasets or spaces")
    return found


def discussion_number(request: Request) -> int:
    """Return the number of a discussion in the path.

    Raises:
        NotFound: When it is none.
    """
    text = param(request, "number")
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise NotFound(f"there is no discussion {text[:20]}")
    return int(text)


def repo_name(request: Request) -> str:
    """Return ``owner/name`` of the address."""
    return f"{param(request, 'owner')}/{param(request, 'name')}"


def repo_routes(path: str, endpoint: Any, **options: Any) -> list[Route]:
    """Make the routes of an address that begins with a repository, outside of the API: one for each kind."""
    name = options.pop("name", None) or endpoint.__name__
    return [
        Route(f"{prefix}/{{owner}}/{{name}}{path}", partial(endpoint, kind=kind), name=f"{name}:{kind}", **options)
        for prefix, kind in PREFIXES.items()
    ]


def hub_address(server: Server) -> str:
    """Return the address of a hub, as far as its settings tell it."""
    host = f"[{server.host}]" if ":" in server.host else server.host
    return server.url.rstrip("/") or f"http://{host}:{server.port}"


def setup_address(server: Server, ticket: str) -> str:
    """Return the link under which the first administrator's account is made."""
    return f"{hub_address(server)}/welcome?ticket={ticket}"


def limit_of(request: Request, default: int, most: int) -> int:
    """Return how many items the caller wants at once.

    Raises:
        InputError: When it is not a positive number.
    """
    text = request.query_params.get("limit", str(default))
    if not text.isdecimal() or len(text) > 9 or not int(text):
        raise InputError("limit has to be a positive number")
    return min(int(text), most)


def flag(request: Request, name: str) -> bool:
    """Return whether a query parameter says yes: clients write ``True``, ``true`` or ``1``."""
    return request.query_params.get(name, "").lower() in ("true", "1")
