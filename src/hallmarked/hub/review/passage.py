"""Whether somebody may get files of a revision: everything that this depends on, read once for all of its files."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from hallmarked.core.errors import Forbidden
from hallmarked.hub.access import Action, Actor, Bytes, Standing, decide, load_standing
from hallmarked.hub.clock import now
from hallmarked.hub.error import RepositoryNotFound
from hallmarked.hub.memory import LONGEST
from hallmarked.hub.repository.repository import Repository, find_repository
from hallmarked.hub.repository.revision import Entry, Revision, find_revision
from hallmarked.hub.review.succession import Succession, find_succession
from hallmarked.hub.schema.account import token
from hallmarked.hub.schema.gate import access_request
from hallmarked.hub.setting import Policy

CODE = (".py", ".pyc", ".so", ".dll", ".ipynb", ".sh", ".js")
"""Text that loaders import as code, whatever its bytes look like; nobody else loads it by another name."""


def is_lenient(policy: Policy, entry: Entry) -> bool:
    """Whether policy lets others have a file although the audit of its revision is not in."""
    if policy.required:
        return False  # nothing passes before it was judged
    if policy.while_checked == "all":
        return True
    return policy.while_checked == "passive" and entry.passive and not entry.path.lower().endswith(CODE)


@dataclass(frozen=True, slots=True)
class Passage:
    """Somebody who wants files of a revision."""

    actor: Actor
    repo: Repository
    standing: Standing
    at: Revision
    succession: Succession | None = None
    """What took the place of the revision."""

    def refusal(self, entry: Entry, policy: Policy) -> Forbidden | RepositoryNotFound | None:
        """Return why they may not have a file; None when they may."""
        wanted = Bytes(self.at.state, is_lenient(policy, entry), self.at.reason)
        return decide(self.actor, Action.READ, self.repo.scope, self.standing, wanted)

    def check(self, entry: Entry, policy: Policy) -> None:
        """Refuse unless they may have a file.

        Raises:
            Forbidden: When they may not; its subclass says why.
        """
        refusal = self.refusal(entry, policy)
        if refusal is not None:
            raise refusal


def open_passage(db: Connection, actor: Actor, kind: str, name: str, revision: str) -> tuple[Passage, int]:
    """Read what decides about the files of a revision, and until when that holds if nothing is committed.

    Raises:
        RepositoryNotFound: When there is no such repository, or the actor must not know.
        Forbidden: When the actor may not see it.
        RevisionNotFound: When it has no such revision.
    """
    repo = find_repository(db, kind, name)
    standing = load_standing(db, actor, repo.scope)
    refusal = decide(actor, Action.SEE, repo.scope, standing)
    if refusal is not None:
        raise refusal
    at = find_revision(db, repo, revision)
    end = _end(db, actor, repo)
    return Passage(actor, repo, standing, at, find_succession(db, repo, at)), min(end, at.until or end)


def _end(db: Connection, actor: Actor, repo: Repository) -> int:
    ends = [now() + LONGEST]
    if actor.token_id:
        ends.append(db.execute(select(token.c.expires).where(token.c.id == actor.token_id)).scalar() or ends[0])
    if repo.scope.gate and actor.account_id:
        asked = access_request.c
        mine = (asked.repository_id == repo.id, asked.account_id == actor.account_id)
        ends.append(db.execute(select(asked.expires).where(*mine)).scalar() or ends[0])
    return min(ends)
