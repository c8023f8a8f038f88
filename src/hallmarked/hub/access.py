"""Who may do what: the one function that every route asks before it shows or changes anything.

Facts are read first (:func:`load_standing`), the decision is then a pure function of them (:func:`decide`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select

from hallmarked.core.errors import Forbidden
from hallmarked.hub.clock import now
from hallmarked.hub.error import Gated, HeldBack, NotSignedIn, RepositoryNotFound, TermsNotAccepted
from hallmarked.hub.schema.account import membership
from hallmarked.hub.schema.gate import access_request
from hallmarked.hub.schema.repository import collaborator


class Role(StrEnum):
    """What somebody is to a repository, by themselves or through its organisation."""

    OWNER = "owner"
    WRITER = "writer"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    READER = "reader"


class Action(StrEnum):
    """What somebody wants to do with a repository."""

    SEE = "see"
    """Know that it exists; read its card, its file names and its evidence."""
    READ = "read"
    """Get the bytes of its files."""
    READ_HELD = "read-held"
    """Get the bytes of a revision that is held back or not checked yet."""
    DISCUSS = "discuss"
    """Open and answer discussions and pull requests; like."""
    ATTEST = "attest"
    """Bring signed evidence about it."""
    RECORD = "record"
    """File records about it: waivers, disputes, decisions."""
    WRITE = "write"
    """Commit, and make branches and tags."""
    REVIEW = "review"
    """Decide on access requests, and on what is held back."""
    MANAGE = "manage"
    """Change settings and people; move; delete."""


_EVERYBODY = frozenset({Action.SEE, Action.READ})
_READER = _EVERYBODY | {Action.DISCUSS, Action.ATTEST}
ALLOWED: dict[Role, frozenset[Action]] = {
    Role.READER: _READER,
    Role.AUDITOR: _READER | {Action.READ_HELD, Action.RECORD},
    Role.REVIEWER: _READER | {Action.READ_HELD, Action.RECORD, Action.REVIEW},
    Role.WRITER: _READER | {Action.READ_HELD, Action.RECORD, Action.WRITE},
    Role.OWNER: frozenset(Action),
}
"""What each role may do."""
CHANGES = frozenset({Action.DISCUSS, Action.ATTEST, Action.RECORD, Action.WRITE, Action.REVIEW, Action.MANAGE})
"""What a token that only reads cannot do."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks."""

    account_id: str | None = None
    """None for somebody who did not sign in."""
    name: str = ""
    administrator: bool = False
    writes: bool = True
    """False when the token is for reading only."""
    repositories: frozenset[str] | None = None
    """Ids of the only repositories the token is for; None when it is for all."""
    in_person: bool = False
    """Whether somebody signed in with a browser, instead of giving a token to a program."""
    agreed: bool = True
    """False while the terms of service in force were not accepted."""
    token_id: str = ""
    """Of the token that speaks; empty for somebody who signed in."""
    session_id: str = ""
    """Of the browser's session; empty for a token."""
    language: str = ""
    """Which one they chose to read in; empty when they chose none."""

    @property
    def known(self) -> bool:
        """Whether somebody signed in."""
        return self.account_id is not None


ANYBODY = Actor()


@dataclass(frozen=True, slots=True)
class Scope:
    """What a decision needs to know of a repository."""

    id: str
    kind: str
    name: str
    """``owner/name``."""
    owner_id: str
    private: bool
    gate: str
    """``""``, ``auto`` or ``manual``."""
    disabled: str
    """Why nobody but its owner sees it; empty when it is not disabled."""
    strict: bool = False
    """Whether it has to pass in a context before others get any file, so that none is given out before it is judged."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is to a repository."""

    roles: frozenset[Role] = frozenset()
    granted: bool = False
    """Whether an access request of theirs was accepted and has not run out."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """What a decision needs to know of a file that is asked for."""

    state: str
    """Of the revision: ``checking``, ``available``, ``held`` or ``unknown``."""
    lenient: bool
    """Whether the hub's policy serves such a file although the audit is not in, see ``hub.review``."""
    reason: str = ""
    """Why the revision is in its state."""


def load_standing(db: Connection, actor: Actor, scope: Scope) -> Standing:
    """Read what an actor is to a repository."""
    if actor.account_id is None:
        return Standing()
    roles = {Role.OWNER} if actor.account_id == scope.owner_id or actor.administrator else set()
    mine = actor.account_id
    rows = db.execute(
        select(membership.c.role)
        .where(membership.c.organisation_id == scope.owner_id, membership.c.account_id == mine)
        .union(
            select(collaborator.c.role).where(
                collaborator.c.repository_id == scope.id, collaborator.c.account_id == mine
            )
        )
    )
    roles |= {Role(row.role) for row in rows}
    asked = access_request.c
    granted = (
        not scope.gate
        or db.execute(
            select(asked.expires).where(
                asked.repository_id == scope.id, asked.account_id == mine, asked.status == "accepted"
            )
        ).first()
    )
    if granted and granted is not True:
        granted = granted.expires is None or granted.expires > now()
    return Standing(frozenset(roles), bool(granted))


def decide(
    actor: Actor, action: Action, scope: Scope, standing: Standing, wanted: Bytes | None = None
) -> Forbidden | RepositoryNotFound | None:
    """Decide whether an actor may do something.

    Args:
        actor: Who.
        action: What.
        scope: With which repository.
        standing: What the actor is to it.
        wanted: The file, when bytes are asked for.

    Returns:
        None when they may, otherwise why not.
    """
    elsewhere = actor.repositories is not None and scope.id not in actor.repositories
    if elsewhere:
        standing = Standing()  # whoever has the token is to other repositories what a stranger is
    allowed: set[Action] = set().union(*(ALLOWED[role] for role in standing.roles)) if standing.roles else set()
    inside = bool(standing.roles)
    if (scope.private and not inside) or (scope.disabled and Action.MANAGE not in allowed):
        return RepositoryNotFound()  # which names nothing: the name it has now may be another than was asked for
    if action in CHANGES and (refusal := refuse_change(actor)):
        return refusal
    if action in CHANGES and elsewhere:
        return Forbidden(f"this token is for other repositories, not for {scope.name}")
    if not scope.private:
        allowed |= _READER if actor.known else _EVERYBODY
    if action not in allowed:
        return Forbidden(f"you may not {action} {scope.name}")
    if action in (Action.READ, Action.ATTEST) and scope.gate and not inside and not standing.granted:
        return _refuse_gate(actor, scope)
    return _refuse_bytes(allowed, scope, wanted)


def refuse_change(actor: Actor) -> Forbidden | None:
    """Say why an actor may not change anything, wherever it is; None when that is not so."""
    if not actor.known:
        return NotSignedIn("sign in first: nobody without an account may do that")
    if not actor.writes:
        return Forbidden("this token is for reading only; use one that may write")
    if not actor.agreed:
        return TermsNotAccepted("accept the terms of service first: they are on the page /tos")
    return None


def require_change(actor: Actor) -> str:
    """Return the id of who wants to change something that is not a repository.

    Raises:
        Forbidden: When they may not; its subclass says why.
    """
    if refusal := refuse_change(actor):
        raise refusal
    if actor.repositories is not None:
        raise Forbidden("this token is for some repositories only; use another one")
    assert actor.account_id is not None
    return actor.account_id


def require_person(actor: Actor) -> str:
    """Return the id of who wants to change how accounts are entered; a token is not enough for that.

    Raises:
        Forbidden: When they may not; its subclass says why.
    """
    if actor.known and not actor.in_person:
        raise Forbidden("this needs somebody who signed in with a browser; a token is not enough")
    return require_change(actor)


def require_administrator(actor: Actor) -> str:
    """Return the id of who wants to change something of the whole hub.

    Raises:
        Forbidden: When they may not; its subclass says why.
    """
    found = require_change(actor)
    if not actor.administrator:
        raise Forbidden("only an administrator of this hub may do that")
    return found


def require(db: Connection, actor: Actor, action: Action, scope: Scope, wanted: Bytes | None = None) -> None:
    """Refuse unless :func:`decide` allows.

    Raises:
        Forbidden: When the actor may not; its subclass says why.
        RepositoryNotFound: When the actor must not learn that the repository exists.
    """
    refusal = decide(actor, action, scope, load_standing(db, actor, scope), wanted)
    if refusal is not None:
        raise refusal


def may_see(db: Connection, actor: Actor, scope: Scope) -> bool:
    """Say whether an actor may know of a repository; public ones need no question to the database."""
    if not scope.private and not scope.disabled:
        return True
    return decide(actor, Action.SEE, scope, load_standing(db, actor, scope)) is None


def _refuse_gate(actor: Actor, scope: Scope) -> Gated:
    if not actor.known:
        return Gated(f"Access to {scope.kind} {scope.name} is restricted: sign in, then ask for it on its page")
    # NOTE: clients know the first half of this wording
    return Gated(
        f"Access to {scope.kind} {scope.name} is restricted and you are not in the authorized list:"
        " ask for it on its page"
    )


def _refuse_bytes(allowed: set[Action], scope: Scope, wanted: Bytes | None) -> HeldBack | None:
    if wanted is None or Action.READ_HELD in allowed or wanted.state == "available":
        return None
    if wanted.state != "held" and wanted.lenient and not scope.strict:
        return None
    why = {
        "checking": "is being checked; try again in a while",
        "unknown": "could not be checked completely; its owner or a reviewer can say more",
    }.get(wanted.state, f"is held back: {wanted.reason or 'a check found something dangerous'}")
    return HeldBack(f"this revision of {scope.name} {why}")
