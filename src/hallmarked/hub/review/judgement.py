"""Deciding about a revision in contexts, by the one evaluator, of all that is stated about it at that moment.

A decision is worked out whenever somebody asks (:func:`judge`). Each time it comes to something else, it is written
down as a statement in the ledger (:func:`settle`), and whether others get the files follows from it. What a decision
rests on may run out: the state of a revision carries the moment until which it is available, so that nobody has to be
awake for it to end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Attestation, Outcome, Statement, Subject
from hallmarked.core.text import clean
from hallmarked.hub.clock import now
from hallmarked.hub.database import add_new, add_or_renew
from hallmarked.hub.hub import Hub
from hallmarked.hub.repository.repository import Repository, repositories_of
from hallmarked.hub.repository.revision import Revision, find_revision, list_refs
from hallmarked.hub.repository.subject import alike, subject_of
from hallmarked.hub.review.attested import Attested, gather, statement_id
from hallmarked.hub.review.audited import find_audit
from hallmarked.hub.review.context import asked_of, known_contexts
from hallmarked.hub.review.moderation import Case, apply_gate, is_held_otherwise
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.evidence import evidence
from hallmarked.hub.schema.repository import revision
from hallmarked.hub.schema.review import judgement
from hallmarked.ledger.canonical import canonical_bytes, statement_bytes
from hallmarked.ledger.trust import Role
from hallmarked.policy.decide import Decision, decide
from hallmarked.policy.fact import is_about
from hallmarked.policy.requirement import Outcome as Came
from hallmarked.policy.statement import to_statement

MOST_REVISIONS = 200
"""Revisions of a repository that are judged when its contexts change, the newest; older ones are held back."""
MOST_DUE = 50
"""Decisions that are made again at once because their time is over."""
MAX_REASON = 500
RENEWALS = {
    Came.FAILS: "a revision that does better, or newer evidence, would change that",
    Came.DISPUTED: "whoever disputes it, an auditor or this hub can settle it",
    Came.MISSING: "signed evidence of it would change that",
    Came.WRONG_ATTESTER: "evidence by somebody whose word counts there would change that",
    Came.STALE: "newer evidence about these very files would renew it",
    Came.UNDERPOWERED: "evidence from looking at more would change that",
}
"""What would let a revision pass, by what a requirement came to."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the contexts of a repository let others have a revision."""

    passes: bool
    reason: str = ""
    """Why not, and what would change it."""
    until: int | None = None
    """Until when that holds if nothing new is stated; milliseconds since the epoch."""
    context: str = ""
    """The context in which it does not pass."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a context decides about a revision now."""

    decision: Decision
    statement: Statement
    """The decision as a statement; it is in the ledger only if it was written down."""
    entry: int | None
    """Where the same decision stands in the hub's ledger; None when it does not."""


def judge(hub: Hub, db: Connection, repo: Repository, at: Revision, context: str = "") -> Judged:
    """Decide about a revision in a context, now: what gates and deployment checks ask.

    Args:
        hub: The hub.
        db: A transaction.
        repo: The repository.
        at: Its revision.
        context: Name of the context; the one that pushes are judged for when empty.

    Raises:
        InputError: When there is no such context.
        BackendError: When what was kept cannot be read back.
    """
    decision, statement = _decide(hub, gather(hub, db, repo), subject_of(db, repo, at), _name(hub, context))
    made = judgement.c
    where = (made.repository_id == repo.id, made.revision == at.oid, made.context == decision.context.name)
    last = db.execute(select(made.digest, made.entry).where(*where)).first()
    same = last is not None and last.digest == _digest(statement)
    return Judged(decision, statement, last.entry if last is not None and same else None)


def settle(hub: Hub, db: Connection, repo: Repository, at: Revision) -> Gate:
    """Decide about a revision in every context it is judged in, write down what came out differently, and say the gate.

    Args:
        hub: The hub.
        db: A writing transaction.
        repo: The repository.
        at: Its revision.

    Raises:
        InputError: When a context is not there any more.
        BackendError: When the ledger cannot be written.
    """
    asked = asked_of(hub, repo)
    if not asked.judged and not asked.gates:
        return Gate(True)
    attested, about = gather(hub, db, repo), subject_of(db, repo, at)
    made = {name: _decide(hub, attested, about, name) for name in dict.fromkeys((*asked.judged, *asked.gates))}
    for name in asked.judged:
        _keep(hub, db, (repo, at), *made[name])
    return _gate([made[name][0] for name in asked.gates])


def redecide(hub: Hub, db: Connection, repo: Repository, at: Revision) -> None:
    """Decide again about a revision, since something was stated, ran out or is asked otherwise; its state follows.

    What an audit found, and what people decided, stands: a context holds back what they let pass, and nothing else.

    Raises:
        InputError: When a context is not there any more.
        BackendError: When the ledger cannot be written.
    """
    gate = settle(hub, db, repo, at)
    audited, case = find_audit(db, repo.id, at.oid), Case(repo, at, hub.settings.policy)
    if audited is not None and audited.outcome == Outcome.PASS and not is_held_otherwise(db, case):
        apply_gate(db, case, gate.context, gate.reason, gate.until)


def redecide_about(hub: Hub, db: Connection, repo: Repository, oids: Collection[str]) -> None:
    """Decide again about some revisions of which something was stated, and about those that branches and tags name.

    Raises:
        InputError: When a context is not there any more.
        BackendError: When the ledger cannot be written.
    """
    asked = asked_of(hub, repo)
    if not asked.judged and not asked.gates:
        return
    also = {oid for one in oids for oid in alike(db, repo, find_revision(db, repo, one))}
    for oid in sorted(also | {each.oid for each in list_refs(db, repo)[:MOST_REVISIONS]}):
        redecide(hub, db, repo, find_revision(db, repo, oid))


def redecide_all(hub: Hub, db: Connection, repo: Repository) -> None:
    """Decide again about the revisions of a repository; those too old to be looked at are held back meanwhile.

    Raises:
        InputError: When a context is not there any more.
        BackendError: When the ledger cannot be written.
    """
    made = revision.c
    mine = select(made.oid).where(made.repository_id == repo.id, made.audited)
    oids = list(db.execute(mine.order_by(made.created.desc(), made.oid)).scalars())
    for oid in oids[:MOST_REVISIONS]:
        redecide(hub, db, repo, find_revision(db, repo, oid))
    gates = asked_of(hub, repo).gates
    for oid in oids[MOST_REVISIONS:] if gates else ():
        reason = f"it was not judged in the context {gates[0]}, since many revisions came after it"
        apply_gate(db, Case(repo, find_revision(db, repo, oid), hub.settings.policy), gates[0], reason, None)


def redecide_due(hub: Hub) -> int:
    """Decide again where the time of a decision is over; safe to repeat, and to be done by several processes.

    Returns:
        How many revisions were looked at.

    Raises:
        InputError: When a context is not there any more.
        BackendError: When the database or the ledger cannot be written.
    """
    with hub.database.read() as db:
        due = _due(hub, db)
    for repository_id, oid in sorted(due):
        with hub.database.write() as db:
            for repo in repositories_of(db, [repository_id]):
                redecide(hub, db, repo, find_revision(db, repo, oid))
    return len(due)


def _due(hub: Hub, db: Connection) -> set[tuple[str, str]]:
    """Return revisions that have to be decided about again: their time is over, or a context is another one now."""
    made, kept, known = revision.c, judgement.c, known_contexts(hub)
    queries = [
        select(kept.repository_id, kept.revision).where(kept.until < now()),
        select(made.repository_id, made.oid).where(made.until < now()),
    ]
    used = db.execute(select(kept.context, kept.policy).distinct()).all()
    for name, policy in used:
        if name in known and known[name].digest != policy:
            queries.append(select(kept.repository_id, kept.revision).where(kept.context == name, kept.policy == policy))
    for name in hub.settings.policy.required:
        there = select(kept.context).where(
            kept.repository_id == made.repository_id, kept.revision == made.oid, kept.context == name
        )
        new = (made.audited, made.state == "available", ~there.exists())
        queries.append(select(made.repository_id, made.oid).where(*new))
    return {(row[0], row[1]) for query in queries for row in db.execute(query.limit(MOST_DUE))}


def _name(hub: Hub, context: str) -> str:
    known = known_contexts(hub)
    name = context or hub.settings.policy.context or "default"
    if name not in known:
        raise InputError(f"there is no context {clean(name)[:64]}; there are: {', '.join(known)}")
    return name


def _decide(hub: Hub, attested: Attested, about: Subject, name: str) -> tuple[Decision, Statement]:
    decision = decide(attested.facts(about), known_contexts(hub)[_name(hub, name)], datetime.now(UTC))
    used = set(decision.evidence)
    heard = [one for one in attested.attestations if one.id in used]
    # What the hub stated about these files goes with the decision in the revision's evidence file.
    own = [one for one in heard if _is_own(hub, one) and is_about(one.statement, about)]
    return decision, to_statement(decision, about, own, [one for one in heard if one not in own])


def _is_own(hub: Hub, one: Attestation) -> bool:
    return one.keyid.partition("#")[0] == hub.journal.keyid


def _digest(statement: Statement) -> str:
    """Return what differs when a decision came out differently: all of it but the time it was made."""
    said = {name: value for name, value in statement.predicate.items() if name != "timeCreated"}
    return hashlib.sha256(canonical_bytes(said)).hexdigest()


def _keep(
    hub: Hub, db: Connection, about: tuple[Repository, Revision], decision: Decision, statement: Statement
) -> None:
    """Write a decision down when it is another than the last one in its context."""
    repo, at = about
    made, digest, time = judgement.c, _digest(statement), now()
    where = (made.repository_id == repo.id, made.revision == at.oid, made.context == decision.context.name)
    last = db.execute(select(judgement).where(*where)).first()
    row: dict[str, Any] = {
        "repository_id": repo.id, "revision": at.oid, "context": decision.context.name, "digest": digest,
        "policy": decision.context.digest, "outcome": decision.outcome.value, "created": time,
        "until": _milliseconds(decision.until),
    }  # fmt: skip
    if last is not None and last.digest == digest:
        if last.until != row["until"]:
            db.execute(update(judgement).where(*where).values(until=row["until"]))
        return
    entry = hub.journal.attest([statement], hidden=repo.scope.private)[0].index
    add_or_renew(db, judgement, {**row, "entry": entry}, ["digest", "policy", "outcome", "until", "created", "entry"])
    said = {
        "id": new_id(), "repository_id": repo.id, "revision": at.oid, "statement": statement_id(statement),
        "payload": statement_bytes(statement), "predicate_type": statement.predicate_type,
        "keyid": hub.journal.keyid, "role": Role.HUB.value, "signer": hub.settings.server.name, "entry": entry,
        "receipt": None, "account_id": None, "stated": time, "created": time, "removed": None, "reason": "",
    }  # fmt: skip
    add_new(db, evidence, [said])


def _gate(decisions: Sequence[Decision]) -> Gate:
    ends = [end for each in decisions if (end := _milliseconds(each.until)) is not None]
    until = min(ends, default=None)
    for each in decisions:
        if each.outcome is not Outcome.PASS:
            return Gate(False, _why(each), until, each.context.name)
    return Gate(True, "", until)


def _why(decision: Decision) -> str:
    """Say why a revision does not pass in a context, and what would change it."""
    open_ = [ruling for ruling in decision.rulings if not ruling.outcome.passes]
    if not open_:
        return f"nothing is asked for in the context {decision.context.name}, so that it cannot pass"
    worst = min(open_, key=lambda ruling: ruling.outcome.rank)
    rest = f" and {len(open_) - 1} more" if len(open_) > 1 else ""
    said = f"it does not pass in the context {decision.context.name}: {worst.sentence}{rest}; {RENEWALS[worst.outcome]}"
    return clean(said)[:MAX_REASON]


def _milliseconds(time: datetime | None) -> int | None:
    return None if time is None else int(time.timestamp() * 1000)
