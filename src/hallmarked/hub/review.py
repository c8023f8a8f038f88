"""Whether others may get a revision: what its state means, and what policy adds."""

from __future__ import annotations

from sqlalchemy import Connection, update

from hallmarked.hub.revision import Entry
from hallmarked.hub.schema.repository import revision
from hallmarked.hub.setting import Policy

CODE = (".py", ".pyc", ".so", ".dll", ".ipynb", ".sh", ".js")
"""Text that loaders import as code, whatever its bytes look like; nobody else loads it by another name."""


def is_lenient(policy: Policy, entry: Entry) -> bool:
    """Whether policy lets others have a file although the audit of its revision is not in."""
    if policy.while_checked == "all":
        return True
    return policy.while_checked == "passive" and entry.passive and not entry.path.lower().endswith(CODE)


def set_state(db: Connection, repository_id: str, oid: str, state: str, reason: str) -> None:
    """Change what others may do with a revision.

    Args:
        db: A writing transaction.
        repository_id: Of which repository.
        oid: The commit.
        state: ``checking``, ``available``, ``held`` or ``unknown``.
        reason: Why, in one sentence; empty when it is available.
    """
    where = (revision.c.repository_id == repository_id, revision.c.oid == oid)
    db.execute(update(revision).where(*where).values(state=state, reason=reason))
