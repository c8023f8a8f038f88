"""People who may do more with one repository than others, without belonging to its owner's organisation."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from hallmarked.core.errors import InputError, NotFound
from hallmarked.hub.access import Action, Actor, Role, require
from hallmarked.hub.account.account import find_account
from hallmarked.hub.clock import now
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.schema.account import account, membership
from hallmarked.hub.schema.repository import collaborator
from hallmarked.hub.trail import Tag, record

MOST = 200
"""People of one repository."""


@dataclass(frozen=True, slots=True)
class Collaborator:
    """Somebody with a role in one repository."""

    name: str
    full_name: str
    role: Role
    since: int
    """Milliseconds since the epoch."""


def list_collaborators(db: Connection, repo: Repository) -> list[Collaborator]:
    """Return who has a role in a repository itself; the caller has asked whether the actor may know."""
    rows = db.execute(
        select(account.c.name, account.c.full_name, collaborator.c.role, collaborator.c.created)
        .join(account, account.c.id == collaborator.c.account_id)
        .where(collaborator.c.repository_id == repo.id)
        .order_by(account.c.key)
    )
    return [Collaborator(row.name, row.full_name, Role(row.role), row.created) for row in rows]


def list_owners(db: Connection, repo: Repository, *others: str | None) -> list[str]:
    """Return the ids of the people whose repository it is, and of some others, each once; those who may be told."""
    mine = membership.c
    owners = select(mine.account_id).where(mine.organisation_id == repo.scope.owner_id, mine.role == Role.OWNER)
    people = {*db.execute(owners).scalars(), repo.scope.owner_id, *others} - {None}
    users = select(account.c.id).where(account.c.id.in_(people), account.c.kind == "user")
    return list(db.execute(users).scalars())


def set_collaborator(db: Connection, actor: Actor, repo: Repository, name: str, role: Role | None) -> None:
    """Give somebody a role in a repository, or take it away.

    Args:
        db: A writing transaction.
        actor: Who manages the repository.
        repo: The repository.
        name: Whose role.
        role: Which; None for none.

    Raises:
        Forbidden: When the actor may not manage the repository.
        NotFound: When there is no such person, or they have no role to be taken away.
        InputError: When the repository has too many people.
    """
    require(db, actor, Action.MANAGE, repo.scope)
    who = find_account(db, name, kind="user")
    where = (collaborator.c.repository_id == repo.id, collaborator.c.account_id == who.id)
    if role is None:
        if not db.execute(delete(collaborator).where(*where)).rowcount:
            raise NotFound(f"{who.name} has no role in {repo.name}")
    elif not db.execute(update(collaborator).where(*where).values(role=role)).rowcount:
        here = select(func.count()).where(collaborator.c.repository_id == repo.id)
        if db.execute(here).scalar_one() >= MOST:
            raise InputError(f"a repository has at most {MOST} people of its own; make an organisation for more")
        row = {"repository_id": repo.id, "account_id": who.id, "role": role, "created": now()}
        db.execute(insert(collaborator).values(**row))
    record(db, actor, Tag.COLLABORATOR_CHANGED, f"repository:{repo.id}", {"account": who.id, "role": role})
