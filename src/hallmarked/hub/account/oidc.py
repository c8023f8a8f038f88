"""Signing in through another service: OpenID Connect, authorization code with PKCE.

https://openid.net/specs/openid-connect-core-1_0.html , https://www.rfc-editor.org/rfc/rfc9700 (best practice).

Who somebody is, is what the service calls them (issuer and subject) and nothing else. An account that is there already
is never found by an e-mail address: whoever could give themselves that address elsewhere would take the account over.
It is linked only by somebody who is signed in to it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry
from sqlalchemy import Connection, insert, select

from hallmarked.core.errors import BackendError, Forbidden, InputError
from hallmarked.hub.access import Actor, require_person
from hallmarked.hub.account.account import MAX_EMAIL, MAX_FULL_NAME, RESERVED, Account, create_account, from_row
from hallmarked.hub.clock import now
from hallmarked.hub.error import Conflict, NotSignedIn
from hallmarked.hub.outbound.client import Rules, client, send
from hallmarked.hub.schema.account import account
from hallmarked.hub.schema.identity import login
from hallmarked.hub.setting import Login
from hallmarked.hub.ticket import issue_ticket, read_ticket
from hallmarked.hub.trail import Tag, record

SECONDS = 600
"""How long somebody may take at the other service."""
PURPOSE = "arrival"
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures of identity tokens; never "none", and no shared secret."""
LEEWAY = 60
"""Seconds by which clocks may differ."""
MAX_ANSWER = 4_096
"""Characters of a code or a state."""
_UNFIT = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Provider:
    """Where the other service answers, from its own description."""

    authorization: str
    token: str
    keys: str


@dataclass(frozen=True, slots=True)
class Departure:
    """Where a browser is sent to sign in."""

    url: str
    state: str
    """Stays with the browser, in a cookie, until it is back."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who came back."""

    issuer: str
    subject: str
    name: str
    """What they would like to be called; may be empty."""
    full_name: str
    email: str
    """Only when the service says that it checked it."""
    next: str
    """Path of the page they came from."""
    link: str
    """Id of the account that this login is to be linked to; empty when they want to sign in."""


def depart(settings: Login, secret: bytes, back: str, next_: str, link: str = "") -> Departure:
    """Send a browser to the other service.

    Args:
        settings: Which service.
        secret: The hub's.
        back: Address it sends the browser back to.
        next_: Path of the page to go on to.
        link: Id of the account that the login is to be linked to; empty to sign in.

    Raises:
        InputError: When no such service is set.
        BackendError: When it does not answer as it should.
    """
    provider = discover(settings)
    verifier, nonce, state = (secrets.token_urlsafe(48) for _ in range(3))
    query = {
        "response_type": "code",
        "client_id": settings.client,
        "redirect_uri": back,
        "scope": "openid profile email",
        "state": state,
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    facts = {"state": state, "nonce": nonce, "verifier": verifier, "next": next_, "link": link}
    kept = issue_ticket(secret, PURPOSE, facts, seconds=SECONDS)
    return Departure(f"{provider.authorization}{'&' if '?' in provider.authorization else '?'}{urlencode(query)}", kept)


def arrive(settings: Login, secret: bytes, back: str, kept: str, answer: Mapping[str, str]) -> Arrival:
    """Find out who came back from the other service.

    Args:
        settings: Which service.
        secret: The hub's.
        back: Address it sent the browser back to.
        kept: What stayed with the browser.
        answer: The query of the address.

    Raises:
        Forbidden: When the browser is not the one that was sent, or what it brings does not hold.
        BackendError: When the service does not answer as it should.
    """
    claims = _read_state(secret, kept)
    if not secrets.compare_digest(claims["state"].encode(), answer.get("state", "").encode("utf-8", "replace")):
        raise Forbidden("this browser did not begin to sign in here, or did so too long ago; begin again")
    if answer.get("iss", settings.issuer) != settings.issuer:
        raise Forbidden("the answer comes from another service than the one that was asked")
    code = answer.get("code", "")
    if not code or len(code) > MAX_ANSWER:
        raise Forbidden("the other service did not sign you in; begin again")
    provider = discover(settings)
    identity = _exchange(settings, provider, code, claims["verifier"], back)
    said = _verify(settings, provider, identity, claims["nonce"])
    email = said.get("email") if said.get("email_verified") is True else ""
    texts = (said.get("preferred_username"), said.get("name"), email)
    name, full_name, checked = (text if isinstance(text, str) else "" for text in texts)
    return Arrival(settings.issuer, said["sub"], name, full_name, checked, claims["next"], claims["link"])


def admit(db: Connection, settings: Login, arrival: Arrival, actor: Actor) -> Account:
    """Return the account of who came back, linking or making it where that is allowed.

    Args:
        db: A writing transaction.
        settings: Which service.
        arrival: Who came back.
        actor: Who is signed in with that browser already.

    Raises:
        Forbidden: When nobody here is linked to them, and no account is made for newcomers.
        Conflict: When they are linked to another account already.
    """
    known = db.execute(
        select(account)
        .join(login, login.c.account_id == account.c.id)
        .where(login.c.issuer == arrival.issuer, login.c.subject == arrival.subject)
    ).first()
    if known is not None:
        if known.disabled is not None:
            raise NotSignedIn("this account is disabled")
        if arrival.link and arrival.link != known.id:
            raise Conflict("this login belongs to another account already")
        return from_row(known)
    if arrival.link:
        if require_person(actor) != arrival.link:
            raise Forbidden("somebody else is signed in now than when this began; begin again")
        found = from_row(db.execute(select(account).where(account.c.id == arrival.link)).one())
    elif settings.create:
        found = create_account(
            db, _free_name(db, arrival), full_name=_printable(arrival.full_name), email=arrival.email[:MAX_EMAIL]
        )
    else:
        raise Forbidden("nobody here is linked to that login; sign in by password first, then link it in the settings")
    db.execute(insert(login).values(issuer=arrival.issuer, subject=arrival.subject, account_id=found.id, created=now()))
    record(db, Actor(found.id, found.name), Tag.ACCOUNT_LOGIN_LINKED, f"account:{found.id}")
    return found


def discover(settings: Login) -> Provider:
    """Ask the other service where it answers.

    Raises:
        InputError: When no service is set.
        BackendError: When it does not answer as it should.
    """
    if not settings.issuer or not settings.client:
        raise InputError("signing in through another service is not set up here")
    found = _fetch(settings, f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration")
    # NOTE: compared exactly (OpenID Connect Discovery 4.3), so that no service can speak for another
    if found.get("issuer") != settings.issuer:
        raise BackendError("the login service describes another one than the settings name")
    places = [found.get(key) for key in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    if not all(isinstance(place, str) and urlsplit(place).scheme in ("https", "http") for place in places):
        raise BackendError("the login service does not say where it answers")
    return Provider(*map(str, places))


def _read_state(secret: bytes, kept: str) -> dict[str, str]:
    try:
        return read_ticket(secret, PURPOSE, kept)
    except Forbidden:
        raise Forbidden("this browser did not begin to sign in here, or did so too long ago; begin again") from None


def _exchange(settings: Login, provider: Provider, code: str, verifier: str, back: str) -> str:
    """Give the code back for an identity token."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
    form |= {"client_id": settings.client} | ({"client_secret": settings.secret} if settings.secret else {})
    found = _fetch(settings, provider.token, form)
    identity = found.get("id_token")
    if not isinstance(identity, str):
        raise Forbidden("the other service did not say who you are; begin again")
    return identity


def _verify(settings: Login, provider: Provider, identity: str, nonce: str) -> dict[str, Any]:
    """Check an identity token (OpenID Connect Core 3.1.3.7)."""
    try:
        keys = KeySet.import_key_set(_fetch(settings, provider.keys))  # type: ignore[arg-type]
        claims = jwt.decode(identity, keys, algorithms=list(ALGORITHMS)).claims
        JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.client},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise Forbidden("what the other service says of you does not hold; begin again") from error
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise Forbidden("what the other service says of you does not hold; begin again")
    if claims.get("azp", None if several else settings.client) != settings.client:
        raise Forbidden("what the other service says was meant for somebody else; begin again")
    return claims


def _fetch(settings: Login, url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Ask the other service something; the operator chose it, so it may be in the operator's own network."""
    issuer = httpx.URL(settings.issuer)
    host = f"{issuer.host}:{issuer.port}" if issuer.port else issuer.host
    rules = Rules(internal=frozenset({host}), redirects=0)
    options: dict[str, object] = {"headers": {"accept": "application/json"}}
    if form is not None:
        kind = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
        options = {"headers": kind, "content": urlencode(form).encode()}
    with client(rules) as opened:
        answer = send(opened, rules, "GET" if form is None else "POST", url, **options)
    if answer.status != 200 and form is not None:
        raise Forbidden("the other service did not accept the code it gave; begin again")
    try:
        found = json.loads(answer.body) if answer.status == 200 else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BackendError(f"the login service {issuer.host} does not answer as it should")
    return found


def _free_name(db: Connection, arrival: Arrival) -> str:
    """Find a name for a newcomer that nobody has."""
    plain = _UNFIT.sub("-", arrival.name.partition("@")[0]).strip("-")[:60] or "user"
    if plain.lower() in RESERVED:
        plain = f"{plain}-1"
    for name in [plain, *(f"{plain}-{number}" for number in range(2, 20)), f"user-{secrets.token_hex(6)}"]:
        if not db.execute(select(account.c.id).where(account.c.key == name.lower())).first():
            return name
    raise Conflict("no name could be found for this account; try again")


def _challenge(verifier: str) -> str:
    """Return what shows later that the one who asks is the one who began (RFC 7636, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:MAX_FULL_NAME]
