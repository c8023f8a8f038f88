"""An organisation as its members see it: who belongs to it, who is invited, and its settings."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Role, refuse_change
from hallmarked.hub.account.account import find_account
from hallmarked.hub.account.organisation import (
    INVITATION_HOURS,
    change_organisation,
    change_role,
    invite,
    list_invitations,
    list_members,
    prefers_private,
    remove_member,
    withdraw_invitation,
)
from hallmarked.hub.clock import to_datetime
from hallmarked.web.address import param
from hallmarked.web.form import Form, with_form
from hallmarked.web.render import Page, context, show
from hallmarked.web.request import actor_of, base_url, hub_of

ROLES = tuple(role.value for role in Role)
"""What somebody can be, the most first."""


@context
class Member:
    """Somebody with a role."""

    name: str
    """Name of the account."""
    full_name: str
    """As they call themselves."""
    role: str
    """``owner``, ``writer``, ``reviewer``, ``auditor`` or ``reader``."""
    since: datetime
    """Since when."""


@context
class Open:
    """An invitation that nobody accepted yet; its link was shown when it was made and is not kept."""

    id: str
    """Names it in forms."""
    role: str
    """What who accepts becomes."""
    email: str
    """Whom it is meant for; may be empty."""
    by: str
    """Who made it; empty when that account is gone."""
    made: datetime
    """When."""
    expires: datetime
    """Until when it works."""


@context
class Organisation:
    """An organisation as its members see it."""

    name: str
    """Its name in addresses."""
    full_name: str
    """As it is called."""
    members: tuple[Member, ...]
    """Who belongs to it."""
    mine: str
    """The reader's own role; empty for an administrator of the hub who does not belong to it."""
    may_manage: bool
    """Whether the reader may change it."""
    invitations: tuple[Open, ...]
    """Invitations that nobody accepted yet; empty for those who may not manage it."""
    private: bool
    """Whether its new repositories are private unless somebody says otherwise."""
    roles: tuple[str, ...]
    """Roles there are."""
    days: int
    """For how many days an invitation works."""


@context
class NewInvitation:
    """A new invitation, whose link is shown this once."""

    organisation: str
    """Name of the organisation."""
    role: str
    """What who accepts becomes."""
    email: str
    """Whom it is meant for; may be empty."""
    link: str
    """Where it is accepted."""
    days: int
    """For how many days it works."""


def show_organisation(request: Request) -> Organisation:
    """Make the page of an organisation.

    Raises:
        NotSignedIn, Forbidden: When the reader does not belong to it.
        NotFound: When there is none of that name.
    """
    with hub_of(request).database.read() as db:
        actor = actor_of(request, db)
        found = list_members(db, actor, param(request, "owner"))
        home = find_account(db, param(request, "owner"), kind="organisation")
        mine = next((each.role for each in found if each.name == actor.name), None)
        manages = mine is Role.OWNER or actor.administrator
        changes = manages and refuse_change(actor) is None and actor.repositories is None
        waiting = list_invitations(db, actor, home.name) if changes else []
        return Organisation(
            home.name,
            home.full_name,
            tuple(Member(each.name, each.full_name, each.role.value, to_datetime(each.since)) for each in found),
            mine.value if mine else "",
            changes,
            tuple(
                Open(each.id, each.role, each.email, each.by, to_datetime(each.created), to_datetime(each.expires))
                for each in waiting
            ),
            prefers_private(db, home.id),
            ROLES,
            INVITATION_HOURS // 24,
        )


def do_members(request: Request, form: Form) -> Response:
    """Give a member another role, take one out, or leave.

    Raises:
        InputError: When it is none of that.
    """
    name, act, member = param(request, "owner"), form.text("act"), form.text("member")
    with hub_of(request).database.write() as db:
        actor = actor_of(request, db)
        if act == "role":
            change_role(db, actor, name, member, role_of(form))
        elif act == "remove":
            remove_member(db, actor, name, member)
        elif act == "leave":
            remove_member(db, actor, name, actor.name)
        else:
            raise InputError("a member gets another role, is taken out, or leaves")
    return RedirectResponse("/settings" if act == "leave" else f"/organizations/{name}#members", 303)


def do_invitations(request: Request, form: Form) -> Response:
    """Make an invitation and show its link once, or withdraw one."""
    name = param(request, "owner")
    with hub_of(request).database.write() as db:
        actor = actor_of(request, db)
        if form.text("act") == "withdraw":
            withdraw_invitation(db, actor, name, form.text("id"))
            return RedirectResponse(f"/organizations/{name}#invitations", 303)
        role, email = role_of(form), form.text("email")
        ticket = invite(db, actor, name, role, email)
        home = find_account(db, name, kind="organisation")
    link = f"{base_url(request)}/join?ticket={ticket}"
    made = NewInvitation(home.name, role.value, email, link, INVITATION_HOURS // 24)
    return show(request, "invitation.html.j2", made)


def do_settings(request: Request, form: Form) -> Response:
    """Change what an organisation is called, and how its new repositories begin."""
    name = param(request, "owner")
    with hub_of(request).database.write() as db:
        actor = actor_of(request, db)
        private = form.text("visibility") == "private"
        change_organisation(db, actor, name, full_name=form.text("full_name"), private=private)
    return RedirectResponse(f"/organizations/{name}#settings", 303)


def role_of(form: Form) -> Role:
    """Return the role that was chosen in a form.

    Raises:
        InputError: When it is none.
    """
    text = form.text("role")
    if text not in ROLES:
        raise InputError(f"a role is one of {', '.join(ROLES)}")
    return Role(text)


_BASE = "/organizations/{owner}"
FORMS: tuple[BaseRoute, ...] = (
    Route(f"{_BASE}/members", with_form(do_members), methods=["POST"]),
    Route(f"{_BASE}/invitations", with_form(do_invitations), methods=["POST"]),
    Route(f"{_BASE}/settings", with_form(do_settings), methods=["POST"]),
)
PAGES = (Page(_BASE, "organisation.html.j2", show_organisation),)
