"""Pull requests: changes that somebody offers to a branch, and taking them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Actor
from hallmarked.hub.change.commit import Change, Message, add_revision, commit
from hallmarked.hub.community.discussion import (
    CLOSED,
    DRAFT,
    MAX_COMMENT,
    MAX_TITLE,
    MERGED,
    Discussion,
    Opening,
    add_comment,
    add_event,
    find_discussion,
    open_discussion,
    require_author,
    set_status,
)
from hallmarked.hub.error import Conflict
from hallmarked.hub.git.merge import merge_trees
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import HEADS, PULLS, Revision, find_revision
from hallmarked.hub.trail import Tag, record

MAX_CONFLICTS = 1_000
"""Files listed as being in conflict."""


def full_branch(name: str) -> str:
    """Return the full name of the branch or pull request that a name stands for.

    Raises:
        InputError: When it names something that commits cannot be added to.
    """
    if name.startswith("refs/") and not name.startswith((HEADS, PULLS)):
        raise InputError(f"Invalid reference for a branch: {name[:200]} is not one that can be changed")
    return name if name.startswith("refs/") else HEADS + name


def pull_number(branch: str) -> int | None:
    """Return the number of the pull request whose ref that is; None for a branch."""
    number = branch.removeprefix(PULLS)
    return int(number) if branch.startswith(PULLS) and number.isdecimal() and len(number) < 10 else None


def open_pull(
    db: Connection, repo: Repository, actor: Actor, message: Message, target: str, *, base: str = ""
) -> Discussion:
    """Open a pull request for a branch, described by the message of its first commit.

    It begins at the commit ``base``, or where the branch is.

    Raises:
        RevisionNotFound: When there is no such branch or commit.
        InputError: When it is none that a pull request could be for.
    """
    if not target.startswith(HEADS):
        raise InputError("a pull request has to be for a branch")
    title, text = message.title[:MAX_TITLE], message.description[:MAX_COMMENT]
    return open_discussion(db, repo, actor, Opening(title, text, pull_request=True, target=target, base=base))


def require_commit(db: Connection, repo: Repository, number: int, actor: Actor) -> Discussion:
    """Refuse unless the actor may add commits to a pull request: its author, or whoever may write to the repository.

    Raises:
        NotFound: When there is no such pull request.
        Forbidden: When the actor may not.
        Conflict: When it is closed or merged.
    """
    found = find_discussion(db, repo, number)
    require_author(db, repo, actor, found.author_id)
    if found.status in (CLOSED, MERGED):
        raise Conflict(f"this pull request is {found.status}; nothing can be added to it")
    return found


def commit_to(
    db: Connection,
    repo: Repository,
    actor: Actor,
    changes: Iterable[Change],
    message: Message,
    *,
    branch: str,
    parent: str | None = None,
) -> Revision:
    """Commit to a branch or a pull request; the latter's discussion notes it.

    Raises:
        InputError, Outdated, RevisionNotFound: See :func:`hallmarked.hub.change.commit.commit`.
    """
    number = pull_number(branch)
    before = find_revision(db, repo, branch).oid if number is not None else ""
    made = commit(db, repo, actor, changes, message, branch=branch, parent=parent)
    if number is not None and made.oid != before:
        add_event(db, repo, number, actor, "commit", {"subject": message.title, "oid": made.oid})
    return made


def list_conflicts(db: Connection, repo: Repository, pull: Discussion) -> Sequence[str]:
    """List the files that both a pull request and its branch have changed, each in another way.

    Raises:
        RevisionNotFound: When the branch is gone.
    """
    return _merge(db, repo, pull)[1][:MAX_CONFLICTS]


def merge_pull(db: Connection, repo: Repository, number: int, actor: Actor, comment: str = "") -> Revision:
    """Add the changes of a pull request to its branch, as one commit.

    Args:
        db: A writing transaction.
        repo: The repository; the caller has asked whether the actor may write.
        number: Of the pull request.
        actor: Who merges.
        comment: Becomes part of the discussion.

    Raises:
        NotFound: When there is no such pull request.
        Conflict: When it is a draft, closed or merged already, or in conflict with its branch.
        RevisionNotFound: When the branch is gone.
    """
    pull = find_discussion(db, repo, number)
    if not pull.pull_request:
        raise InputError(f"discussion {number} is not a pull request")
    if pull.status in (DRAFT, CLOSED, MERGED):
        raise Conflict(f"this pull request is {pull.status}; only an open one can be merged")
    tree, conflicts = _merge(db, repo, pull)
    if conflicts:
        names = ", ".join(conflicts[:5])
        raise Conflict(f"both this pull request and {pull.target} have changed {names}; change one to fit the other")
    if comment.strip():
        add_comment(db, repo, number, actor, comment)
    base = find_revision(db, repo, pull.target)
    made = base
    if tree != base.tree:
        head = find_revision(db, repo, pull.branch)
        by = f"Offered by {pull.author or 'somebody'} as {pull.branch}, commit {head.oid}"
        message = Message(f"{pull.title} (#{number})", by)
        made = add_revision(db, repo, actor, tree, message, branch=pull.target, base=base)
    set_status(db, repo, number, actor, MERGED, merged=made.oid)
    record(db, actor, Tag.PULL_REQUEST_MERGED, f"repository:{repo.id}", {"number": number, "commit": made.oid})
    return made


def _merge(db: Connection, repo: Repository, pull: Discussion) -> tuple[str, Sequence[str]]:
    trees = [find_revision(db, repo, name).tree for name in (pull.base, pull.target, pull.branch)]
    return merge_trees(db, trees[0], trees[1], trees[2])
