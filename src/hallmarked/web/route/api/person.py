"""Our own API: signing in, one's own account, tokens, sessions, messages, terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from hallmarked.core.errors import Forbidden, InputError
from hallmarked.hub.access import Actor, require_change, require_person
from hallmarked.hub.account.account import Account, change_account, read_account
from hallmarked.hub.account.notice import count_unread, list_notices, mark_read
from hallmarked.hub.account.password import check_password, hash_password
from hallmarked.hub.account.session import begin_session, end_session, list_sessions, sign_out
from hallmarked.hub.account.terms import accept_terms
from hallmarked.hub.account.ticket import Person, enrol, set_up
from hallmarked.hub.account.token import Token, Wanted, issue_token, list_tokens, revoke_token
from hallmarked.hub.clock import to_text
from hallmarked.hub.error import NotSignedIn
from hallmarked.hub.gate.request import list_own
from hallmarked.hub.repository.repository import open_repository
from hallmarked.hub.upkeep.closure import erase_account
from hallmarked.web.address import kind_of
from hallmarked.web.request import actor_of, hub_of
from hallmarked.web.session import agent_of, enter, renew, session_cookie, start, stop

router = APIRouter(prefix="/api/hallmarked", tags=["person"])
Short = Annotated[str, Field(max_length=300)]
Password = Annotated[str, Field(max_length=1_000)]


@dataclass(frozen=True)
class NewPerson:
    """Somebody who wants an account."""

    name: Short
    password: Password
    full_name: Short = ""
    email: Short = ""


@dataclass(frozen=True)
class Setup(NewPerson):
    """The first administrator, and what stands in the link."""

    ticket: Short = ""


@dataclass(frozen=True)
class SignIn:
    """A name and a password."""

    name: Short
    password: Password


@dataclass(frozen=True)
class NewPassword:
    """A password, and the one before."""

    old: Password
    new: Password


@dataclass(frozen=True)
class Me:
    """One's own account."""

    name: str
    full_name: str
    email: str
    administrator: bool
    agreed: bool
    """Whether the terms of service in force are accepted, or there are none."""
    unread: int
    """Messages."""


@dataclass(frozen=True)
class Changes:
    """What is to be changed of one's own account; what is left out stays."""

    full_name: Short | None = None
    email: Short | None = None
    language: Annotated[str, Field(max_length=20)] | None = None


@dataclass(frozen=True)
class TokenView:
    """A token, without itself."""

    id: str
    name: str
    scope: str
    hint: str
    """Its last characters."""
    repositories: list[str] | None
    """Ids of the only repositories it is for."""
    created: str
    expires: str | None
    last_used: str | None


@dataclass(frozen=True)
class RepositoryName:
    """A repository."""

    kind: Short
    """``models``, ``datasets`` or ``spaces``."""
    name: Short
    """``owner/name``."""


@dataclass(frozen=True)
class NewToken:
    """A token that is wanted."""

    name: Short
    scope: Short = "read"
    """``read`` or ``write``."""
    days: Annotated[int, Field(ge=1, le=3650)] | None = None
    repositories: Annotated[list[RepositoryName], Field(max_length=100)] | None = None
    """The only ones it is for."""


@dataclass(frozen=True)
class TokenText:
    """A new token, shown this once."""

    token: str


@dataclass(frozen=True)
class SessionView:
    """A browser that is signed in."""

    id: str
    agent: str
    created: str
    expires: str
    last_used: str


@dataclass(frozen=True)
class NoticeView:
    """A message."""

    kind: str
    text: str
    address: str
    created: str
    read: bool


@dataclass(frozen=True)
class TermsView:
    """The terms of service."""

    version: str
    """Empty when there are none."""
    text: str


@dataclass(frozen=True)
class Agreement:
    """The version of the terms that was shown."""

    version: Short


@dataclass(frozen=True)
class OwnRequest:
    """A request of one's own for access."""

    kind: str
    repository: str
    status: str
    reason: str
    created: str
    expires: str | None


@router.post("/setup", status_code=201)
def post_setup(request: Request, response: Response, body: Setup) -> Me:
    """Make the first administrator's account."""
    hub = hub_of(request)
    request.app.state.limits.take_sign_in(request)
    made = set_up(hub.database, body.ticket, Person(body.name, body.password, body.full_name, body.email))
    return _begin(request, response, made)


@router.post("/register", status_code=201)
def post_register(request: Request, response: Response, body: NewPerson) -> Me:
    """Make an account, where the hub lets anybody do so."""
    hub = hub_of(request)
    if not hub.settings.login.register:
        raise Forbidden("this hub makes accounts for people it knows; ask whoever runs it")
    request.app.state.limits.take_sign_in(request, body.name)
    kept = hash_password(check_password(body.password, body.name, body.email))
    with hub.database.write() as db:
        made = enrol(db, Person(body.name, "", body.full_name, body.email), kept)
    return _begin(request, response, made)


@router.post("/session")
def post_session(request: Request, response: Response, body: SignIn) -> Me:
    """Sign in."""
    found, cookie = enter(request, body.name, body.password)
    start(request, response, cookie)
    return _me(request, Actor(found.id, found.name, found.administrator, in_person=True))


@router.delete("/session", status_code=204)
def delete_session(request: Request, response: Response) -> None:
    """Sign out."""
    with hub_of(request).database.write() as db:
        sign_out(db, session_cookie(request))
    stop(request, response)


@router.get("/sessions")
def get_sessions(request: Request) -> list[SessionView]:
    """List the browsers in which one is signed in."""
    with hub_of(request).database.read() as db:
        found = list_sessions(db, _whole(actor_of(request, db)))
    return [
        SessionView(item.id, item.agent, to_text(item.created), to_text(item.expires), to_text(item.last_used))
        for item in found
    ]


@router.delete("/sessions/{session_id}", status_code=204)
def delete_other_session(request: Request, session_id: str) -> None:
    """Sign out in another browser."""
    with hub_of(request).database.write() as db:
        end_session(db, actor_of(request, db), session_id)


@router.put("/password", status_code=204)
def put_password(request: Request, response: Response, body: NewPassword) -> None:
    """Change one's password; all other browsers are signed out."""
    with hub_of(request).database.read() as db:
        actor = actor_of(request, db)
    start(request, response, renew(request, actor, body.old, body.new))


@router.get("/me")
def get_me(request: Request) -> Me:
    """Show one's own account."""
    with hub_of(request).database.read() as db:
        actor = actor_of(request, db)
    return _me(request, actor)


@router.patch("/me")
def patch_me(request: Request, body: Changes) -> Me:
    """Change one's own account."""
    with hub_of(request).database.write() as db:
        actor = actor_of(request, db)
        me = require_change(actor)
        change_account(db, me, full_name=body.full_name, email=body.email, language=body.language)
    return _me(request, actor)


@router.delete("/me", status_code=204)
def delete_me(request: Request, response: Response, body: SignIn) -> None:
    """Erase one's own account; name and password are asked for once more."""
    hub = hub_of(request)
    with hub.database.read() as db:
        actor = actor_of(request, db)
    me = require_person(actor)
    found, _ = enter(request, body.name, body.password)
    if found.id != me:
        raise InputError("that is the name of another account")
    with hub.database.write() as db:
        erase_account(db, actor, me)
    stop(request, response)


@router.get("/tokens")
def get_tokens(request: Request) -> list[TokenView]:
    """List one's tokens."""
    with hub_of(request).database.read() as db:
        return [_token(item) for item in list_tokens(db, _whole(actor_of(request, db)))]


@router.post("/tokens", status_code=201)
def post_token(request: Request, body: NewToken) -> TokenText:
    """Make a token."""
    with hub_of(request).database.write() as db:
        actor = actor_of(request, db)
        require_person(actor)
        only = None
        if body.repositories is not None:
            only = [open_repository(db, actor, kind_of(item.kind), item.name).id for item in body.repositories]
        return TokenText(issue_token(db, actor, Wanted(body.name, body.scope, body.days, only)))


@router.delete("/tokens/{token_id}", status_code=204)
def delete_token(request: Request, token_id: str) -> None:
    """Revoke a token."""
    with hub_of(request).database.write() as db:
        revoke_token(db, actor_of(request, db), token_id)


@router.get("/notices")
def get_notices(request: Request, limit: Annotated[int, Field(ge=1, le=100)] = 50) -> list[NoticeView]:
    """List one's messages, the newest first."""
    with hub_of(request).database.read() as db:
        found = list_notices(db, _whole(actor_of(request, db)), limit=limit)
    return [NoticeView(item.kind, item.text, item.address, to_text(item.created), item.read) for item in found]


@router.post("/notices/read", status_code=204)
def post_notices_read(request: Request) -> None:
    """Note that one has read all messages."""
    with hub_of(request).database.write() as db:
        mark_read(db, require_change(actor_of(request, db)))


@router.get("/access-requests")
def get_access_requests(request: Request) -> list[OwnRequest]:
    """List one's own requests for access."""
    with hub_of(request).database.read() as db:
        actor = actor_of(request, db)
        _whole(actor)
        found = list_own(db, actor)
    return [
        OwnRequest(item.kind, item.repository, item.status, item.reason, to_text(item.created), _time(item.expires))
        for item in found
    ]


@router.get("/terms")
def get_terms(request: Request) -> TermsView:
    """Show the terms of service."""
    terms = hub_of(request).settings.terms
    return TermsView(terms.version, terms.text)


@router.post("/terms", status_code=204)
def post_terms(request: Request, body: Agreement) -> None:
    """Accept the terms of service."""
    hub = hub_of(request)
    with hub.database.write() as db:
        accept_terms(db, actor_of(request, db), hub.settings.terms, body.version)


def _begin(request: Request, response: Response, made: Account) -> Me:
    with hub_of(request).database.write() as db:
        start(request, response, begin_session(db, made.id, agent_of(request)))
    return _me(request, Actor(made.id, made.name, made.administrator, in_person=True))


def _me(request: Request, actor: Actor) -> Me:
    with hub_of(request).database.read() as db:
        found = read_account(db, _known(actor))
        unread = count_unread(db, found.id)
    return Me(found.name, found.full_name, found.email, found.administrator, actor.agreed, unread)


def _token(item: Token) -> TokenView:
    only = None if item.repositories is None else list(item.repositories)
    return TokenView(
        item.id, item.name, item.scope, item.hint, only, to_text(item.created), _time(item.expires),
        _time(item.last_used),
    )  # fmt: skip


def _known(actor: Actor) -> str:
    if actor.account_id is None:
        raise NotSignedIn("sign in first")
    return actor.account_id


def _whole(actor: Actor) -> str:
    """Return who asks for what is about all that somebody has."""
    if actor.repositories is not None:
        raise Forbidden("this token is for some repositories only; use another one")
    return _known(actor)


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else to_text(milliseconds)


ROUTES = router.routes
