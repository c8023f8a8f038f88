"""Accounts and the tokens that programs use."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from hallmarked.core.errors import InputError, NotFound
from hallmarked.hub.access import Actor, Role
from hallmarked.hub.clock import now
from hallmarked.hub.error import Conflict
from hallmarked.hub.path import check_name
from hallmarked.hub.schema.account import account, membership, token
from hallmarked.hub.schema.base import new_id

MANY = 500
"""Ids named in one query; databases bound the number of parameters."""
PREFIX = "hm_"
"""Begins every token, so that scanners for secrets recognise it."""
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
        "datasets",
        "docs",
        "health",
        "help",
        "join",
        "ledger",
        "login",
        "logout",
        "metrics",
        "models",
        "moderation",
        "new",
        "notifications",
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


def create_account(
    db: Connection, name: str, *, kind: str = "user", full_name: str = "", email: str = "", administrator: bool = False
) -> Account:
    """Make an account; a user's password is set apart from it.

    Raises:
        InputError: When the name is not accepted.
        Conflict: When it is taken.
    """
    if check_name(name, "account").lower() in RESERVED:
        raise InputError(f"{name} is the address of a page; choose another name")
    if db.execute(select(account.c.id).where(account.c.key == name.lower())).first():
        raise Conflict(f"the name {name} is taken")
    made = Account(new_id(), kind, name, full_name or name, email, administrator)
    db.execute(
        insert(account).values(
            id=made.id, kind=kind, name=name, key=name.lower(), full_name=made.full_name, email=email,
            administrator=administrator, created=now(),
        )
    )  # fmt: skip
    return made


def find_account(db: Connection, name: str) -> Account:
    """Return the account of a name.

    Raises:
        NotFound: When there is none.
    """
    row = db.execute(select(account).where(account.c.key == name.lower(), account.c.disabled.is_(None))).first()
    if row is None:
        raise NotFound(f"there is no account {name[:100]}")
    return Account(row.id, row.kind, row.name, row.full_name, row.email, row.administrator)


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
        .where(membership.c.account_id == account_id)
        .order_by(account.c.key)
    )
    return [
        (Account(row.id, row.kind, row.name, row.full_name, row.email, row.administrator), Role(row.role))
        for row in rows
    ]


def create_token(
    db: Connection, account_id: str, name: str, *, scope: str = "write", expires: int | None = None
) -> str:
    """Make a token; it is shown once, the hub keeps its digest only.

    Args:
        db: A writing transaction.
        account_id: Whose.
        name: What its owner calls it.
        scope: ``read`` or ``write``.
        expires: When it ends, in milliseconds since the epoch.
    """
    if scope not in ("read", "write"):
        raise InputError("a token is for 'read' or for 'write'")
    text = PREFIX + secrets.token_urlsafe(30)
    db.execute(
        insert(token).values(
            id=new_id(),
            account_id=account_id,
            digest=_digest(text),
            name=name,
            scope=scope,
            created=now(),
            expires=expires,
        )
    )
    return text


def actor_of_token(db: Connection, text: str) -> Actor | None:
    """Return who a token speaks for; None when it is not valid (any more)."""
    row = db.execute(
        select(token.c.scope, token.c.expires, account)
        .join(account, account.c.id == token.c.account_id)
        .where(token.c.digest == _digest(text), account.c.disabled.is_(None))
    ).first()
    if row is None or (row.expires is not None and row.expires <= now()):
        return None
    return Actor(row.id, row.name, row.administrator, row.scope == "write")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def names_of(db: Connection, ids: Iterable[str | None]) -> dict[str, str]:
    """Return the names of accounts by id; those that are gone are left out."""
    wanted = {each for each in ids if each}
    found: dict[str, str] = {}
    for start in range(0, len(wanted), MANY):
        part = sorted(wanted)[start : start + MANY]
        found |= {
            row.id: row.name for row in db.execute(select(account.c.id, account.c.name).where(account.c.id.in_(part)))
        }
    return found
