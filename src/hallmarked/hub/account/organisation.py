"""Organisations: accounts that several people share, each in a role."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from hallmarked.core.errors import Forbidden, InputError, NotFound
from hallmarked.hub.access import Actor, Role, require_change
from hallmarked.hub.account.account import (
    MAX_EMAIL,
    MAX_FULL_NAME,
    Account,
    create_account,
    find_account,
    read_account,
    set_role,
)
from hallmarked.hub.account.notice import Kind, notify
from hallmarked.hub.account.ticket import (
    INVITATION,
    OpenTicket,
    find_ticket,
    forget_ticket,
    list_tickets,
    make_ticket,
    use_ticket,
)
from hallmarked.hub.error import Conflict, NotSignedIn
from hallmarked.hub.schema.account import account, membership
from hallmarked.hub.trail import Tag, record

INVITATION_HOURS = 7 * 24
MOST = 50
"""Organisations one person may belong to."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who belongs to an organisation."""

    name: str
    full_name: str
    role: Role
    since: int
    """Milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What an invitation offers."""

    organisation: Account
    role: Role
    expires: int
    """Milliseconds since the epoch."""


def create_organisation(db: Connection, actor: Actor, name: str, full_name: str = "") -> Account:
    """Make an organisation; who makes it is its first owner.

    Raises:
        Forbidden: When they may not change anything.
        InputError: When the name is not accepted, or they belong to too many.
        Conflict: When the name is taken.
    """
    me = require_change(actor)
    _check_room(db, me)
    made = create_account(db, name, kind="organisation", full_name=full_name, by=actor)
    set_role(db, made.id, me, Role.OWNER)
    return made


def list_members(db: Connection, actor: Actor, organisation: str) -> list[Member]:
    """Return who belongs to an organisation; its members and administrators may know.

    Raises:
        NotFound: When there is no such organisation.
        NotSignedIn, Forbidden: When the actor may not know.
    """
    if not actor.known:
        raise NotSignedIn("sign in first: who belongs to an organisation is shown to its members")
    home = find_account(db, organisation, kind="organisation")
    if _role(db, home.id, actor.account_id) is None and not actor.administrator:
        raise Forbidden(f"who belongs to {home.name} is shown to its members only")
    rows = db.execute(
        select(account.c.name, account.c.full_name, membership.c.role, membership.c.created)
        .join(account, account.c.id == membership.c.account_id)
        .where(membership.c.organisation_id == home.id)
        .order_by(account.c.key)
    )
    return [Member(row.name, row.full_name, Role(row.role), row.created) for row in rows]


def invite(db: Connection, actor: Actor, organisation: str, role: Role, email: str = "") -> str:
    """Make an invitation; what is returned stands in a link that works once, for a week.

    Args:
        db: A writing transaction.
        actor: An owner.
        organisation: Its name.
        role: What the one who comes becomes.
        email: Whom it is meant for, as a reminder.

    Raises:
        NotFound: When there is no such organisation.
        Forbidden: When the actor is no owner of it.
    """
    home = _managed(db, actor, organisation)
    if len(email) > MAX_EMAIL:
        raise InputError("the e-mail address is too long")
    text = make_ticket(
        db, INVITATION, INVITATION_HOURS, organisation_id=home.id, role=role, email=email, account_id=actor.account_id
    )
    record(db, actor, Tag.MEMBER_INVITED, f"account:{home.id}", {"role": role})
    return text


def list_invitations(db: Connection, actor: Actor, organisation: str) -> list[OpenTicket]:
    """Return the invitations that nobody accepted yet; what stands in their links is not kept.

    Raises:
        NotFound: When there is no such organisation.
        Forbidden: When the actor is no owner of it.
    """
    return list_tickets(db, INVITATION, _managed(db, actor, organisation).id)


def withdraw_invitation(db: Connection, actor: Actor, organisation: str, invitation: str) -> None:
    """Let an invitation work no more.

    Raises:
        NotFound: When there is no such organisation or invitation.
        Forbidden: When the actor is no owner of it.
    """
    home = _managed(db, actor, organisation)
    forget_ticket(db, INVITATION, home.id, invitation)
    record(db, actor, Tag.INVITATION_WITHDRAWN, f"account:{home.id}", {"invitation": invitation})


def prefers_private(db: Connection, organisation_id: str) -> bool:
    """Say whether new repositories of an organisation are private unless somebody says otherwise."""
    return bool(db.execute(select(account.c.private_by_default).where(account.c.id == organisation_id)).scalar_one())


def show_invitation(db: Connection, text: str) -> Invitation:
    """Return what an invitation offers, without using it.

    Raises:
        NotFound: When it was used, has run out, or never was, or whoever made it could not make it now.
    """
    found = find_ticket(db, INVITATION, text)
    assert found.organisation_id is not None
    home = read_account(db, found.organisation_id)
    maker = account.c
    rows = db.execute(select(maker.administrator).where(maker.id == found.account_id, maker.disabled.is_(None)))
    if (made_by := rows.first()) is None or not (
        made_by.administrator or _role(db, home.id, found.account_id) is Role.OWNER
    ):
        # NOTE: who was sent away must not come back by a link they made before
        raise NotFound("this link does not work any more: who made it may not invite anybody now")
    return Invitation(home, Role(found.role), found.expires)


def join(db: Connection, actor: Actor, text: str) -> Account:
    """Accept an invitation.

    Args:
        db: A writing transaction.
        actor: Who accepts.
        text: What stands in the link.

    Raises:
        NotFound: When it was used, has run out, or never was.
        Conflict: When the actor belongs to the organisation already.
        Forbidden: When the actor may not change anything.
    """
    me = require_change(actor)
    _check_room(db, me)
    offered = show_invitation(db, text)
    home = offered.organisation
    if _role(db, home.id, me) is not None:
        raise Conflict(f"you belong to {home.name} already")
    made_by = use_ticket(db, INVITATION, text).account_id
    set_role(db, home.id, me, offered.role)
    record(db, actor, Tag.MEMBER_JOINED, f"account:{home.id}", {"account": me, "role": offered.role})
    if made_by is not None:
        notify(db, made_by, Kind.ORGANISATION, f"{actor.name} joined {home.name} as {offered.role}.", f"/{home.name}")
    return home


def change_role(db: Connection, actor: Actor, organisation: str, member: str, role: Role) -> None:
    """Give a member another role.

    Raises:
        NotFound: When there is no such organisation or member.
        Forbidden: When the actor is no owner of it.
        Conflict: When no owner would be left.
    """
    home = _managed(db, actor, organisation)
    who = find_account(db, member, kind="user")
    old = _role(db, home.id, who.id)
    if old is None:
        raise NotFound(f"{who.name} does not belong to {home.name}")
    if old is Role.OWNER and role is not Role.OWNER:
        _check_owners(db, home)
    set_role(db, home.id, who.id, role)
    record(db, actor, Tag.MEMBER_ROLE_CHANGED, f"account:{home.id}", {"account": who.id, "from": old, "to": role})


def remove_member(db: Connection, actor: Actor, organisation: str, member: str) -> None:
    """Take a member out of an organisation; whoever removes themselves leaves it.

    Raises:
        NotFound: When there is no such organisation or member.
        Forbidden: When the actor is no owner of it, and it is somebody else.
        Conflict: When no owner would be left.
    """
    me = require_change(actor)
    home = find_account(db, organisation, kind="organisation")
    who = find_account(db, member, kind="user")
    if who.id != me:
        _managed(db, actor, organisation)
    old = _role(db, home.id, who.id)
    if old is None:
        raise NotFound(f"{who.name} does not belong to {home.name}")
    if old is Role.OWNER:
        _check_owners(db, home)
    db.execute(delete(membership).where(membership.c.organisation_id == home.id, membership.c.account_id == who.id))
    record(db, actor, Tag.MEMBER_REMOVED, f"account:{home.id}", {"account": who.id, "role": old})


def change_organisation(
    db: Connection, actor: Actor, organisation: str, *, full_name: str | None = None, private: bool | None = None
) -> None:
    """Change an organisation.

    Args:
        db: A writing transaction.
        actor: An owner.
        organisation: Its name.
        full_name: What it is called; None to leave it.
        private: Whether its new repositories are private unless somebody says otherwise; None to leave it.

    Raises:
        NotFound: When there is no such organisation.
        Forbidden: When the actor is no owner of it.
        InputError: When the full name is not accepted.
    """
    home = _managed(db, actor, organisation)
    if full_name is not None and not (0 < len(full_name) <= MAX_FULL_NAME and full_name.isprintable()):
        raise InputError(f"a full name has 1 to {MAX_FULL_NAME} characters")
    values = {"full_name": full_name, "private_by_default": private}
    changed = {name: value for name, value in values.items() if value is not None}
    if changed:
        db.execute(update(account).where(account.c.id == home.id).values(**changed))
        record(db, actor, Tag.ORGANISATION_CHANGED, f"account:{home.id}", changed)


def _managed(db: Connection, actor: Actor, organisation: str) -> Account:
    me = require_change(actor)
    home = find_account(db, organisation, kind="organisation")
    if _role(db, home.id, me) is not Role.OWNER and not actor.administrator:
        raise Forbidden(f"only an owner of {home.name} may do that")
    return home


def _role(db: Connection, organisation_id: str, account_id: str | None) -> Role | None:
    where = (membership.c.organisation_id == organisation_id, membership.c.account_id == account_id)
    found = db.execute(select(membership.c.role).where(*where)).scalar()
    return Role(found) if found is not None else None


def _check_owners(db: Connection, home: Account) -> None:
    """Refuse to take away the last owner."""
    # NOTE: the rows are locked, so that two owners who leave at once do not both count the other
    where = (membership.c.organisation_id == home.id, membership.c.role == Role.OWNER)
    if len(db.execute(select(membership.c.account_id).where(*where).with_for_update()).all()) < 2:
        raise Conflict(f"this is the last owner of {home.name}; make somebody else an owner first")


def _check_room(db: Connection, account_id: str) -> None:
    count = db.execute(select(func.count()).where(membership.c.account_id == account_id)).scalar_one()
    if count >= MOST:
        raise InputError(f"a person belongs to at most {MOST} organisations")
