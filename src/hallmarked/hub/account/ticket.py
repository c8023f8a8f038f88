"""Links that work once and not for long: they make the first administrator, and let people join an organisation."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from hallmarked.core.errors import NotFound
from hallmarked.hub.account.account import Account, create_account
from hallmarked.hub.account.password import check_password, hash_password
from hallmarked.hub.account.secret import digest_secret, make_secret
from hallmarked.hub.account.session import set_password
from hallmarked.hub.clock import now
from hallmarked.hub.database import Database
from hallmarked.hub.error import Conflict
from hallmarked.hub.schema.account import account
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.identity import ticket

HOUR = 3_600_000
"""Milliseconds."""
SETUP_HOURS = 24
SETUP, INVITATION = "setup", "invitation"
"""Purposes."""
MOST_SHOWN = 200
"""Links of one organisation that are listed."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who wants an account."""

    name: str
    password: str
    full_name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link is for."""

    id: str
    purpose: str
    organisation_id: str | None
    role: str
    account_id: str | None
    """Who made it."""
    expires: int
    """Milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A link that works still, as those who manage its organisation see it."""

    id: str
    role: str
    email: str
    """Whom it is meant for; may be empty."""
    by: str
    """Name of who made it; empty when that account is gone."""
    created: int
    """Milliseconds since the epoch."""
    expires: int
    """Likewise."""


def make_ticket(
    db: Connection,
    purpose: str,
    hours: int,
    *,
    organisation_id: str | None = None,
    role: str = "",
    email: str = "",
    account_id: str | None = None,
) -> str:
    """Make what stands in a link; the hub keeps its digest only."""
    text = make_secret()
    time = now()
    db.execute(
        insert(ticket).values(
            id=new_id(), digest=digest_secret(text), purpose=purpose, organisation_id=organisation_id, role=role,
            email=email, account_id=account_id, created=time, expires=time + hours * HOUR,
        )
    )  # fmt: skip
    return text


def find_ticket(db: Connection, purpose: str, text: str) -> Ticket:
    """Return what a link is for, without using it.

    Raises:
        NotFound: When it was used, has run out, or never was.
    """
    found = ticket.c
    where = (found.digest == digest_secret(text), found.purpose == purpose, found.used.is_(None))
    row = db.execute(select(ticket).where(*where, found.expires > now())).first()
    if row is None:
        raise NotFound("this link does not work: it was used, or has run out; ask for another one")
    return Ticket(row.id, row.purpose, row.organisation_id, row.role, row.account_id, row.expires)


def use_ticket(db: Connection, purpose: str, text: str) -> Ticket:
    """Use a link; of those who try at once one succeeds.

    Raises:
        NotFound: When it was used, has run out, or never was.
    """
    found = find_ticket(db, purpose, text)
    if not db.execute(
        update(ticket).where(ticket.c.id == found.id, ticket.c.used.is_(None)).values(used=now())
    ).rowcount:
        raise NotFound("this link was used a moment ago")
    return found


def list_tickets(db: Connection, purpose: str, organisation_id: str) -> list[OpenTicket]:
    """Return the links of an organisation that work still, the newest first."""
    found = ticket.c
    where = (found.purpose == purpose, found.organisation_id == organisation_id, found.used.is_(None))
    rows = db.execute(
        select(ticket, account.c.name)
        .outerjoin(account, account.c.id == found.account_id)
        .where(*where, found.expires > now())
        .order_by(found.created.desc(), found.id)
        .limit(MOST_SHOWN)
    )
    return [OpenTicket(row.id, row.role, row.email, row.name or "", row.created, row.expires) for row in rows]


def forget_ticket(db: Connection, purpose: str, organisation_id: str, ticket_id: str) -> None:
    """Let a link of an organisation work no more.

    Raises:
        NotFound: When it has no such link.
    """
    found = ticket.c
    where = (found.id == ticket_id, found.purpose == purpose, found.organisation_id == organisation_id)
    if not db.execute(delete(ticket).where(*where, found.used.is_(None))).rowcount:
        raise NotFound("there is no such invitation: it was used or withdrawn")


def has_administrator(db: Connection) -> bool:
    """Say whether anybody manages this hub."""
    where = (account.c.administrator.is_(True), account.c.disabled.is_(None))
    return db.execute(select(account.c.id).where(*where).limit(1)).first() is not None


def make_setup(db: Connection) -> str:
    """Make the link that makes the first administrator; earlier ones work no more.

    Raises:
        Conflict: When there is an administrator.
    """
    if has_administrator(db):
        raise Conflict("this hub has an administrator already")
    db.execute(delete(ticket).where(ticket.c.purpose == SETUP))
    return make_ticket(db, SETUP, SETUP_HOURS)


def set_up(database: Database, text: str, person: Person) -> Account:
    """Make the first administrator's account.

    Args:
        database: The hub's.
        text: What stands in the link.
        person: Who it is.

    Raises:
        NotFound: When the link does not work.
        Conflict: When there is an administrator, or the name is taken.
        InputError: When the name or the password is not accepted.
    """
    with database.read() as db:
        find_ticket(db, SETUP, text)
    kept = hash_password(check_password(person.password, person.name, person.email))
    with database.write() as db:
        use_ticket(db, SETUP, text)
        if has_administrator(db):
            raise Conflict("this hub has an administrator already")
        return enrol(db, person, kept, administrator=True)


def enrol(db: Connection, person: Person, kept: str, *, administrator: bool = False) -> Account:
    """Make an account with a password.

    Args:
        db: A writing transaction.
        person: Who it is.
        kept: What is kept of the password.
        administrator: Whether they manage the hub.

    Raises:
        Conflict: When the name is taken.
        InputError: When the name is not accepted.
    """
    made = create_account(db, person.name, full_name=person.full_name, email=person.email, administrator=administrator)
    set_password(db, made.id, kept)
    return made
