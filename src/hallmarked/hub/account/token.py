"""Tokens: how programs say for whom they work."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, update

from hallmarked.core.errors import InputError, NotFound
from hallmarked.hub.access import ANYBODY, Actor, Scope, may_see, require_person
from hallmarked.hub.account.notice import Kind, notify
from hallmarked.hub.account.secret import digest_secret, make_secret
from hallmarked.hub.clock import now
from hallmarked.hub.database import Database
from hallmarked.hub.schema.account import account, session, token
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.identity import acceptance
from hallmarked.hub.trail import Tag, record

PREFIX = "hm_"
"""Begins every token, so that scanners for secrets recognise it."""
SCOPES = ("read", "write")
MOST = 100
"""Tokens one account may have."""
MAX_NAME, MAX_REPOSITORIES = 100, 100
DAY = 86_400_000
"""Milliseconds."""
EVERY = 60_000
"""How often the times of last use are written down, milliseconds."""
_SHAPE = re.compile(rb"(?<![A-Za-z0-9_-])hm_[A-Za-z0-9_-]{40}(?![A-Za-z0-9_-])")


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; the token itself is not."""

    id: str
    name: str
    scope: str
    """``read`` or ``write``."""
    hint: str
    """Its last characters."""
    repositories: tuple[str, ...] | None
    """Ids of the only repositories it is for; None when it is for all."""
    created: int
    """Milliseconds since the epoch."""
    expires: int | None
    last_used: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token somebody asks for."""

    name: str
    scope: str = "read"
    days: int | None = None
    """How long it is valid; None for as long as it is not revoked."""
    repositories: Sequence[str] | None = None
    """Ids of the only repositories it is for; None for all."""


def create_token(
    db: Connection,
    account_id: str,
    name: str,
    *,
    scope: str = "write",
    expires: int | None = None,
    repositories: Sequence[str] | None = None,
) -> str:
    """Make a token; it is shown once, the hub keeps its digest only.

    Args:
        db: A writing transaction.
        account_id: Whose.
        name: What its owner calls it.
        scope: ``read`` or ``write``.
        expires: When it ends, in milliseconds since the epoch.
        repositories: Ids of the only repositories it is for.

    Raises:
        InputError: When something of it is not accepted.
    """
    if scope not in SCOPES:
        raise InputError("a token is for 'read' or for 'write'")
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise InputError(f"a token needs a name of at most {MAX_NAME} characters")
    if db.execute(select(func.count()).where(token.c.account_id == account_id)).scalar_one() >= MOST:
        raise InputError(f"an account has at most {MOST} tokens; revoke one that is not needed any more")
    text = make_secret(PREFIX)
    db.execute(
        insert(token).values(
            id=new_id(),
            account_id=account_id,
            digest=digest_secret(text),
            name=name.strip(),
            scope=scope,
            repositories=None if repositories is None else list(repositories),
            hint=text[-4:],
            created=now(),
            expires=expires,
        )
    )
    return text


def issue_token(db: Connection, actor: Actor, wanted: Wanted) -> str:
    """Make a token for who asks.

    Raises:
        Forbidden: When they did not sign in with a browser.
        InputError: When something of it is not accepted.
    """
    me = require_person(actor)
    if wanted.days is not None and not 0 < wanted.days <= 3650:
        raise InputError("a token is valid for 1 to 3650 days, or until it is revoked")
    only = None if wanted.repositories is None else list(wanted.repositories)
    if only is not None and not 0 < len(only) <= MAX_REPOSITORIES:
        raise InputError(f"name 1 to {MAX_REPOSITORIES} repositories, or let the token be for all")
    expires = None if wanted.days is None else now() + wanted.days * DAY
    text = create_token(db, me, wanted.name, scope=wanted.scope, expires=expires, repositories=only)
    data = {"name": wanted.name, "scope": wanted.scope, "expires": expires, "repositories": only}
    record(db, actor, Tag.TOKEN_CREATED, f"account:{me}", data)
    return text


def list_tokens(db: Connection, account_id: str) -> list[Token]:
    """Return somebody's tokens, the newest first."""
    rows = db.execute(select(token).where(token.c.account_id == account_id).order_by(token.c.created.desc()))
    return [
        Token(
            row.id,
            row.name,
            row.scope,
            row.hint,
            None if row.repositories is None else tuple(row.repositories),
            row.created,
            row.expires,
            row.last_used,
        )
        for row in rows
    ]


def revoke_token(db: Connection, actor: Actor, token_id: str) -> None:
    """End a token of the actor's; a token may end itself, whatever else it may.

    Raises:
        Forbidden: When they did not sign in with a browser, and it is another token.
        NotFound: When they have no such token.
    """
    if not (token_id and token_id == actor.token_id):
        require_person(actor)
    where = (token.c.id == token_id, token.c.account_id == actor.account_id)
    if not db.execute(delete(token).where(*where)).rowcount:
        raise NotFound("you have no such token")
    record(db, actor, Tag.TOKEN_REVOKED, f"account:{actor.account_id}", {"token": token_id})


def find_tokens(data: bytes) -> set[str]:
    """Return what looks like tokens of this hub in a file."""
    return {match.group().decode() for match in _SHAPE.finditer(data)}


def revoke_leaked(db: Connection, data: bytes, scope: Scope, path: str) -> int:
    """End every token of this hub that stands in a file somebody pushed, and tell its owner.

    Args:
        db: A writing transaction.
        data: The file.
        scope: The repository it was pushed to; its name is told to those only who may see it.
        path: Of the file.

    Returns:
        How many were ended.
    """
    count = 0
    for text in sorted(find_tokens(data))[:MOST]:
        row = db.execute(select(token).where(token.c.digest == digest_secret(text))).first()
        if row is None:
            continue
        db.execute(delete(token).where(token.c.id == row.id))
        record(db, ANYBODY, Tag.TOKEN_LEAKED, f"account:{row.account_id}", {"token": row.id, "repository": scope.id})
        owner = Actor(row.account_id)
        seen = may_see(db, owner, scope)
        place = f"{scope.name}, {path}" if seen else "a file of a repository that you do not see"
        said = f"Your token {row.name} was found in {place} and does not work any more; make a new one if you need it."
        notify(db, row.account_id, Kind.TOKEN_LEAKED, said, "/settings/tokens")
        count += 1
    return count


def actor_of_token(db: Connection, text: str, terms: str = "") -> Actor | None:
    """Return who a token speaks for; None when it is not valid (any more).

    Args:
        db: A transaction.
        text: The token.
        terms: The version of the terms of service in force; empty when there are none.
    """
    accepted = and_(acceptance.c.account_id == account.c.id, acceptance.c.version == terms)
    row = db.execute(
        select(
            token.c.id.label("token_id"),
            token.c.scope,
            token.c.expires,
            token.c.repositories,
            acceptance.c.version,
            account.c.id,
            account.c.name,
            account.c.administrator,
        )
        .join(account, account.c.id == token.c.account_id)
        .outerjoin(acceptance, accepted)
        .where(token.c.digest == digest_secret(text), account.c.disabled.is_(None))
    ).first()
    if row is None or (row.expires is not None and row.expires <= now()):
        return None
    return Actor(
        row.id,
        row.name,
        row.administrator,
        row.scope == "write",
        repositories=None if row.repositories is None else frozenset(row.repositories),
        agreed=not terms or row.version is not None,
        token_id=row.token_id,
    )


class Uses:
    """Collects when tokens and sessions were last used, so that reading does not mean writing.

    May be shared between threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], int] = {}
        self._written = now()

    def note(self, actor: Actor) -> None:
        """Remember that an actor's token or session is used now."""
        with self._lock:
            for kind, name in (("token", actor.token_id), ("session", actor.session_id)):
                if name:
                    self._seen[kind, name] = now()

    @property
    def due(self) -> bool:
        """Whether it is time to write down what was collected."""
        return bool(self._seen) and now() - self._written >= EVERY

    def write(self, database: Database) -> None:
        """Write down what was collected.

        Raises:
            BackendError: When the database cannot be written; then the times are lost, which harms nobody.
        """
        with self._lock:
            seen, self._seen, self._written = self._seen, {}, now()
        if not seen:
            return
        with database.write() as db:
            for table in (token, session):
                rows = [{"of": name, "at": time} for (kind, name), time in sorted(seen.items()) if kind == table.name]
                if rows:
                    changed = update(table).where(table.c.id == bindparam("of")).values(last_used=bindparam("at"))
                    db.execute(changed, rows)
