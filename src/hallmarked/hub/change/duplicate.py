"""Copy a repository, with its history, to another name."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, literal, select

from hallmarked.hub.access import Action, Actor, Bytes, require
from hallmarked.hub.change.commit import follow_main
from hallmarked.hub.error import HeldBack
from hallmarked.hub.repository.repository import MAIN, Repository, change_settings, create_repository
from hallmarked.hub.repository.revision import HEADS, TAGS, find_revision
from hallmarked.hub.review.carry import list_holds
from hallmarked.hub.schema.object import usage
from hallmarked.hub.schema.repository import ref, revision
from hallmarked.hub.setting import Policy


@dataclass(frozen=True, slots=True)
class Copy:
    """What a copy is to be."""

    name: str
    """Without its owner."""
    owner: str | None = None
    """A user or organisation; the actor when None."""
    visibility: str = ""
    """``public`` or ``private``; empty for what its owner prefers."""


def duplicate(db: Connection, actor: Actor, source: Repository, copy: Copy, policy: Policy) -> Repository:
    """Copy branches, tags and history of a repository; nothing is sent again, as all bytes are kept once.

    The copy keeps the gate of its source. All its revisions are checked anew, for the copy's own evidence.

    Args:
        db: A writing transaction.
        actor: Who copies: somebody who may get every file of the source.
        source: What is copied.
        copy: What becomes of it.
        policy: Says what others may have while a revision is being checked.

    Raises:
        InputError, Conflict, NotSignedIn, Forbidden: See ``repository.create_repository``.
        Gated, HeldBack: When the actor may not get all the files.
    """
    table = revision.c
    states = db.execute(select(table.state).where(table.repository_id == source.id).distinct())
    for row in states:
        require(db, actor, Action.READ, source.scope, Bytes(row.state, policy.while_checked == "all"))
    if list_holds(db, source.id):
        # NOTE: owners read what is held back; what checks found they find in the copy again, what people found is not
        raise HeldBack(f"somebody holds a revision of {source.name} back, so that it cannot be copied as a whole")
    made = create_repository(db, actor, source.scope.kind, copy.name, visibility=copy.visibility, owner=copy.owner)
    change_settings(db, made.id, gate=source.scope.gate, by=actor)
    kept = ("oid", "tree", "parent", "account_id", "title", "created")
    db.execute(
        insert(revision).from_select(
            ["repository_id", *kept, "state", "reason", "audited"],
            select(
                literal(made.id), *(table[column] for column in kept), literal("checking"), literal(""), literal(False)
            ).where(table.repository_id == source.id),
        )
    )
    db.execute(
        insert(usage).from_select(
            ["repository_id", "sha256"],
            select(literal(made.id), usage.c.sha256).where(usage.c.repository_id == source.id),
        )
    )
    names = ref.c.name.startswith(HEADS, autoescape=True) | ref.c.name.startswith(TAGS, autoescape=True)
    db.execute(
        insert(ref).from_select(
            ["repository_id", "name", "oid", "message"],
            select(literal(made.id), ref.c.name, ref.c.oid, ref.c.message).where(
                ref.c.repository_id == source.id, names
            ),
        )
    )
    follow_main(db, made, find_revision(db, made, MAIN))
    return made
