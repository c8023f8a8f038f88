"""Who a token speaks for."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.hub.access import Actor
from hallmarked.hub.account.account import find_account, organisations
from hallmarked.hub.account.token import list_tokens
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
        token = next((token for token in list_tokens(db, me.id) if token.id == actor.token_id), None)
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
                # NOTE: clients keep several tokens apart by this name
                "accessToken": {"displayName": token.name if token else "session", "role": _role(actor)},
            },
        }
    )


def _role(actor: Actor) -> str:
    if actor.repositories is not None:
        return "fineGrained"
    return "write" if actor.writes else "read"


ROUTES = [Route("/api/whoami-v2", whoami)]
