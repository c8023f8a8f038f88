"""Who a token speaks for."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.hub.account.account import find_account, organisations
from hallmarked.hub.error import NotSignedIn
from hallmarked.web.request import actor_of, hub_of


def whoami(request: Request) -> Response:
    """Say who the caller is."""
    with hub_of(request).database.read() as db:
        actor = actor_of(request, db)
        if actor.account_id is None:
            raise NotSignedIn("Invalid username or password.")
        me = find_account(db, actor.name)
        belongs = organisations(db, me.id)
    return JSONResponse(
        {
            "type": "user",
            "id": me.id,
            "name": me.name,
            "fullname": me.full_name,
            "email": me.email,
            "emailVerified": True,
            "isPro": False,
            "orgs": [
                {"type": "org", "id": org.id, "name": org.name, "fullname": org.full_name, "roleInOrg": role}
                for org, role in belongs
            ],
            "auth": {
                "type": "access_token",
                "accessToken": {"displayName": "token", "role": "write" if actor.writes else "read"},
            },
        }
    )


ROUTES = [Route("/api/whoami-v2", whoami)]
