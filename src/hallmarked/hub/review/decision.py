"""What was decided about revisions: each decision is a row that stays, and the last ones say what stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select

from hallmarked.hub.schema.review import decision


class Act(StrEnum):
    """What can be decided about a revision."""

    HOLD = "hold"
    """It is held back."""
    CLEAR = "clear"
    """The hub itself takes back that it held it: a later audit found nothing."""
    PROPOSE = "propose-release"
    """One person would let others have it."""
    RELEASE = "release"
    """A second person agrees, and others have it."""
    APPEAL = "appeal"
    """Somebody whose it is asks to look again."""
    UPHOLD = "uphold"
    """It was looked at again, and stays held back."""
    REMOVE = "remove-evidence"
    """What somebody else states about it counts no more."""


CATEGORIES = ("malicious-code", "personal-data", "credential", "licence", "unlawful", "terms", "other")
"""What a hold is about; ``malicious-code`` when an audit decides."""
_STANDING = (Act.HOLD, Act.CLEAR, Act.RELEASE)


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that was decided about a revision."""

    id: str
    repository_id: str
    revision: str
    act: Act
    account_id: str | None
    """None: the hub itself, by policy."""
    reason: str
    data: Mapping[str, Any]
    entry: int | None
    """Of its statement of reasons in the ledger, once it is there."""
    created: int
    """Milliseconds since the epoch."""

    @property
    def by_people(self) -> bool:
        """Whether people hold the revision back by it, which only people let go of."""
        return self.act is Act.HOLD and self.account_id is not None


def list_decisions(db: Connection, repository_id: str, oid: str) -> list[Decision]:
    """List what was decided about a revision, oldest first."""
    made = decision.c
    where = (made.repository_id == repository_id, made.revision == oid)
    return [read_decision(row) for row in db.execute(select(decision).where(*where).order_by(made.created, made.id))]


def standing(decisions: Sequence[Decision], acts: Collection[Act] = _STANDING) -> Decision | None:
    """Return the last decision of some kinds; by default of those that say whether a revision is held back."""
    return next((one for one in reversed(decisions) if one.act in acts), None)


def open_appeal(decisions: Sequence[Decision]) -> Decision | None:
    """Return the appeal that nobody has answered yet."""
    last = standing(decisions, (Act.APPEAL, Act.UPHOLD, Act.RELEASE, Act.CLEAR, Act.HOLD))
    return last if last is not None and last.act is Act.APPEAL else None


def open_proposal(decisions: Sequence[Decision]) -> Decision | None:
    """Return the proposal to release it that nobody has decided on yet."""
    last = standing(decisions, (*_STANDING, Act.PROPOSE))
    return last if last is not None and last.act is Act.PROPOSE else None


def read_decision(row: Row[Any]) -> Decision:
    """Read a row of the table of decisions."""
    return Decision(
        row.id, row.repository_id, row.revision, Act(row.kind), row.account_id, row.reason, row.data, row.entry,
        row.created,
    )  # fmt: skip
