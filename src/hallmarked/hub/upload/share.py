"""Let one repository use large files of another one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from hallmarked.hub.access import Actor, load_standing
from hallmarked.hub.database import add_new
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import find_revision, list_files, list_refs
from hallmarked.hub.review.passage import Passage
from hallmarked.hub.schema.object import usage
from hallmarked.hub.setting import Policy

MAX_REFS = 200
"""Branches that are looked through."""


def share(
    db: Connection, actor: Actor, source: Repository, other: Repository, digests: Sequence[str], policy: Policy
) -> Sequence[str]:
    """Let a repository use files of another one, as far as the actor may download them from there.

    Args:
        db: A writing transaction.
        actor: Who asks; may write to ``other``.
        source: Where the files are.
        other: Where they are wanted.
        digests: SHA-256 of the files.
        policy: Says which files others may have while a revision is being checked.

    Returns:
        The digests of those that may be used now.
    """
    standing = load_standing(db, actor, source.scope)
    wanted = set(digests)
    done: set[str] = set()
    for oid in dict.fromkeys(ref.oid for ref in list_refs(db, source)[:MAX_REFS]):
        passage = Passage(actor, source, standing, find_revision(db, source, oid))
        for entry in list_files(db, passage.at) if wanted - done else ():
            if entry.large and entry.sha256 in wanted and passage.refusal(entry, policy) is None:
                done.add(entry.sha256)
    add_new(db, usage, [{"repository_id": other.id, "sha256": digest} for digest in sorted(done)])
    return [digest for digest in dict.fromkeys(digests) if digest in done]
