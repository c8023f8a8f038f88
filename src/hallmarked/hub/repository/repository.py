"""Repositories: make, find, change, move, delete, restore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from hallmarked.core.errors import Forbidden, InputError, NotFound
from hallmarked.hub.access import ALLOWED, ANYBODY, Action, Actor, Role, Scope, require, require_change
from hallmarked.hub.account.account import Account, find_account, organisations
from hallmarked.hub.catalog.listing import refresh
from hallmarked.hub.clock import now
from hallmarked.hub.database import in_parts
from hallmarked.hub.error import Conflict, RepositoryNotFound, Taken
from hallmarked.hub.kind import CLIENT_KINDS, KINDS
from hallmarked.hub.outbound.announcement import Occasion, announce
from hallmarked.hub.path import check_name
from hallmarked.hub.schema.account import account
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.repository import former_name, ref, repository, revision
from hallmarked.hub.trail import Tag, record

MAIN = "refs/heads/main"
VISIBILITIES = ("public", "private")
GATES = ("", "auto", "manual")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as it is now."""

    scope: Scope
    card: Mapping[str, Any]
    """Front matter of its README."""
    downloads: int
    likes: int
    created: int
    """Milliseconds since the epoch."""
    modified: int
    trending: int
    """Recent interest, see :mod:`hallmarked.hub.community.popularity`."""
    contexts: tuple[str, ...] = ()
    """Contexts in which it is judged besides those of the whole hub."""
    gates: tuple[str, ...] = ()
    """Those in which it has to pass before others get its files."""

    @property
    def id(self) -> str:
        """Its id."""
        return self.scope.id

    @property
    def name(self) -> str:
        """``owner/name``."""
        return self.scope.name


_columns = select(repository, account.c.name.label("owner"), account.c.disabled.label("owner_disabled")).join(
    account, account.c.id == repository.c.owner_id
)


def find_repository(db: Connection, kind: str, name: str) -> Repository:
    """Return a repository, also by a name it had before.

    Whoever asks has to go through :func:`hallmarked.hub.access.require` before anything of it is shown.

    Raises:
        RepositoryNotFound: When there is none.
    """
    row = _find(db, kind, name.lower())
    if row is None:
        raise RepositoryNotFound
    return _from_row(row)


def repository_of(db: Connection, repository_id: str) -> Repository:
    """Return the repository of an id, also one that is deleted and can be restored.

    Raises:
        RepositoryNotFound: When there is none (any more).
    """
    row = db.execute(_columns.where(repository.c.id == repository_id)).first()
    if row is None:
        raise RepositoryNotFound("there is no such repository any more")
    return _from_row(row)


def repositories_of(db: Connection, ids: Sequence[str]) -> list[Repository]:
    """Return the repositories of ids, in that order; those that are gone are left out."""
    rows = {row.id: row for row in db.execute(_columns.where(repository.c.id.in_(ids)))}
    return [_from_row(rows[each]) for each in ids if each in rows]


def create_repository(
    db: Connection, actor: Actor, kind: str, name: str, *, visibility: str = "", owner: str | None = None
) -> Repository:
    """Make a repository, without any revision.

    Args:
        db: A writing transaction.
        actor: Who makes it.
        kind: ``model``, ``dataset`` or ``system``.
        name: Without its owner.
        visibility: ``public`` or ``private``; empty for what its owner prefers.
        owner: A user or organisation; the actor when None.

    Raises:
        InputError: When the name is not accepted.
        Conflict: When there is one of that name.
        NotSignedIn: When the actor is nobody.
        Forbidden: When the actor may not write there.
    """
    home = owner_for(db, actor, owner)
    check_name(name)
    if kind not in KINDS or visibility not in ("", *VISIBILITIES):
        raise InputError(f"a repository is one of {', '.join(KINDS)}, and public or private")
    key = f"{home.name}/{name}".lower()
    if db.execute(select(repository.c.id).where(repository.c.kind == kind, repository.c.key == key)).first():
        raise _taken(kind, f"{home.name}/{name}")
    db.execute(delete(former_name).where(former_name.c.kind == kind, former_name.c.key == key))
    if not visibility:
        private = db.execute(select(account.c.private_by_default).where(account.c.id == home.id)).scalar_one()
        visibility = "private" if private else "public"
    time = now()
    made = new_id()
    db.execute(
        insert(repository).values(
            id=made, kind=kind, owner_id=home.id, name=name, key=key, visibility=visibility, created=time, modified=time
        )
    )
    refresh(db, made)
    record(db, actor, Tag.REPOSITORY_CREATED, f"repository:{made}", {"kind": kind, "visibility": visibility})
    repo = find_repository(db, kind, key)
    announce(db, repo.scope, Occasion("create", "repo", {}))
    return repo


def change_settings(
    db: Connection,
    repository_id: str,
    *,
    visibility: str | None = None,
    gate: str | None = None,
    by: Actor = ANYBODY,
) -> None:
    """Change who may see a repository, and who may get its files.

    Args:
        db: A writing transaction.
        repository_id: Of which repository.
        visibility: ``public`` or ``private``; None to leave it.
        gate: ``auto``, ``manual``, or empty for none; None to leave it.
        by: Who changes it.

    Raises:
        InputError: When a value is not one of those known.
    """
    if visibility is not None and visibility not in VISIBILITIES:
        raise InputError("a repository is 'public' or 'private'")
    if gate is not None and gate not in GATES:
        raise InputError("access is open, granted automatically ('auto') or decided by people ('manual')")
    tags = {"visibility": Tag.REPOSITORY_VISIBILITY_CHANGED, "gate": Tag.REPOSITORY_GATE_CHANGED}
    values = {"visibility": visibility, "gate": gate}
    old = db.execute(select(repository.c.visibility, repository.c.gate).where(repository.c.id == repository_id)).one()
    changed = {name: value for name, value in values.items() if value not in (None, getattr(old, name))}
    _change(db, repository_id, changed)
    for name, value in changed.items():
        record(db, by, tags[name], f"repository:{repository_id}", {"from": getattr(old, name), "to": value})
    if changed:
        scope = repository_of(db, repository_id).scope
        updated = {"private": scope.private} if "visibility" in changed else {}
        announce(db, scope, Occasion("update", "repo.config", {"updatedConfig": updated}))


def move_repository(db: Connection, actor: Actor, repo: Repository, target: str) -> Repository:
    """Give a repository another name or owner; the old name goes on to lead to it.

    Raises:
        InputError: When the new name is not accepted.
        Conflict: When it is taken.
        Forbidden: When the actor may not write there.
    """
    owner, _, name = target.partition("/")
    home = owner_for(db, actor, owner)
    check_name(name)
    key = f"{home.name}/{name}".lower()
    old = repo.name.lower()
    if key == old:
        return _move(db, actor, repo, home, {"name": name})
    kind = repo.scope.kind
    if db.execute(select(repository.c.id).where(repository.c.kind == kind, repository.c.key == key)).first():
        raise _taken(kind, f"{home.name}/{name}")
    db.execute(delete(former_name).where(former_name.c.kind == kind, former_name.c.key.in_((key, old))))
    db.execute(insert(former_name).values(kind=kind, key=old, repository_id=repo.id))
    return _move(db, actor, repo, home, {"name": name, "key": key, "owner_id": home.id})


def delete_repository(db: Connection, repository_id: str, *, by: Actor = ANYBODY) -> None:
    """Hide a repository from everybody; :func:`restore_repository` undoes it until it is purged."""
    announce(db, repository_of(db, repository_id).scope, Occasion("delete", "repo", {}))
    # The name becomes free at once, so the hidden one gets a key that nobody can ask for.
    _change(db, repository_id, {"deleted": now(), "key": f"deleted:{repository_id}"})
    record(db, by, Tag.REPOSITORY_DELETED, f"repository:{repository_id}")


def restore_repository(db: Connection, repository_id: str, *, by: Actor = ANYBODY) -> None:
    """Undo a deletion.

    Raises:
        NotFound: When there is nothing to restore.
        Conflict: When the name was taken meanwhile.
    """
    row = db.execute(_columns.where(repository.c.id == repository_id, repository.c.deleted.is_not(None))).first()
    if row is None:
        raise NotFound("there is no deleted repository of that id")
    key = f"{row.owner}/{row.name}".lower()
    if db.execute(select(repository.c.id).where(repository.c.kind == row.kind, repository.c.key == key)).first():
        raise Conflict(f"the name {row.owner}/{row.name} was taken meanwhile")
    _change(db, repository_id, {"deleted": None, "key": key})
    record(db, by, Tag.REPOSITORY_RESTORED, f"repository:{repository_id}")
    announce(db, repository_of(db, repository_id).scope, Occasion("create", "repo", {}))


def owner_for(db: Connection, actor: Actor, owner: str | None) -> Account:
    """Return the account under which an actor wants to keep a repository.

    Raises:
        NotSignedIn: When the actor is nobody.
        Forbidden: When it is not theirs.
        NotFound: When there is no such account.
    """
    me = require_change(actor)
    home = find_account(db, owner or actor.name)
    if home.id == me or actor.administrator:
        return home
    roles = {member.id: role for member, role in organisations(db, me)}
    if Action.WRITE not in ALLOWED.get(roles.get(home.id, Role.READER), frozenset()):
        raise Forbidden(f"you may not make repositories for {home.name}")
    return home


def load_repositories(db: Connection, ids: Sequence[str]) -> Sequence[Repository]:
    """Return repositories by id, in the order asked for; those deleted or absent are left out.

    Whoever asks has to see to it that their reader may know of them.
    """
    found: dict[str, Repository] = {}
    for part in in_parts(ids):
        where = (repository.c.id.in_(part), repository.c.deleted.is_(None))
        found |= {row.id: _from_row(row) for row in db.execute(_columns.where(*where))}
    return [found[one] for one in ids if one in found]


def find_heads(db: Connection, ids: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Return commits and trees that the main branches of repositories are at, by the repositories' ids."""
    found: dict[str, tuple[str, str]] = {}
    at = (revision.c.repository_id == ref.c.repository_id) & (revision.c.oid == ref.c.oid)
    heads = select(ref.c.repository_id, ref.c.oid, revision.c.tree).join(revision, at).where(ref.c.name == MAIN)
    for part in in_parts(ids):
        rows = db.execute(heads.where(ref.c.repository_id.in_(part)))
        found |= {row.repository_id: (row.oid, row.tree) for row in rows}
    return found


def open_repository(db: Connection, actor: Actor, kind: str, name: str, action: Action = Action.SEE) -> Repository:
    """Return a repository for an actor who may do something with it.

    Raises:
        RepositoryNotFound: When there is none, or the actor must not know.
        Forbidden: When the actor may not.
    """
    repo = find_repository(db, kind, name)
    require(db, actor, action, repo.scope)
    return repo


def _find(db: Connection, kind: str, key: str) -> Row[Any] | None:
    row = db.execute(_columns.where(repository.c.kind == kind, repository.c.key == key)).first()
    if row is not None:
        return row
    moved = former_name.c
    inner = select(moved.repository_id).where(moved.kind == kind, moved.key == key).scalar_subquery()
    return db.execute(_columns.where(repository.c.id == inner, repository.c.deleted.is_(None))).first()


def _taken(kind: str, name: str) -> Taken:
    return Taken(f"A {CLIENT_KINDS[kind]} repository called {name} already exists", kind, name)


def _from_row(row: Row[Any]) -> Repository:
    disabled = row.disabled or ("the account of its owner is disabled" if row.owner_disabled is not None else "")
    scope = Scope(
        row.id, row.kind, f"{row.owner}/{row.name}", row.owner_id, row.visibility == "private", row.gate, disabled,
        bool(row.gates),
    )  # fmt: skip
    return Repository(
        scope, row.card, row.downloads, row.likes, row.created, row.modified, row.trending, tuple(row.contexts),
        tuple(row.gates),
    )  # fmt: skip


def _move(db: Connection, actor: Actor, repo: Repository, home: Account, values: Mapping[str, Any]) -> Repository:
    _change(db, repo.id, values)
    record(db, actor, Tag.REPOSITORY_MOVED, f"repository:{repo.id}", {"owner": home.id})
    made = repository_of(db, repo.id)
    # Whoever watches the old name hears of the new one: the message names the old, as receivers know it.
    told = {"movedTo": {"name": made.name, "owner": {"id": home.id}}}
    announce(db, replace(made.scope, name=repo.name), Occasion("move", "repo", told), (made.name,))
    return made


def _change(db: Connection, repository_id: str, values: Mapping[str, Any]) -> None:
    if values:
        db.execute(update(repository).where(repository.c.id == repository_id).values(**values))
        refresh(db, repository_id)
