"""Signing in with a browser: sessions, which end, and can be ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, and_, delete, insert, select, update

from hallmarked.core.errors import BackendError, NotFound
from hallmarked.hub.access import ANYBODY, Actor, require_person
from hallmarked.hub.account.account import Account, from_row
from hallmarked.hub.account.password import check_password, hash_password, verify_password
from hallmarked.hub.account.secret import digest_secret, make_secret
from hallmarked.hub.clock import now
from hallmarked.hub.database import Database
from hallmarked.hub.error import NotSignedIn
from hallmarked.hub.schema.account import account, session
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.identity import acceptance
from hallmarked.hub.trail import Tag, record

DAYS = 14
"""How long a session lasts."""
MILLISECONDS = DAYS * 86_400_000
MAX_AGENT = 200
AT_ONCE = 2
"""Passwords checked at once by a process: each check takes 64 MiB of memory on purpose."""
PATIENCE = 10
"""Seconds somebody waits for their turn."""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which somebody is signed in."""

    id: str
    agent: str
    """The browser, as it names itself."""
    created: int
    """Milliseconds since the epoch."""
    expires: int
    last_used: int
    """About when; likewise."""


def sign_in(database: Database, name: str, password: str, agent: str = "") -> tuple[Account, str]:
    """Check a name and a password, and begin a session.

    The password is checked outside of any transaction, since that takes long on purpose.

    Args:
        database: The hub's.
        name: Of the account.
        password: As it was typed.
        agent: The browser, as it names itself.

    Returns:
        Whose account it is, and the value of the session's cookie.

    Raises:
        NotSignedIn: When they are wrong together; which of them is wrong is not said.
        BackendError: When too many passwords are being checked.
    """
    where = (account.c.key == name[:200].lower(), account.c.kind == "user", account.c.disabled.is_(None))
    with database.read() as db:
        row = db.execute(select(account).where(*where)).first()
    with _turn():
        matches = verify_password(row.password if row else "", password)
    if row is None or not matches:
        raise NotSignedIn("the name or the password is wrong")
    with database.write() as db:
        return from_row(row), begin_session(db, row.id, agent)


def begin_session(db: Connection, account_id: str, agent: str = "") -> str:
    """Begin a session of somebody whose identity was checked; return the value of its cookie."""
    time = now()
    db.execute(delete(session).where(session.c.expires <= time))
    cookie = make_secret()
    plain = "".join(char for char in agent if char.isprintable())[:MAX_AGENT]
    db.execute(
        insert(session).values(
            id=new_id(),
            digest=digest_secret(cookie),
            account_id=account_id,
            agent=plain,
            created=time,
            expires=time + MILLISECONDS,
        )
    )
    return cookie


def actor_of_session(db: Connection, cookie: str, terms: str = "") -> Actor | None:
    """Return who is signed in with a cookie; None when its session has ended.

    Args:
        db: A transaction.
        cookie: Its value.
        terms: The version of the terms of service in force; empty when there are none.
    """
    accepted = and_(acceptance.c.account_id == account.c.id, acceptance.c.version == terms)
    row = db.execute(
        select(
            account.c.id,
            account.c.name,
            account.c.administrator,
            account.c.language,
            acceptance.c.version,
            session.c.id.label("session_id"),
        )
        .join(session, session.c.account_id == account.c.id)
        .outerjoin(acceptance, accepted)
        .where(session.c.digest == digest_secret(cookie), session.c.expires > now(), account.c.disabled.is_(None))
    ).first()
    if row is None:
        return None
    agreed = not terms or row.version is not None
    return Actor(
        row.id, row.name, row.administrator, in_person=True, agreed=agreed, language=row.language,
        session_id=row.session_id,
    )  # fmt: skip


def list_sessions(db: Connection, account_id: str) -> list[Session]:
    """Return the browsers in which somebody is signed in, the newest first."""
    where = (session.c.account_id == account_id, session.c.expires > now())
    rows = db.execute(select(session).where(*where).order_by(session.c.created.desc()))
    return [Session(row.id, row.agent, row.created, row.expires, row.last_used or row.created) for row in rows]


def end_session(db: Connection, actor: Actor, session_id: str) -> None:
    """End one of the actor's sessions.

    Raises:
        Forbidden: When they did not sign in with a browser.
        NotFound: When they have no such session.
    """
    me = require_person(actor)
    if not db.execute(delete(session).where(session.c.id == session_id, session.c.account_id == me)).rowcount:
        raise NotFound("you have no such session")
    record(db, actor, Tag.SESSION_ENDED, f"account:{me}", {"session": session_id})


def sign_out(db: Connection, cookie: str) -> None:
    """End the session of a cookie, if there is one."""
    db.execute(delete(session).where(session.c.digest == digest_secret(cookie)))


def end_sessions(db: Connection, account_id: str) -> None:
    """End all sessions of somebody."""
    db.execute(delete(session).where(session.c.account_id == account_id))


def change_password(database: Database, actor: Actor, old: str, new: str, agent: str = "") -> str:
    """Give the actor another password; all their sessions end, and a new one begins.

    Returns:
        The value of the new session's cookie.

    Raises:
        Forbidden: When they did not sign in with a browser, or the old password is wrong.
        InputError: When the new password is not accepted.
    """
    me = require_person(actor)
    with database.read() as db:
        row = db.execute(select(account).where(account.c.id == me)).one()
    check_password(new, row.name, row.email)
    with _turn():
        if row.password and not verify_password(row.password, old):
            raise NotSignedIn("the old password is wrong")
        kept = hash_password(new)
    with database.write() as db:
        set_password(db, me, kept, by=actor)
        return begin_session(db, me, agent)


def set_password(db: Connection, account_id: str, kept: str, *, by: Actor = ANYBODY) -> None:
    """Keep another password for somebody, and end all their sessions.

    Args:
        db: A writing transaction.
        account_id: Whose.
        kept: What :func:`hallmarked.hub.account.password.hash_password` made of it.
        by: Who does it; nobody when it is done beside the hub's pages.
    """
    db.execute(update(account).where(account.c.id == account_id).values(password=kept))
    end_sessions(db, account_id)
    record(db, by, Tag.ACCOUNT_PASSWORD_CHANGED, f"account:{account_id}")


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns().acquire(timeout=PATIENCE):
        raise BackendError("too many people sign in at this moment; try again in a few seconds")
    try:
        yield
    finally:
        _turns().release()


@cache
def _turns() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(AT_ONCE)
