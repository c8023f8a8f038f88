"""Holding revisions back, and letting go of them: who decides, what stands, and who is told.

Every decision is a row that stays, an event of the audit trail, and a statement of reasons in the ledger (see
``hub.review.reason``). What an audit says is overruled only by people: two of them, of whom the second has no stake
in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from hallmarked.core.errors import Forbidden, InputError
from hallmarked.core.evidence import Finding, Level, Statement
from hallmarked.core.text import clean
from hallmarked.hub.access import ANYBODY, Action, Actor, Role, load_standing, require
from hallmarked.hub.account.notice import Kind, notify_all
from hallmarked.hub.clock import now
from hallmarked.hub.error import Conflict
from hallmarked.hub.kind import page_path
from hallmarked.hub.repository.collaborator import list_owners
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Revision
from hallmarked.hub.review.audited import find_audit
from hallmarked.hub.review.decision import (
    CATEGORIES,
    Act,
    Decision,
    list_decisions,
    open_appeal,
    open_proposal,
    standing,
)
from hallmarked.hub.review.finding import sort_findings
from hallmarked.hub.review.status import set_state
from hallmarked.hub.schema.account import account
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.review import decision
from hallmarked.hub.setting import Policy
from hallmarked.hub.trail import record

MAX_REASON = 2_000
MAX_SHOWN = 300
ANYWHERE = "reviewers"
"""Value of ``policy.release`` with which no administrator has to be one of the two."""


@dataclass(frozen=True, slots=True)
class Case:
    """A revision somebody decides about."""

    repo: Repository
    at: Revision
    policy: Policy

    @property
    def page(self) -> str:
        """Where its repository's page is."""
        return page_path(self.repo.scope.kind, self.repo.name)

    def decisions(self, db: Connection) -> list[Decision]:
        """Return what was decided about it, oldest first."""
        return list_decisions(db, self.repo.id, self.at.oid)


def hold(db: Connection, actor: Actor, case: Case, reason: str, category: str = "other") -> None:
    """Hold a revision back by hand.

    Raises:
        InputError: When no reason is given, or no category there is.
        Conflict: When it is held back by hand already.
        Forbidden: When the actor may not.
    """
    require(db, actor, Action.REVIEW, case.repo.scope)
    if category not in CATEGORIES:
        raise InputError(f"a category is one of {', '.join(CATEGORIES)}")
    last = standing(case.decisions(db))
    if last is not None and last.by_people:
        raise Conflict("this revision is held back by hand already")
    said = _said(reason)
    _add(db, actor, case, Act.HOLD, said, {"category": category})
    set_state(db, case.repo.id, case.at.oid, "held", said)
    _tell(db, case, f"{case.repo.name} was held back: {said}")


def continue_hold(db: Connection, case: Case, held: Decision) -> None:
    """Hold a new revision back because of a decision about another one, which people let go of in the same way.

    Args:
        db: A writing transaction.
        case: The new revision.
        held: What somebody decided about the other one.
    """
    data = {"category": held.data.get("category", "other"), "because": held.revision}
    _add(db, ANYBODY, case, Act.HOLD, held.reason, data, holder=held.account_id)
    set_state(db, case.repo.id, case.at.oid, "held", held.reason)
    _tell(db, case, f"{case.repo.name} is held back in a new revision too: {_shown(held.reason)}")


def propose_release(db: Connection, actor: Actor, case: Case, reason: str) -> None:
    """Say that others may have a revision that is held back; it takes a second person.

    Raises:
        InputError: When no reason is given.
        Conflict: When it is not held back, or somebody has proposed it already.
        Forbidden: When the actor may not.
    """
    require(db, actor, Action.REVIEW, case.repo.scope)
    _require_held(case)
    if open_proposal(case.decisions(db)) is not None:
        raise Conflict("somebody has proposed this already; a second person decides")
    _add(db, actor, case, Act.PROPOSE, _said(reason), {})


def release(db: Connection, actor: Actor, case: Case, reason: str) -> None:
    """Agree, as the second person, that others may have a revision although an audit or somebody held it back.

    Later audits hold it back again only for what the last one did not find.

    Raises:
        InputError: When no reason is given.
        Conflict: When it is not held back, or nobody has proposed it.
        Forbidden: When the actor may not, or has a stake in it.
    """
    require(db, actor, Action.REVIEW, case.repo.scope)
    _require_held(case)
    proposal = open_proposal(case.decisions(db))
    if proposal is None:
        raise Conflict("nobody has proposed to release this revision yet: two people have to agree")
    if proposal.account_id == actor.account_id:
        raise Forbidden("somebody else has to agree: you proposed it yourself")
    _refuse_stake(db, actor, case)
    if case.policy.release != ANYWHERE and not (actor.administrator or _is_administrator(db, proposal.account_id)):
        raise Forbidden("one of the two has to be an administrator of this hub")
    audited = find_audit(db, case.repo.id, case.at.oid)
    accepted = {"accepted": problems_of(audited.statements if audited else ()), "proposal": proposal.id}
    _add(db, actor, case, Act.RELEASE, _said(reason), accepted)
    set_state(db, case.repo.id, case.at.oid, "available", "")
    _tell(db, case, f"{case.repo.name} was released: {_said(reason)}")


def appeal(db: Connection, actor: Actor, case: Case, reason: str) -> None:
    """Ask, as somebody whose revision it is, to look again.

    Raises:
        InputError: When no reason is given.
        Conflict: When it is not held back, or an appeal is open already.
        Forbidden: When the actor may not.
    """
    require(db, actor, Action.WRITE, case.repo.scope)
    _require_held(case)
    if open_appeal(case.decisions(db)) is not None:
        raise Conflict("an appeal is open already")
    _add(db, actor, case, Act.APPEAL, _said(reason), {})
    staff = db.execute(select(account.c.id).where(account.c.administrator, account.c.disabled.is_(None))).scalars()
    notify_all(db, staff, Kind.REVIEW, f"An appeal about {case.repo.name} waits: {_shown(reason)}", case.page)


def uphold(db: Connection, actor: Actor, case: Case, reason: str) -> None:
    """Answer an appeal: the revision stays held back.

    Raises:
        InputError: When no reason is given.
        Conflict: When no appeal is open.
        Forbidden: When the actor may not, or has a stake in it.
    """
    require(db, actor, Action.REVIEW, case.repo.scope)
    asked = open_appeal(case.decisions(db))
    if asked is None:
        raise Conflict("no appeal is open")
    if asked.account_id == actor.account_id:
        raise Forbidden("somebody else has to answer your appeal")
    _refuse_stake(db, actor, case)
    _add(db, actor, case, Act.UPHOLD, _said(reason), {"appeal": asked.id})
    _tell(db, case, f"The appeal about {case.repo.name} was answered, it stays held back: {_said(reason)}")


def note_removal(db: Connection, actor: Actor, case: Case, reason: str, data: Mapping[str, Any]) -> None:
    """Write down that a statement of somebody else about a revision was removed; the reason is for everybody.

    Args:
        db: The writing transaction that removes it.
        actor: Who did it, and may.
        case: The revision it was about.
        reason: Why.
        data: Which statement.

    Raises:
        InputError: When no reason is given.
    """
    _add(db, actor, case, Act.REMOVE, _said(reason), {"category": "other", **data})
    _tell(db, case, f"A statement about {case.repo.name} was removed: {_shown(reason)}")


def apply_audit(
    db: Connection,
    case: Case,
    audit_id: str,
    state: str,
    reason: str,
    statements: Sequence[Statement],
    until: int | None = None,
) -> None:
    """Let an audit decide about a revision, as far as people have not.

    Args:
        db: A writing transaction.
        case: The revision.
        audit_id: Of the audit.
        state: ``available``, ``held`` or ``unknown``.
        reason: Why, in one sentence.
        statements: What the audit stated.
        until: When contexts decide again about one that is available; milliseconds since the epoch.
    """
    last = standing(case.decisions(db))
    if last is not None and last.by_people:
        return
    if last is not None and last.act is Act.RELEASE:
        accepted = set(last.data.get("accepted", ()))
        if state == "unknown" or set(problems_of(statements)) <= accepted:
            state, reason = "available", ""
    set_state(db, case.repo.id, case.at.oid, state, reason, until if state == "available" else None)
    held = last is not None and last.act is Act.HOLD
    if state == "held" and not (held and last is not None and last.reason == reason):
        rules = sorted({problem.partition(" ")[0] for problem in problems_of(statements)})
        _add(db, ANYBODY, case, Act.HOLD, reason, {"category": "malicious-code", "audit": audit_id, "rules": rules})
        _tell(db, case, f"{case.repo.name} is held back: {_shown(reason)}")
    elif state == "available" and held:
        _add(db, ANYBODY, case, Act.CLEAR, "a later audit found nothing that holds it back", {"audit": audit_id})
        _tell(db, case, f"{case.repo.name} is available again")
    elif state == "unknown":
        _tell(db, case, f"{case.repo.name} could not be checked completely: {_shown(reason)}")


def is_held_otherwise(db: Connection, case: Case) -> bool:
    """Say whether an audit or people hold a revision back, which contexts let go of in no case."""
    last = standing(case.decisions(db))
    return last is not None and last.act is Act.HOLD and "context" not in last.data


def apply_gate(db: Connection, case: Case, context: str, reason: str, until: int | None) -> None:
    """Let contexts decide about a revision in which its audit found nothing, as far as people have not.

    Args:
        db: A writing transaction.
        case: The revision.
        context: The one in which it does not pass; empty when it passes in all that are asked for.
        reason: Why it does not.
        until: When it is decided again; milliseconds since the epoch.
    """
    last = standing(case.decisions(db))
    if last is not None and (last.by_people or last.act is Act.RELEASE):
        return
    held = last is not None and last.act is Act.HOLD
    if context:
        set_state(db, case.repo.id, case.at.oid, "held", reason, until)
        if not (held and last is not None and last.reason == reason):
            _add(db, ANYBODY, case, Act.HOLD, reason, {"category": "terms", "context": context})
            _tell(db, case, f"{case.repo.name} is held back: {_shown(reason)}")
        return
    set_state(db, case.repo.id, case.at.oid, "available", "", until)
    if held:
        _add(db, ANYBODY, case, Act.CLEAR, "it passes in every context that is asked for", {})
        _tell(db, case, f"{case.repo.name} is available again")


def problems_of(statements: Sequence[Statement]) -> list[str]:
    """Return what a release accepts: rule and place of every finding that is more than a note."""
    files = sort_findings(statements)
    found = [(path, one.item) for path, those in files.by_path.items() for one in those]
    found += [("", one.item) for one in files.overall]
    return sorted(
        {f"{item.rule} {path}" for path, item in found if isinstance(item, Finding) and item.level is not Level.NOTE}
    )


def _add(
    db: Connection,
    actor: Actor,
    case: Case,
    act: Act,
    reason: str,
    data: Mapping[str, Any],
    *,
    holder: str | None = None,
) -> None:
    """Write a decision down; ``holder`` is whose earlier decision the hub carries on with by itself."""
    made = new_id()
    row = {
        "id": made, "repository_id": case.repo.id, "revision": case.at.oid, "kind": str(act),
        "account_id": holder or actor.account_id, "reason": reason, "data": dict(data), "created": now(),
    }  # fmt: skip
    db.execute(insert(decision).values(**row))
    subject = f"repository:{case.repo.id}"
    record(db, actor, f"revision:review:{act}", subject, {"revision": case.at.oid, "decision": made})


def _require_held(case: Case) -> None:
    if case.at.state not in ("held", "unknown"):
        raise Conflict("this revision is not held back")


def _refuse_stake(db: Connection, actor: Actor, case: Case) -> None:
    """Refuse the second person when it is their own."""
    scope = case.repo.scope
    roles = load_standing(db, Actor(actor.account_id, actor.name), scope).roles
    if actor.account_id == case.at.account_id or Role.OWNER in roles:
        raise Forbidden("somebody else has to decide: this is your own")


def _is_administrator(db: Connection, account_id: str | None) -> bool:
    return bool(db.execute(select(account.c.administrator).where(account.c.id == account_id)).scalar())


def _tell(db: Connection, case: Case, text: str) -> None:
    """Leave a message for those whose revision it is."""
    notify_all(db, list_owners(db, case.repo, case.at.account_id), Kind.REVIEW, text, case.page)


def _said(reason: str) -> str:
    """Return a reason as it is kept.

    Raises:
        InputError: When it is empty or too long.
    """
    said = clean(" ".join(reason.split()))
    if not said or len(said) > MAX_REASON:
        raise InputError(f"a reason is needed, of at most {MAX_REASON:,} characters")
    return said


def _shown(reason: str) -> str:
    return clean(reason)[:MAX_SHOWN]
