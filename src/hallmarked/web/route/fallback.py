"""What is answered where no other route fits, in words that clients understand."""

from __future__ import annotations

from typing import NoReturn

from starlette.requests import Request
from starlette.routing import Route

from hallmarked.core.errors import NotFound
from hallmarked.hub.error import RepositoryNotFound
from hallmarked.web.request import actor_of, hub_of

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def no_repository(request: Request) -> NoReturn:
    """Say that a name without an owner is no repository's."""
    with hub_of(request).database.read() as db:
        actor_of(request, db)  # a wrong token is the first thing to say
    raise RepositoryNotFound(f"there is no repository {request.path_params['name'][:200]}: names are owner/name")


def nothing(request: Request) -> NoReturn:
    """Say that the API has nothing at an address."""
    raise NotFound("this hub offers nothing at this address")


_WORDS = "auth-check|branch|commit|commits|discussions|duplicate|lfs-files|like|likers|paths-info|preupload|refs"
_MORE = "resolve|revision|settings|super-squash|tag|tree|user-access-request|xet-read-token|xet-write-token"
ROUTES = [
    *(Route(f"/api/spaces/{service}", nothing) for service in ("hardware", "templates")),
    Route("/api/{kind:kind}/{name}", no_repository, methods=METHODS),
    *(
        Route(f"/api/{{kind:kind}}/{{name}}/{word}{rest}", no_repository, methods=METHODS)
        for word in f"{_WORDS}|{_MORE}".split("|")
        for rest in ("", "/{rest:path}")
    ),
    Route("/{name}/resolve/{rest:path}", no_repository),
    Route("/api/{rest:path}", nothing, methods=METHODS),
]
