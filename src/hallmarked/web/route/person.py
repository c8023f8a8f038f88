"""Users and organisations, and what they like."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import NotFound
from hallmarked.hub.access import Action
from hallmarked.hub.account.account import Account, find_account, organisations
from hallmarked.hub.account.member import count_work, list_members
from hallmarked.hub.clock import to_text
from hallmarked.hub.community.popularity import list_liked, list_likers, set_like
from hallmarked.hub.error import NotSignedIn
from hallmarked.hub.kind import CLIENT_KINDS
from hallmarked.hub.repository.usage import list_storage
from hallmarked.web.address import limit_of, param
from hallmarked.web.link import page_response
from hallmarked.web.request import actor_of, base_url, hub_of, target

PAGE, MOST = 100, 1_000


def user(request: Request) -> Response:
    """Describe a user."""
    with hub_of(request).database.read() as db:
        actor = actor_of(request, db)
        found = _account(request, db, "user")
        body = {**write_account(request, found), "type": "user", "isPro": False, **_numbers(count_work(db, found.id))}
        body["orgs"] = [write_account(request, home) for home, _ in organisations(db, found.id)]
        body["isFollowing"] = False
        if actor.account_id == found.id:
            body["email"] = found.email
    return JSONResponse(body)


def organisation(request: Request) -> Response:
    """Describe an organisation."""
    with hub_of(request).database.read() as db:
        actor_of(request, db)
        found = _account(request, db, "organisation")
        members = list_members(db, found.id, count=MOST)
        body = {**write_account(request, found), "type": "org", "numUsers": len(members), "numFollowers": 0}
        body |= _numbers(count_work(db, found.id)) | {"isFollowing": False, "isVerified": False}
    return JSONResponse(body)


def members(request: Request) -> Response:
    """List the members of an organisation."""
    size = limit_of(request, PAGE, MOST)
    with hub_of(request).database.read() as db:
        actor_of(request, db)
        found = _account(request, db, "organisation")
        rows = list_members(db, found.id, count=size, after=request.query_params.get("cursor", ""))
    items = [{**write_account(request, member), "isPro": False, "type": "user"} for member in rows]
    return page_response(request, items, **({"cursor": rows[-1].name} if len(rows) == size else {}))


def followers(request: Request) -> Response:
    """List who follows somebody: nobody, as this hub has no following."""
    with hub_of(request).database.read() as db:
        actor_of(request, db)
        _account(request, db, "user" if "/users/" in request.url.path else "organisation")
    return JSONResponse([])


def likes(request: Request) -> Response:
    """List what somebody likes, as far as the caller may see it."""
    with hub_of(request).database.read() as db:
        actor = actor_of(request, db)
        found = list_liked(db, actor, _account(request, db, "user").id)
    return JSONResponse(
        [
            {
                "createdAt": to_text(item.created),
                "repo": {"name": item.repository.name, "type": CLIENT_KINDS[item.repository.scope.kind]},
            }
            for item in found
        ]
    )


def like(request: Request) -> Response:
    """Like a repository, or stop to."""
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.DISCUSS)
        assert actor.account_id is not None  # nobody else may discuss
        set_like(db, repo, actor.account_id, likes=request.method == "POST")
    return JSONResponse({})


def likers(request: Request) -> Response:
    """List who likes a repository."""
    size = limit_of(request, PAGE, MOST)
    with hub_of(request).database.read() as db:
        _, repo = target(request, db, request.path_params["kind"])
        found = list_likers(db, repo, count=size, after=request.query_params.get("cursor", ""))
    items = [write_account(request, liker) for liker in found]
    return page_response(request, items, **({"cursor": found[-1].name} if len(found) == size else {}))


def repositories(request: Request) -> Response:
    """List one's own repositories, or an organisation's one belongs to, with the room they take."""
    with hub_of(request).database.read() as db:
        actor = actor_of(request, db)
        if actor.account_id is None:
            raise NotSignedIn("sign in first: everybody sees only their own list")
        home = actor.account_id
        if "owner" in request.path_params:
            found = _account(request, db, "organisation")
            mine = {org.id for org, _ in organisations(db, actor.account_id)}
            if found.id not in mine and not actor.administrator:
                raise NotFound(f"there is no organisation {found.name} that you belong to")
            home = found.id
        items = list_storage(db, home, actor.repositories)
    total = sum(item.size for item in items)
    return JSONResponse(
        [
            {
                "id": item.name,
                "type": CLIENT_KINDS[item.kind],
                "updatedAt": to_text(item.modified),
                "visibility": item.visibility,
                "storage": item.size,
                "storagePercent": 100 * item.size / total if total else 0.0,
            }
            for item in items
        ]
    )


def write_account(request: Request, found: Account) -> dict[str, Any]:
    """Write somebody as lists of clients have it."""
    return {
        "_id": found.id,
        "user" if found.kind == "user" else "name": found.name,
        "fullname": found.full_name,
        "avatarUrl": f"{base_url(request)}/static/icon.svg",
    }


def _numbers(work: dict[str, int]) -> dict[str, int]:
    return {
        "numModels": work["model"],
        "numDatasets": work["dataset"],
        "numSpaces": work["system"],
        "numDiscussions": work["discussion"],
        "numLikes": work["like"],
        "numPapers": 0,
        "numUpvotes": 0,
        "numFollowers": 0,
        "numFollowing": 0,
    }


def _account(request: Request, db: Connection, kind: str) -> Account:
    found = find_account(db, param(request, "owner"))
    if found.kind != kind:
        raise NotFound(f"there is no {kind} {found.name}")
    return found


_BASE = "/api/{kind:kind}/{owner}/{name}"
ROUTES = [
    Route("/api/users/{owner}/overview", user),
    Route("/api/users/{owner}/likes", likes),
    Route("/api/users/{owner}/followers", followers),
    Route("/api/users/{owner}/following", followers),
    Route("/api/organizations/{owner}/overview", organisation),
    Route("/api/organizations/{owner}/members", members),
    Route("/api/organizations/{owner}/followers", followers),
    Route("/api/organizations/{owner}/settings/repositories", repositories),
    Route("/api/settings/repositories", repositories),
    Route(f"{_BASE}/like", like, methods=["POST", "DELETE"]),
    Route(f"{_BASE}/likers", likers),
]
