"""Signing in and out, the first administrator, invitations, and what somebody keeps: sessions, tokens, messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import Forbidden, InputError
from hallmarked.hub.access import require_person
from hallmarked.hub.account.account import organisations, read_account
from hallmarked.hub.account.notice import Notice, count_unread, list_notices, mark_read
from hallmarked.hub.account.organisation import create_organisation, join, show_invitation
from hallmarked.hub.account.password import check_password, hash_password
from hallmarked.hub.account.session import begin_session, end_session, list_sessions, sign_out
from hallmarked.hub.account.terms import accept_terms, has_accepted
from hallmarked.hub.account.ticket import SETUP, Person, enrol, find_ticket, set_up
from hallmarked.hub.account.token import Wanted, issue_token, list_tokens, revoke_token
from hallmarked.hub.clock import to_datetime
from hallmarked.hub.error import NotSignedIn
from hallmarked.web.form import Form, with_form
from hallmarked.web.markdown import render_markdown
from hallmarked.web.page.browser import name_browser
from hallmarked.web.render import Html, Page, context, show
from hallmarked.web.request import actor_of, base_url, hub_of
from hallmarked.web.session import agent_of, enter, local_path, renew, session_cookie, start, stop

NOT_ANYBODY = "this hub makes accounts for people it knows; ask whoever runs it"


@context
class SignIn:
    """The page to sign in on."""

    next: str
    """Where to go on to."""
    wrong: bool
    """Whether the name or the password was wrong a moment ago."""
    elsewhere: str
    """What the other service is called that people may sign in through; empty when there is none."""
    register: bool
    """Whether anybody may make an account here."""


@context
class Register:
    """The page on which somebody makes their own account."""

    name: str
    """What this hub is called."""


@context
class Welcome:
    """The page on which the first administrator makes their account."""

    ticket: str
    """What stood in the link."""
    hub: str
    """What this hub is called."""


@context
class Invitation:
    """What somebody is invited to."""

    ticket: str
    """What stood in the link."""
    organisation: str
    """Name of the organisation."""
    role: str
    """As what."""
    expires: datetime
    """Until when."""


@context
class Terms:
    """The terms of service in force."""

    version: str
    """Which they are; empty when there are none."""
    text: Html
    """What they say."""
    accepted: bool
    """Whether the reader accepted them."""


@context
class Session:
    """A browser in which somebody is signed in."""

    id: str
    """Names it in forms."""
    agent: str
    """The browser, as it names itself."""
    began: datetime
    """When."""
    expires: datetime
    """Until when."""
    used: datetime
    """When it was used last, about."""
    here: bool
    """Whether it is the browser that asks."""


@context
class Token:
    """What a program works with for somebody; its text is shown once, when it is made."""

    id: str
    """Names it in forms."""
    name: str
    """As its owner calls it."""
    scope: str
    """``read`` or ``write``."""
    hint: str
    """The last characters."""
    limited: bool
    """Whether it is for some repositories only."""
    made: datetime
    """When."""
    expires: datetime | None
    """Until when; none for as long as it is not revoked."""
    used: datetime | None
    """When it was used last, about."""


@context
class Message:
    """Something somebody was told."""

    text: str
    """What."""
    address: str
    """Where it is about; may be empty."""
    time: datetime
    """When."""
    read: bool
    """Whether it was seen."""


@context
class Account:
    """What somebody keeps here."""

    name: str
    """Name of the account."""
    full_name: str
    """As they call themselves."""
    email: str
    """Address for messages."""
    administrator: bool
    """Whether they run this hub."""
    organisations: tuple[tuple[str, str], ...]
    """Organisations they belong to: name and role."""
    sessions: tuple[Session, ...]
    """Browsers they are signed in with."""
    tokens: tuple[Token, ...]
    """Tokens of their programs."""
    messages: tuple[Message, ...]
    """What they were told, newest first."""
    unread: int
    """How many of these they have not seen."""


@context
class NewToken:
    """A token, shown this once."""

    name: str
    """As its owner calls it."""
    scope: str
    """``read`` or ``write``."""
    text: str
    """The token itself."""
    uses: tuple[str, ...]
    """How a program is told about it, line by line."""


def show_sign_in(request: Request) -> SignIn:
    """Make the page to sign in on."""
    asked, login = request.query_params, hub_of(request).settings.login
    elsewhere = login.label or urlsplit(login.issuer).netloc if login.issuer else ""
    return SignIn(local_path(asked.get("next", "/")), asked.get("wrong") == "1", elsewhere, login.register)


def do_sign_in(request: Request, form: Form) -> Response:
    """Sign somebody in."""
    onward = local_path(form.text("next"))
    try:
        _, cookie = enter(request, form.text("name"), form.raw("password"))
    except NotSignedIn:
        return RedirectResponse(f"/login?{urlencode({'wrong': '1', 'next': onward})}", 303)
    response = RedirectResponse(onward, 303)
    start(request, response, cookie)
    return response


def do_sign_out(request: Request, _form: Form) -> Response:
    """Sign somebody out."""
    with hub_of(request).database.write() as db:
        sign_out(db, session_cookie(request))
    response = RedirectResponse("/", 303)
    stop(request, response)
    return response


def show_welcome(request: Request) -> Welcome:
    """Make the page on which the first administrator makes their account.

    Raises:
        NotFound: When the link does not work (any more).
    """
    hub = hub_of(request)
    text = request.query_params.get("ticket", "")
    with hub.database.read() as db:
        find_ticket(db, SETUP, text)
    return Welcome(text, hub.settings.server.name)


def show_register(request: Request) -> Register:
    """Make the page on which somebody makes their own account.

    Raises:
        Forbidden: When this hub does not let anybody do so.
    """
    settings = hub_of(request).settings
    if not settings.login.register:
        raise Forbidden(NOT_ANYBODY)
    return Register(settings.server.name)


def do_register(request: Request, form: Form) -> Response:
    """Make somebody's own account, and sign them in.

    Raises:
        Forbidden: When this hub does not let anybody do so.
        InputError: When the two passwords are not the same, or something is not accepted.
        TooMany: When too many accounts were made from that address.
    """
    show_register(request)
    person, password = _person(form), form.raw("password")
    request.app.state.limits.take_sign_in(request, person.name)
    kept = hash_password(check_password(password, person.name, person.email))
    with hub_of(request).database.write() as db:
        cookie = begin_session(db, enrol(db, replace(person, password=""), kept).id, agent_of(request))
    response = RedirectResponse("/settings", 303)
    start(request, response, cookie)
    return response


def _person(form: Form) -> Person:
    if form.raw("password") != form.raw("again"):
        raise InputError("the two passwords are not the same")
    return Person(form.text("name"), form.raw("password"), form.text("full_name"), form.text("email"))


def do_welcome(request: Request, form: Form) -> Response:
    """Make the first administrator's account, and sign them in.

    Raises:
        InputError: When the two passwords are not the same, or something is not accepted.
    """
    person, database = _person(form), hub_of(request).database
    made = set_up(database, form.text("ticket"), person)
    with database.write() as db:
        cookie = begin_session(db, made.id, agent_of(request))
    response = RedirectResponse("/settings", 303)
    start(request, response, cookie)
    return response


def show_join(request: Request) -> Invitation:
    """Make the page of an invitation.

    Raises:
        NotFound: When it was used, has run out, or never was.
    """
    text = request.query_params.get("ticket", "")
    with hub_of(request).database.read() as db:
        actor_of(request, db)
        offered = show_invitation(db, text)
    return Invitation(text, offered.organisation.name, offered.role.value, to_datetime(offered.expires))


def do_join(request: Request, form: Form) -> Response:
    """Accept an invitation."""
    with hub_of(request).database.write() as db:
        home = join(db, actor_of(request, db), form.text("ticket"))
    return RedirectResponse(f"/{home.name}", 303)


def show_terms(request: Request) -> Terms:
    """Make the page of the terms of service."""
    hub = hub_of(request)
    terms = hub.settings.terms
    with hub.database.read() as db:
        actor = actor_of(request, db)
        accepted = actor.account_id is not None and has_accepted(db, actor.account_id, terms.version)
    return Terms(terms.version, render_markdown(terms.text).html, accepted)


def do_accept(request: Request, form: Form) -> Response:
    """Note that somebody accepts the terms."""
    hub = hub_of(request)
    with hub.database.write() as db:
        accept_terms(db, actor_of(request, db), hub.settings.terms, form.text("version"))
    return RedirectResponse("/settings", 303)


def show_account(request: Request) -> Account:
    """Make the page of what somebody keeps.

    Raises:
        NotSignedIn: When nobody signed in.
    """
    with hub_of(request).database.read() as db:
        actor = actor_of(request, db)
        me = require_person(actor)
        found = read_account(db, me)
        return Account(
            found.name,
            found.full_name,
            found.email,
            found.administrator,
            tuple((each.name, role.value) for each, role in organisations(db, me)),
            tuple(
                Session(
                    each.id, name_browser(each.agent), to_datetime(each.created), to_datetime(each.expires),
                    to_datetime(each.last_used), each.id == actor.session_id,
                )
                for each in list_sessions(db, me)
            ),
            tuple(
                Token(
                    each.id, each.name, each.scope, each.hint, each.repositories is not None, to_datetime(each.created),
                    to_datetime(each.expires) if each.expires else None,
                    to_datetime(each.last_used) if each.last_used else None,
                )
                for each in list_tokens(db, me)
            ),
            tuple(
                _message(each)
                for each in list_notices(db, me)
            ),
            count_unread(db, me),
        )  # fmt: skip


def _message(notice: Notice) -> Message:
    address = local_path(notice.address) if notice.address else ""
    return Message(notice.text, address, to_datetime(notice.created), notice.read)


def do_token(request: Request, form: Form) -> Response:
    """Make a token, and show it once."""
    days = form.text("days")
    wanted = Wanted(
        form.text("name"), form.text("scope", "read"), int(days) if days.isdecimal() and len(days) < 6 else None
    )
    with hub_of(request).database.write() as db:
        actor = actor_of(request, db)
        text = issue_token(db, actor, wanted)
    then = f"hf upload {actor.name}/my-model ./my-model" if wanted.scope == "write" else "hf auth whoami"
    uses = (f"export HF_ENDPOINT={base_url(request)}", f"export HF_TOKEN={text}", then)
    return show(request, "token.html.j2", NewToken(wanted.name, wanted.scope, text, uses))


def do_revoke(request: Request, form: Form) -> Response:
    """Revoke a token."""
    with hub_of(request).database.write() as db:
        revoke_token(db, actor_of(request, db), form.text("id"))
    return RedirectResponse("/settings#tokens", 303)


def do_end(request: Request, form: Form) -> Response:
    """Sign another browser out."""
    with hub_of(request).database.write() as db:
        end_session(db, actor_of(request, db), form.text("id"))
    return RedirectResponse("/settings#sessions", 303)


def do_password(request: Request, form: Form) -> Response:
    """Change the password; every other browser is signed out.

    Raises:
        InputError: When the two new passwords are not the same.
    """
    if form.raw("new") != form.raw("again"):
        raise InputError("the two new passwords are not the same")
    with hub_of(request).database.read() as db:
        actor = actor_of(request, db)
    response = RedirectResponse("/settings", 303)
    start(request, response, renew(request, actor, form.raw("old"), form.raw("new")))
    return response


def do_read(request: Request, _form: Form) -> Response:
    """Note that somebody saw their messages."""
    with hub_of(request).database.write() as db:
        mark_read(db, require_person(actor_of(request, db)))
    return RedirectResponse("/settings#messages", 303)


def do_organisation(request: Request, form: Form) -> Response:
    """Make an organisation."""
    with hub_of(request).database.write() as db:
        made = create_organisation(db, actor_of(request, db), form.text("name"), form.text("full_name"))
    return RedirectResponse(f"/{made.name}", 303)


FORMS = (
    Route("/login", with_form(do_sign_in), methods=["POST"]),
    Route("/login/new", with_form(do_register), methods=["POST"]),
    Route("/logout", with_form(do_sign_out), methods=["POST"]),
    Route("/welcome", with_form(do_welcome), methods=["POST"]),
    Route("/join", with_form(do_join), methods=["POST"]),
    Route("/tos", with_form(do_accept), methods=["POST"]),
    Route("/settings/tokens", with_form(do_token), methods=["POST"]),
    Route("/settings/tokens/revoke", with_form(do_revoke), methods=["POST"]),
    Route("/settings/sessions/end", with_form(do_end), methods=["POST"]),
    Route("/settings/password", with_form(do_password), methods=["POST"]),
    Route("/settings/messages", with_form(do_read), methods=["POST"]),
    Route("/settings/organisations", with_form(do_organisation), methods=["POST"]),
)
PAGES = (
    Page("/login", "login.html.j2", show_sign_in),
    Page("/login/new", "register.html.j2", show_register),
    Page("/welcome", "welcome.html.j2", show_welcome),
    Page("/join", "join.html.j2", show_join),
    Page("/tos", "terms.html.j2", show_terms),
    Page("/settings", "account.html.j2", show_account),
)
