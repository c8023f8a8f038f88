"""Statements of reasons: what each moderation decision says to everybody, in fixed fields.

The fields follow the European transparency database of moderation decisions (Regulation (EU) 2022/2065, article 17 and
24(5)), so that totals can be recomputed by anybody from the public log or from the ledger. No person is named.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

from hallmarked.core.evidence import Statement, Subject
from hallmarked.hub.clock import to_text
from hallmarked.hub.database import Database
from hallmarked.hub.journal import Journal
from hallmarked.hub.review.decision import Act, Decision, read_decision
from hallmarked.hub.schema.account import account
from hallmarked.hub.schema.repository import repository
from hallmarked.hub.schema.review import decision

PREDICATE_TYPE = "urn:hallmarked:moderation:v1"
BATCH = 200
MEASURES = {
    Act.HOLD: "held-back",
    Act.CLEAR: "restored",
    Act.PROPOSE: "release-proposed",
    Act.RELEASE: "restored",
    Act.APPEAL: "appealed",
    Act.UPHOLD: "held-back-after-appeal",
    Act.REMOVE: "evidence-removed",
}
REDRESS = ("appeal-to-the-hub", "out-of-court-dispute-settlement", "court")
UNLAWFUL = "unlawful"


@dataclass(frozen=True, slots=True)
class Logged:
    """A decision as everybody may see it."""

    decision: Decision
    kind: str
    """Of the repository."""
    name: str
    """``owner/name``; empty when the repository is not public."""

    def to_dict(self) -> dict[str, Any]:
        """Return the statement of reasons with its place in the ledger."""
        return {**reasons(self), "ledgerEntry": self.decision.entry}


def reasons(logged: Logged) -> dict[str, Any]:
    """Write a decision's statement of reasons."""
    one = logged.decision
    automated = one.account_id is None
    category = str(one.data.get("category", ""))
    public = bool(logged.name)
    return {
        "id": one.id,
        "measure": MEASURES[one.act],
        "restriction": "visibility" if one.act in (Act.HOLD, Act.UPHOLD, Act.REMOVE) else "none",
        "ground": "unlawful-content" if category == UNLAWFUL else "incompatible-with-terms",
        "category": category,
        "contentType": logged.kind,
        "content": {"repository": logged.name, "revision": one.revision} if public else {},
        "facts": one.reason if public else "",
        "rules": list(one.data.get("rules", ())),
        "source": "own-initiative",
        "automatedDetection": automated,
        "automatedDecision": "fully" if automated else "not-automated",
        "applicationDate": to_text(one.created),
        "endDate": None,
        "territorialScope": "everywhere",
        "redress": list(REDRESS) if one.act in (Act.HOLD, Act.UPHOLD, Act.REMOVE) else [],
    }


def list_log(db: Connection, *, limit: int = 50, before: tuple[int, str] | None = None) -> list[Logged]:
    """List decisions, newest first; of repositories that are not public without their names.

    Args:
        db: A transaction.
        limit: How many at most.
        before: Time and id of the last one that was seen.
    """
    made = decision.c
    query = _logged().order_by(made.created.desc(), made.id.desc()).limit(limit)
    if before is not None:
        query = query.where((made.created < before[0]) | ((made.created == before[0]) & (made.id < before[1])))
    return [_read(row) for row in db.execute(query)]


def list_between(db: Connection, since: int, until: int) -> Iterable[Logged]:
    """Yield the decisions of a time (milliseconds since the epoch), oldest first."""
    made = decision.c
    query = _logged().where(made.created >= since, made.created < until).order_by(made.created, made.id)
    yield from (_read(row) for row in db.execute(query))


def count(reasons_: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Add up statements of reasons for a transparency report: a pure function, so that anybody can do it again."""
    measures: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    automated = 0
    for one in reasons_:
        measures[one["measure"]] += 1
        if one["measure"] == MEASURES[Act.HOLD]:
            categories[one["category"]] += 1
            automated += one["automatedDecision"] == "fully"
            rules.update(one["rules"])
    return {
        "decisions": dict(sorted(measures.items())),
        "heldBackByCategory": dict(sorted(categories.items())),
        "heldBackByRule": dict(sorted(rules.items())),
        "heldBackAutomatically": automated,
    }


def answer_days(logged: Sequence[Logged]) -> float | None:
    """Return the median number of days from an appeal to its answer; None when none was answered."""
    asked: dict[tuple[str, str], int] = {}
    took = []
    for one in logged:
        where = (one.decision.repository_id, one.decision.revision)
        if one.decision.act is Act.APPEAL:
            asked[where] = one.decision.created
        elif one.decision.act in (Act.UPHOLD, Act.RELEASE) and where in asked:
            took.append((one.decision.created - asked.pop(where)) / 86_400_000)
    return round(median(took), 2) if took else None


def log_decisions(database: Database, journal: Journal) -> int:
    """Log the statements of reasons that are not in the ledger yet; safe to repeat after a crash at any instant.

    Returns:
        How many were logged.

    Raises:
        BackendError: When the database or the ledger cannot be written.
    """
    done = 0
    while True:
        with database.write() as db:
            made = decision.c
            query = _logged().where(made.entry.is_(None)).order_by(made.created, made.id).limit(BATCH)
            waiting = [_read(row) for row in db.execute(query.with_for_update(of=decision, skip_locked=True))]
            if not waiting:
                return done
            for one in waiting:
                statement = to_statement(one)
                known = journal.find([f"sha256:{statement.subjects[0].digest['sha256']}"])
                place = known[0] if known else journal.attest([statement], hidden=not one.name)[0].index
                db.execute(update(decision).where(made.id == one.decision.id).values(entry=place))
        done += len(waiting)


def to_statement(logged: Logged) -> Statement:
    """Write a statement of reasons as a statement about the decision, and about the commit it concerns."""
    name = f"urn:hallmarked:decision:{logged.decision.id}"
    about = (
        Subject(name, {"sha256": hashlib.sha256(name.encode()).hexdigest()}),
        Subject(logged.name, {"gitCommit": logged.decision.revision}),
    )
    return Statement(about, PREDICATE_TYPE, reasons(logged))


def _logged() -> Select[Any]:
    return (
        select(decision, repository.c.kind.label("of"), repository.c.name, repository.c.visibility,
               repository.c.deleted, repository.c.disabled, account.c.name.label("owner"),
               account.c.disabled.label("owner_disabled"))
        .join(repository, repository.c.id == decision.c.repository_id)
        .join(account, account.c.id == repository.c.owner_id)
    )  # fmt: skip


def _read(row: Row[Any]) -> Logged:
    gone = row.deleted is not None or row.disabled or row.owner_disabled is not None
    public = row.visibility == "public" and not gone
    return Logged(read_decision(row), row.of, f"{row.owner}/{row.name}" if public else "")
