"""Accounts: users and organisations; who belongs to which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from hallmarked.core.errors import InputError, NotFound
from hallmarked.hub.access import ANYBODY, Actor, Role
from hallmarked.hub.clock import now
from hallmarked.hub.database import in_parts
from hallmarked.hub.error import Conflict
from hallmarked.hub.path import check_name
from hallmarked.hub.schema.account import account, membership
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.trail import Tag, record

RESERVED = frozenset(
    (
        "about",
        "access",
        "account",
        "accounts",
        "admin",
        "api",
        "assets",
        "audit",
        "consent",
        "datasets",
        "docs",
        "health",
        "help",
        "index",
        "join",
        "ledger",
        "likes",
        "login",
        "logout",
        "metrics",
        "models",
        "moderation",
        "new",
        "notifications",
        "openapi",
        "organizations",
        "report",
        "resolve",
        "robots.txt",
        "search",
        "settings",
        "spaces",
        "static",
        "status",
        "systems",
        "tos",
        "v1",
        "welcome",
        "xet",
    )
)
"""Names that pages have."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user or an organisation."""

    id: str
    kind: str
    """``user`` or ``organisation``."""
    name: str
    full_name: str
    email: str
    administrator: bool


MAX_FULL_NAME, MAX_EMAIL = 120, 254
"""Characters."""


def create_account(
    db: Connection,
    name: str,
    *,
    kind: str = "user",
    full_name: str = "",
    email: str = "",
    administrator: bool = False,
    by: Actor = ANYBODY,
) -> Account:
    """Make an account; a user's password is set apart from it.

    Raises:
        InputError: When the name is not accepted.
        Conflict: When it is taken.
    """
    if check_name(name, "account").lower() in RESERVED:
        raise InputError(f"{name} is the address of a page; choose another name")
    _check_person(full_name, email)
    if db.execute(select(account.c.id).where(account.c.key == name.lower())).first():
        raise Conflict(f"the name {name} is taken")
    made = Account(new_id(), kind, name, full_name or name, email, administrator)
    db.execute(
        insert(account).values(
            id=made.id, kind=kind, name=name, key=name.lower(), full_name=made.full_name, email=email,
            administrator=administrator, created=now(),
        )
    )  # fmt: skip
    tag = Tag.ACCOUNT_CREATED if kind == "user" else Tag.ORGANISATION_CREATED
    record(db, by, tag, f"account:{made.id}", {"administrator": administrator})
    return made


def find_account(db: Connection, name: str, *, kind: str = "", disabled: bool = False) -> Account:
    """Return the account of a name.

    Args:
        db: A transaction.
        name: In whatever case.
        kind: ``user`` or ``organisation``; empty for either.
        disabled: Whether to find also one that is disabled.

    Raises:
        NotFound: When there is none.
    """
    row = db.execute(select(account).where(account.c.key == name.lower())).first()
    if row is None or (row.disabled is not None and not disabled) or kind not in ("", row.kind):
        raise NotFound(f"there is no {kind or 'account'} {name[:100]}")
    return from_row(row)


def read_account(db: Connection, account_id: str) -> Account:
    """Return the account of an id, also a disabled one.

    Raises:
        NotFound: When there is none.
    """
    row = db.execute(select(account).where(account.c.id == account_id)).first()
    if row is None:
        raise NotFound("there is no such account")
    return from_row(row)


@dataclass(frozen=True, slots=True)
class Listed:
    """An account, for whoever manages the hub."""

    account: Account
    created: int
    """Milliseconds since the epoch."""
    disabled: bool


def list_accounts(db: Connection, *, after: str = "", limit: int = 100) -> list[Listed]:
    """Return accounts by name, those after a name; only for administrators."""
    rows = db.execute(select(account).where(account.c.key > after.lower()).order_by(account.c.key).limit(limit))
    return [Listed(from_row(row), row.created, row.disabled is not None) for row in rows]


def change_account(
    db: Connection,
    account_id: str,
    *,
    full_name: str | None = None,
    email: str | None = None,
    language: str | None = None,
) -> None:
    """Change what somebody says of themselves; what is None stays.

    Raises:
        InputError: When something of it is not accepted.
    """
    _check_person(full_name or "", email or "")
    if language is not None and not (len(language) <= 20 and language.isascii() and language.isprintable()):
        raise InputError("the language is not one")
    values = {"full_name": full_name, "email": email, "language": language}
    changed = {name: value for name, value in values.items() if value is not None}
    if changed:
        db.execute(update(account).where(account.c.id == account_id).values(**changed))


def set_role(db: Connection, organisation_id: str, account_id: str, role: Role) -> None:
    """Make somebody a member of an organisation, or give them another role."""
    where = (membership.c.organisation_id == organisation_id, membership.c.account_id == account_id)
    if not db.execute(update(membership).where(*where).values(role=role)).rowcount:
        db.execute(
            insert(membership).values(organisation_id=organisation_id, account_id=account_id, role=role, created=now())
        )


def organisations(db: Connection, account_id: str) -> list[tuple[Account, Role]]:
    """Return the organisations somebody belongs to, and as what, by name."""
    rows = db.execute(
        select(account, membership.c.role)
        .join(membership, membership.c.organisation_id == account.c.id)
        .where(membership.c.account_id == account_id, account.c.disabled.is_(None))
        .order_by(account.c.key)
    )
    return [(from_row(row), Role(row.role)) for row in rows]


def from_row(row: Row[Any]) -> Account:
    """Read an account from a row that has the columns of its table."""
    return Account(row.id, row.kind, row.name, row.full_name, row.email, row.administrator)


def names_of(db: Connection, ids: Iterable[str | None]) -> dict[str, str]:
    """Return the names of accounts by id; those that are gone are left out."""
    wanted = {each for each in ids if each}
    found: dict[str, str] = {}
    for part in in_parts(wanted):
        found |= {
            row.id: row.name for row in db.execute(select(account.c.id, account.c.name).where(account.c.id.in_(part)))
        }
    return found


def _check_person(full_name: str, email: str) -> None:
    if len(full_name) > MAX_FULL_NAME or not full_name.isprintable() or (email and not _is_email(email)):
        raise InputError("the full name is too long, or the e-mail address is not one")


def _is_email(text: str) -> bool:
    before, _, after = text.partition("@")
    plain = text.isprintable() and not any(char in text for char in ' ,;<>"\\')
    return bool(before and after) and "@" not in after and len(text) <= MAX_EMAIL and plain
