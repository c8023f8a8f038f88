"""The commits that lead to a revision, and what can be done with them as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, literal, select

from hallmarked.hub.access import Actor
from hallmarked.hub.change.commit import Message, advance, follow_main, record
from hallmarked.hub.git.object import EMPTY_TREE, add_objects, read_object
from hallmarked.hub.outbound.announcement import announce, moved
from hallmarked.hub.repository.repository import MAIN, Repository
from hallmarked.hub.repository.revision import Revision, find_revision
from hallmarked.hub.schema.account import account
from hallmarked.hub.schema.repository import revision


@dataclass(frozen=True, slots=True)
class Step:
    """A commit of a history."""

    oid: str
    parent: str
    """Empty for the first."""
    tree: str
    title: str
    description: str
    author: str
    """Name of an account; empty when it is gone."""
    created: int
    """Milliseconds since the epoch."""


def list_steps(db: Connection, repo: Repository, oid: str, count: int, *, describe: bool = True) -> Sequence[Step]:
    """List a commit and its ancestors, newest first.

    Args:
        db: A transaction.
        repo: The repository.
        oid: Where to begin.
        count: How many at most.
        describe: Whether the whole message is wanted, not its title alone.
    """
    table = revision.c
    chain = (
        select(table.oid, table.parent, literal(1, Integer).label("place"))
        .where(table.repository_id == repo.id, table.oid == oid)
        .cte("chain", recursive=True)
    )
    chain = chain.union_all(
        select(table.oid, table.parent, chain.c.place + 1).where(
            table.repository_id == repo.id, table.oid == chain.c.parent, chain.c.place < count
        )
    )
    rows = db.execute(
        select(table.oid, table.parent, table.tree, table.title, table.created, account.c.name)
        .join(chain, chain.c.oid == table.oid)
        .outerjoin(account, account.c.id == table.account_id)
        .where(table.repository_id == repo.id)
        .order_by(chain.c.place)
    )
    return [
        Step(
            row.oid,
            row.parent,
            row.tree,
            row.title,
            read_description(db, row.oid) if describe else "",
            row.name or "",
            row.created,
        )
        for row in rows
    ]


def read_description(db: Connection, oid: str) -> str:
    """Return what the message of a commit says below its title."""
    message = read_object(db, oid)[1].partition(b"\n\n")[2].decode("utf-8", "replace")
    return message.partition("\n\n")[2]


def squash(db: Connection, repo: Repository, actor: Actor, branch: str, message: Message) -> Revision:
    """Replace the history of a branch by one commit of the same files.

    The commits stay in the repository, with what was found about them; only the branch does not lead to them any more.

    Args:
        db: A writing transaction.
        repo: The repository; the caller has asked whether the actor may write.
        actor: Who squashes.
        branch: Full name.
        message: Of the one commit.

    Raises:
        RevisionNotFound: When there is no such branch.
        Outdated: When somebody moved it meanwhile.
    """
    head = find_revision(db, repo, branch)
    oid = record(db, repo, actor, head.tree, message, parent="")
    advance(db, repo, branch, head.oid, oid)
    announce(db, repo.scope, moved(branch, head.oid, oid))
    made = find_revision(db, repo, oid)
    if branch == MAIN:
        follow_main(db, repo, made)
    return made


def start_empty(db: Connection, repo: Repository, actor: Actor) -> str:
    """Make a commit without files and without a parent, for a branch that shares nothing with the others."""
    oid = record(db, repo, actor, EMPTY_TREE, Message("initial commit"), parent="")
    add_objects(db, "tree", [(EMPTY_TREE, b"")])
    return oid
