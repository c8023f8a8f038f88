"""Browsers: the cookie of a session, and the token that every form sends back.

Forms' tokens follow the "signed double-submit" pattern: each is a MAC, under the hub's secret, of the cookie it belongs
to, so that it can be checked without the database and is worth nothing with another cookie. Somebody who is not signed
in has a cookie too once they were shown a form, so that signing in itself cannot be forged (login CSRF).
https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from hallmarked.hub.access import Actor, require_person
from hallmarked.hub.account.account import Account
from hallmarked.hub.account.secret import make_secret
from hallmarked.hub.account.session import DAYS, change_password, sign_in
from hallmarked.hub.hub import Hub
from hallmarked.web.limit import Limits

SESSION, GUEST, ARRIVAL = "hm_session", "hm_guest", "hm_arrival"
FIELD, HEADER = "csrf", "x-csrf-token"
"""Where a form, and a script, send the token back."""


def is_secure(request: HTTPConnection) -> bool:
    """Say whether the browser speaks to the hub by https."""
    hub: Hub = request.app.state.hub
    return hub.settings.server.url.startswith("https://") or request.url.scheme == "https"


def cookie_name(base: str, *, secure: bool) -> str:
    """Return the name of a cookie; by https one that no other host can set (RFC 6265bis, ``__Host-``)."""
    return f"__Host-{base}" if secure else base


def session_cookie(request: HTTPConnection) -> str:
    """Return the value of the session's cookie; empty when there is none."""
    return request.cookies.get(cookie_name(SESSION, secure=is_secure(request)), "")


def form_token(secret: bytes, cookie: str) -> str:
    """Return the token that belongs to a cookie, under the hub's secret."""
    return hmac.new(secret, b"form:" + cookie.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def csrf_token(request: Request) -> str:
    """Return the token that a form of this page has to send back.

    When the browser has no cookie yet, the response gives it one (see ``hallmarked.web.guard``).
    """
    cookie = _csrf_cookie(request)
    if not cookie:
        cookie = request.state.guest = getattr(request.state, "guest", "") or make_secret()
    return _mac(request, cookie)


def is_token_valid(request: HTTPConnection, token: str) -> bool:
    """Say whether a form's token belongs to the browser's cookie."""
    cookie = _csrf_cookie(request)
    return bool(cookie) and hmac.compare_digest(_mac(request, cookie).encode(), token.encode("utf-8", "replace"))


def enter(request: Request, name: str, password: str) -> tuple[Account, str]:
    """Check a name and a password that a browser sent, and begin a session; see :func:`start` for what comes next.

    Returns:
        Whose account it is, and the value of the session's cookie.

    Raises:
        NotSignedIn: When they are wrong together.
        TooMany: When there were too many attempts, from that address or for that name.
    """
    hub: Hub = request.app.state.hub
    limits: Limits = request.app.state.limits
    limits.take_sign_in(request, name)
    return sign_in(hub.database, name, password, agent_of(request))


def renew(request: Request, actor: Actor, old: str, new: str) -> str:
    """Change the password of who is signed in, all of whose other browsers are signed out.

    Returns:
        The value of the session's cookie from now on.

    Raises:
        Forbidden: When they did not sign in with a browser.
        NotSignedIn: When the old password is wrong.
        InputError: When the new one is not accepted.
        TooMany: When there were too many attempts.
    """
    require_person(actor)
    hub: Hub = request.app.state.hub
    limits: Limits = request.app.state.limits
    limits.take_sign_in(request, actor.name)
    return change_password(hub.database, actor, old, new, agent_of(request))


def agent_of(request: Request) -> str:
    """Return what a browser calls itself, by which people tell their sessions apart."""
    return request.headers.get("user-agent", "")


def start(request: Request, response: Response, cookie: str) -> None:
    """Let the browser keep the cookie of a session that began."""
    secure = is_secure(request)
    name = cookie_name(SESSION, secure=secure)
    response.set_cookie(name, cookie, max_age=DAYS * 86_400, httponly=True, samesite="lax", secure=secure, path="/")
    response.delete_cookie(cookie_name(GUEST, secure=secure), path="/", secure=secure, httponly=True)


def stop(request: Request, response: Response) -> None:
    """Let the browser forget its session."""
    secure = is_secure(request)
    response.delete_cookie(cookie_name(SESSION, secure=secure), path="/", secure=secure, httponly=True)


def local_path(text: str) -> str:
    """Return where to go next on this hub; ``/`` when the text could lead anywhere else."""
    plain = text.isprintable() and text.isascii() and "\\" not in text and text.startswith("/")
    if not plain or text.startswith("//") or len(text) > 2_000:
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc else text


def _csrf_cookie(request: HTTPConnection) -> str:
    return session_cookie(request) or request.cookies.get(cookie_name(GUEST, secure=is_secure(request)), "")


def _mac(request: HTTPConnection, cookie: str) -> str:
    hub: Hub = request.app.state.hub
    return form_token(hub.secret, cookie)
