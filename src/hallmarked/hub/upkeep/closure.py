"""Accounts that end, for a while or for good, and who manages the hub."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, select, update

from hallmarked.core.errors import InputError
from hallmarked.hub.access import ANYBODY, Actor, Role, require_administrator, require_person
from hallmarked.hub.account.account import Account, read_account
from hallmarked.hub.catalog.listing import touch
from hallmarked.hub.clock import now
from hallmarked.hub.error import Conflict
from hallmarked.hub.outbound.webhook import forget_webhooks
from hallmarked.hub.repository.repository import delete_repository
from hallmarked.hub.schema.account import account, membership, session, token
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.gate import access_request
from hallmarked.hub.schema.identity import acceptance, login, notice, ticket
from hallmarked.hub.schema.repository import collaborator, repository
from hallmarked.hub.trail import Tag, record

ERASED = "erased-"
"""Begins the name of an account that was erased."""


def disable_account(db: Connection, account_id: str, *, by: Actor = ANYBODY) -> None:
    """Let an account do nothing any more; its repositories are seen by administrators only.

    Raises:
        NotFound: When there is none.
        Conflict: When it is the last administrator.
    """
    _check_administrators(db, read_account(db, account_id))
    db.execute(update(account).where(account.c.id == account_id).values(disabled=now()))
    db.execute(delete(session).where(session.c.account_id == account_id))
    touch(db, _repositories(db, account_id))
    record(db, by, Tag.ACCOUNT_DISABLED, f"account:{account_id}")


def enable_account(db: Connection, account_id: str, *, by: Actor = ANYBODY) -> None:
    """Undo :func:`disable_account`.

    Raises:
        NotFound: When there is none.
        InputError: When it was erased.
    """
    found = read_account(db, account_id)
    if found.name.startswith(ERASED):
        raise InputError("this account was erased; that cannot be undone")
    db.execute(update(account).where(account.c.id == account_id).values(disabled=None))
    touch(db, _repositories(db, account_id))
    record(db, by, Tag.ACCOUNT_ENABLED, f"account:{account_id}")


def set_administrator(db: Connection, account_id: str, manages: bool, *, by: Actor = ANYBODY) -> None:
    """Let somebody manage the whole hub, or no longer.

    Raises:
        NotFound: When there is no such account.
        InputError: When it is an organisation.
        Conflict: When no administrator would be left.
    """
    found = read_account(db, account_id)
    if found.kind != "user":
        raise InputError(f"{found.name} is an organisation; only a person manages a hub")
    if not manages:
        _check_administrators(db, found)
    db.execute(update(account).where(account.c.id == account_id).values(administrator=manages))
    record(db, by, Tag.ACCOUNT_ADMINISTRATOR_CHANGED, f"account:{account_id}", {"administrator": manages})


def erase_account(db: Connection, actor: Actor, account_id: str) -> None:
    """Erase what is known of a person, and what is only theirs; what they did stays, by nobody in particular.

    Args:
        db: A writing transaction.
        actor: The person, who signed in with a browser, or an administrator.
        account_id: Whose account.

    Raises:
        Forbidden: When the actor may not.
        Conflict: When an organisation would have no owner, or the hub no administrator.
        InputError: When it is an organisation.
    """
    if actor.account_id == account_id:
        require_person(actor)
    else:
        require_administrator(actor)
    found = read_account(db, account_id)
    if found.kind != "user":
        raise InputError(f"{found.name} is an organisation; its members leave it instead")
    _check_administrators(db, found)
    _check_memberships(db, account_id)
    for one in _repositories(db, account_id):
        delete_repository(db, one, by=actor)
    for table in (session, token, login, acceptance, notice, collaborator, membership, access_request, ticket):
        db.execute(delete(table).where(table.c.account_id == account_id))
    forget_webhooks(db, account_id)
    # NOTE: events name ids only, so that without this row nobody can say who it was
    name = ERASED + new_id()
    blank = {"name": name, "key": name, "full_name": "", "email": "", "password": "", "language": ""}
    db.execute(update(account).where(account.c.id == account_id).values(**blank, administrator=False, disabled=now()))
    record(db, actor, Tag.ACCOUNT_ERASED, f"account:{account_id}")


def _repositories(db: Connection, account_id: str) -> list[str]:
    own = (repository.c.owner_id == account_id, repository.c.deleted.is_(None))
    return list(db.execute(select(repository.c.id).where(*own)).scalars())


def _check_administrators(db: Connection, found: Account) -> None:
    """Refuse to take away the last administrator."""
    where = (account.c.administrator.is_(True), account.c.disabled.is_(None))
    others = db.execute(select(account.c.id).where(*where).with_for_update()).all()
    if found.administrator and len(others) < 2:
        raise Conflict(f"{found.name} is the last administrator of this hub; make another one first")


def _check_memberships(db: Connection, account_id: str) -> None:
    mine = select(membership.c.organisation_id).where(
        membership.c.account_id == account_id, membership.c.role == Role.OWNER
    )
    alone = db.execute(
        select(account.c.name)
        .join(membership, membership.c.organisation_id == account.c.id)
        .where(membership.c.organisation_id.in_(mine), membership.c.role == Role.OWNER)
        .group_by(account.c.name)
        .having(func.count() < 2)
    ).first()
    if alone is not None:
        raise Conflict(f"this is the last owner of {alone.name}; make somebody else an owner first")
