"""Signing in through another service: there, and back again."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import Forbidden
from hallmarked.hub.access import require_person
from hallmarked.hub.account.oidc import admit, arrive, depart
from hallmarked.hub.account.session import begin_session
from hallmarked.web.address import flag
from hallmarked.web.request import actor_of, base_url, hub_of
from hallmarked.web.session import ARRIVAL, FIELD, agent_of, cookie_name, is_secure, is_token_valid, local_path, start

LEAVE, BACK = "/login/elsewhere", "/login/back"
SECONDS = 600


def leave(request: Request) -> Response:
    """Send a browser to the other service; with ``link`` to link the account it is signed in to.

    A page elsewhere could send it here too, while the other service knows the browser as somebody else, who would get
    into the account by that. So linking needs the token of our own forms.

    Raises:
        Forbidden: When an account is to be linked, but not by a page of ours.
    """
    hub, link = hub_of(request), ""
    request.app.state.limits.take_sign_in(request)
    if flag(request, "link"):
        with hub.database.read() as db:
            link = require_person(actor_of(request, db))
        if not is_token_valid(request, request.query_params.get(FIELD, "")):
            raise Forbidden("a login is linked from a page of this hub only: open the page again")
    next_ = local_path(request.query_params.get("next", "/"))
    away = depart(hub.settings.login, hub.secret, _back(request), next_, link)
    response = RedirectResponse(away.url, 303)
    secure = is_secure(request)
    response.set_cookie(
        cookie_name(ARRIVAL, secure=secure), away.state, SECONDS, httponly=True, samesite="lax", secure=secure, path="/"
    )
    return response


def back(request: Request) -> Response:
    """Let in who comes back."""
    hub, secure = hub_of(request), is_secure(request)
    name = cookie_name(ARRIVAL, secure=secure)
    request.app.state.limits.take_sign_in(request)
    login = hub.settings.login
    arrival = arrive(login, hub.secret, _back(request), request.cookies.get(name, ""), request.query_params)
    with hub.database.write() as db:
        found = admit(db, login, arrival, actor_of(request, db))
        cookie = begin_session(db, found.id, agent_of(request))
    response = RedirectResponse(local_path(arrival.next), 303)
    start(request, response, cookie)
    response.delete_cookie(name, path="/", secure=secure, httponly=True)
    return response


def _back(request: Request) -> str:
    return base_url(request) + BACK


ROUTES = [Route(LEAVE, leave, methods=["GET"]), Route(BACK, back, methods=["GET"])]
