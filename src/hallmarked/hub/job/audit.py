"""The audit of one revision, in steps. Each may be repeated, and has its effect once.

``begin`` counts the attempt, ``examine`` runs the checks and keeps what they said as a draft, ``attest`` signs and logs
the draft, ``settle`` makes it the revision's audit. The draft is what makes repetition harmless: what gets signed is
decided once, and a statement that the log holds already is not logged again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, select, update

from hallmarked.audit.attested import of_own
from hallmarked.audit.audit import judge
from hallmarked.audit.examine import examine as run_checks
from hallmarked.audit.report.report import Report
from hallmarked.cards.claim import derive_claims
from hallmarked.cards.known import know
from hallmarked.checks.malware import INFECTED, signatures
from hallmarked.checks.ruleset import rule_set_digest
from hallmarked.checks.runner import items
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Finding, Gap, Outcome, Statement
from hallmarked.core.sandbox import Limits
from hallmarked.core.text import clean
from hallmarked.corpus.engine.model import NATIVE, Engine, parse_engine
from hallmarked.corpus.table.ending import table_paths
from hallmarked.hub.catalog.listing import set_labels
from hallmarked.hub.clock import now, to_datetime
from hallmarked.hub.database import add_new
from hallmarked.hub.hub import Hub
from hallmarked.hub.job.benchmark import open_benchmarks
from hallmarked.hub.job.reuse import Memory
from hallmarked.hub.job.stage import stage
from hallmarked.hub.repository.repository import MAIN, Repository, repository_of
from hallmarked.hub.repository.revision import Revision, find_revision, list_files
from hallmarked.hub.repository.subject import COMMIT, FOLDER
from hallmarked.hub.review.attested import gather, statement_id
from hallmarked.hub.review.audited import Audit, find_audit
from hallmarked.hub.review.context import usual_context
from hallmarked.hub.review.decision import Act, list_decisions, standing
from hallmarked.hub.review.finding import check_of, sort_findings
from hallmarked.hub.review.judgement import settle as settle_contexts
from hallmarked.hub.review.moderation import Case, apply_audit, apply_gate
from hallmarked.hub.review.status import SCANNER, summarise
from hallmarked.hub.schema.repository import ref, revision
from hallmarked.hub.schema.review import audit, draft
from hallmarked.hub.setting import Settings
from hallmarked.ledger.trust import Role

MAX_REASON = 500
MOST_BY_ITSELF = 4
"""Processes that read parts of a data set when the settings do not say how many: each may use a check's memory."""
STATES = {Outcome.PASS: "available", Outcome.FAIL: "held", Outcome.UNKNOWN: "unknown"}

ASKED = ""
"""Rule set of a revision that no rules have judged yet, or that has to be judged again whatever rules did."""


@dataclass(frozen=True, slots=True)
class Task:
    """Which revision is audited, under which rules."""

    repository_id: str
    oid: str
    rule_set: str
    signatures: int = 0
    """Version of the malware signatures for which it is done; 0 when no scanner answered."""

    @property
    def id(self) -> str:
        """Names this audit, for good."""
        return f"{self.repository_id}-{self.oid}-{self.rule_set[:16]}.{self.signatures}"


def task_of(repository_id: str, oid: str, signatures: int = 0) -> Task:
    """Return the audit of a revision under the rules of this installation."""
    return Task(repository_id, oid, rule_set_digest(), signatures)


def limits_of(settings: Settings) -> Limits:
    """Return what each check may use."""
    seconds = settings.job.check_minutes * 60
    return Limits(seconds, seconds, settings.job.check_memory_mib << 20)


def engine_of(settings: Settings) -> Engine:
    """Return who reads the parts of data sets: so many confined processes of this machine.

    Raises:
        InputError: When the settings name a number that nobody can mean.
    """
    chosen = settings.job.processes
    return parse_engine(NATIVE, chosen or min(os.cpu_count() or 1, MOST_BY_ITSELF))


def begin(hub: Hub, task: Task) -> bool:
    """Count an attempt; False when there is nothing (more) to do, or the scanner here knows too little for it."""
    most = hub.settings.job.attempts
    if task.signatures > 0 and signatures() < task.signatures:
        return False  # it stays due, for a process whose scanner is up to date
    with hub.database.write() as db:
        if _is_done(db, task):
            return False
        where = (revision.c.repository_id == task.repository_id, revision.c.oid == task.oid)
        attempts = db.execute(
            update(revision).where(*where).values(attempts=revision.c.attempts + 1).returning(revision.c.attempts)
        ).scalar()
        if attempts is None:
            return False  # the repository was purged
        if attempts > most:
            why = db.execute(select(revision.c.reason).where(*where)).scalar()
            _give_up(db, hub.settings, task, why or f"its audit began {most} times and never came to its end")
        return bool(attempts <= most)


def examine(hub: Hub, task: Task) -> None:
    """Run the checks and keep what they said.

    Raises:
        InputError: When there is nothing to examine.
        BackendError: When the revision's bytes cannot be read, or the draft cannot be kept.
    """
    database = hub.database
    with database.read() as db:
        if _is_drafted(db, task):
            return
        repo = repository_of(db, task.repository_id)
        at = find_revision(db, repo, task.oid)
    start = hub.journal.size
    report = _report(hub, repo, at)
    verdict = report.verdict
    with database.write() as db:
        row = {
            "id": task.id, "repository_id": task.repository_id, "revision": task.oid, "rule_set": task.rule_set,
            "outcome": verdict.outcome.value, "reason": reason_of(report), "start": start, "created": now(),
            "statements": [statement.to_dict() for statement in report.statements],
        }  # fmt: skip
        add_new(db, draft, [row])


def attest(hub: Hub, task: Task) -> list[int]:
    """Sign and log the draft, and return where it lies in the log.

    Raises:
        BackendError: When the log cannot be written.
    """
    with hub.database.read() as db:
        row = db.execute(select(draft).where(draft.c.id == task.id)).first()
        if row is None:
            return []
        hidden = repository_of(db, task.repository_id).scope.private
        before = find_audit(db, task.repository_id, task.oid)
    statements = [Statement.from_dict(body) for body in row.statements]
    places = _stated(hub, before, statements, hidden)
    new = [statement for statement, place in zip(statements, places, strict=True) if place is None]
    logged = hub.journal.locate(new, row.start) or [one.index for one in hub.journal.attest(new, hidden=hidden)]
    rest = iter(logged)
    return [next(rest) if place is None else place for place in places]


def _stated(hub: Hub, before: Audit | None, statements: Sequence[Statement], hidden: bool) -> list[int | None]:
    """Return where each statement lies in the log already, because an earlier audit of the revision said the same.

    So a revision that is audited every time the signatures change adds to the log what changed, not all over again.
    """
    said = list(zip(before.statements, before.entries, strict=False)) if before is not None else []
    return [
        next((entry for other, entry in said if other == one and hub.journal.stands(entry, one, hidden=hidden)), None)
        for one in statements
    ]


def settle(hub: Hub, task: Task, entries: Sequence[int]) -> None:
    """Make the draft the revision's audit, and let its state follow from it."""
    with hub.database.write() as db:
        row = db.execute(select(draft).where(draft.c.id == task.id)).first()
        if row is None:
            return
        statements = [Statement.from_dict(body) for body in row.statements]
        kept = {name: getattr(row, name) for name in ("repository_id", "revision", "rule_set", "outcome")}
        made = _name(db, task)
        add_new(
            db,
            audit,
            [
                {
                    **kept,
                    "id": made,
                    "statements": row.statements,
                    "entries": list(entries),
                    "ids": [statement_id(statement) for statement in statements],
                    "files": summarise(statements),
                    "created": now(),
                }
            ],
        )
        db.execute(delete(draft).where(draft.c.id == task.id))
        _mark(db, task, _digest_of(statements))
        repo = repository_of(db, task.repository_id)
        at = find_revision(db, repo, task.oid)
        case = Case(repo, at, hub.settings.policy)
        state, reason = STATES[Outcome(row.outcome)], row.reason
        if at.state == "held" and state != "held" and _is_forgotten(db, repo, at, statements):
            state, reason = at.state, at.reason
        gate = settle_contexts(hub, db, repo, at)
        if state == "available" and gate.context:
            apply_gate(db, case, gate.context, gate.reason, gate.until)
        else:
            apply_audit(db, case, made, state, reason, statements, gate.until)
        _label(db, repo, at, statements)


def _is_forgotten(db: Connection, repo: Repository, at: Revision, statements: Sequence[Statement]) -> bool:
    """Say whether malware is why it is held, and could not be looked for: a scanner that is away clears nobody."""
    last = standing(list_decisions(db, repo.id, at.oid))
    known = last is not None and last.act is Act.HOLD and INFECTED.id in last.data.get("rules", ())
    said = {check_of(one): one.predicate.get("outcome") for one in statements}
    return known and said.get(SCANNER) == Outcome.UNKNOWN


def note_failure(hub: Hub, task: Task, reason: str) -> None:
    """Remember why an audit did not come to its end, for those who look at the revision meanwhile."""
    with hub.database.write() as db:
        db.execute(
            update(revision)
            .where(
                revision.c.repository_id == task.repository_id,
                revision.c.oid == task.oid,
                revision.c.state == "checking",
            )
            .values(reason=f"it could not be checked yet: {clean(reason)}"[:MAX_REASON])
        )


def give_up(hub: Hub, task: Task, reason: str) -> None:
    """Say that an audit could not be done, and why."""
    with hub.database.write() as db:
        if not _is_done(db, task):
            _give_up(db, hub.settings, task, reason)


def audit_revision(hub: Hub, task: Task) -> None:
    """Do the whole audit of a revision, here and now.

    Raises:
        BackendError: When it cannot be done now.
    """
    try:
        if begin(hub, task):
            examine(hub, task)
            settle(hub, task, attest(hub, task))
    except InputError as error:
        give_up(hub, task, str(error))


def reason_of(report: Report) -> str:
    """Say in one sentence why a verdict is not a pass; empty when it is one."""
    verdict = report.verdict
    if verdict.outcome is Outcome.PASS:
        return ""
    if verdict.outcome is Outcome.UNKNOWN:
        return clean(verdict.reasons[0])[:MAX_REASON]
    worst = [
        item
        for statement in report.statements
        for item in items(statement)
        if isinstance(item, Finding) and item.level.rank >= report.context.fail_on.rank
    ]
    if not worst:  # a requirement of the context failed, and no finding
        return clean(verdict.reasons[0])[:MAX_REASON]
    worst.sort(key=lambda finding: -finding.level.rank)
    rest = f", and {len(worst) - 1} more" if len(worst) > 1 else ""
    path = worst[0].location.path if worst[0].location else ""
    said = worst[0].message if path in worst[0].message else f"{path}: {worst[0].message}"
    return f"{clean(said)[:MAX_REASON]} ({worst[0].rule}{rest})"


def _label(db: Connection, repo: Repository, at: Revision, statements: Sequence[Statement]) -> None:
    """Let the repository be found by what the audit of its main branch saw."""
    where = (ref.c.repository_id == repo.id, ref.c.name == MAIN, ref.c.oid == at.oid)
    if db.execute(select(ref.c.oid).where(*where)).first():
        files = sort_findings(statements)
        seen = [one.item for those in (*files.by_path.values(), files.overall) for one in those]
        levels = sorted({str(item.level) for item in seen if isinstance(item, Finding)})
        gaps = ["unknown"] if files.broken or any(isinstance(item, Gap) for item in seen) else []
        set_labels(db, repo.id, "finding", [*levels, *gaps] or ["none"])
        time = to_datetime(now())
        claims = derive_claims(know(of_own(statements, time, "hub")), time)
        set_labels(db, repo.id, "claim", sorted({str(claim.status) for claim in claims}))


def _report(hub: Hub, repo: Repository, at: Revision) -> Report:
    """Run the checks on what is not known yet, remember what they say of it, and judge."""
    context, limits = usual_context(hub), limits_of(hub.settings)
    memory = Memory(repo.id, limits)
    with hub.database.read() as db:
        others = [one for one in gather(hub, db, repo).attestations if one.keyid != hub.journal.keyid]
        entries = list_files(db, at)
        # Whoever asks again wants the checks to look again, not to hear what they said.
        earlier = memory.recall(db, () if _is_asked(db, repo, at) else entries)
    # Checks of data sets read tables whole, one after the other: what lies elsewhere is fetched once for all of them.
    settled = memory.settled(earlier).difference(table_paths([entry.path for entry in entries]))
    with stage(hub.database, hub.blobs, repo, at, hub.settings.scratch, settled) as artifact:
        artifact.beside = open_benchmarks(hub.settings.job.benchmarks)
        examination = run_checks(artifact, limits=limits, earlier=earlier, engine=engine_of(hub.settings))
    memory.keep(hub.database, entries, examination.results)
    time = datetime.now(UTC).replace(microsecond=0)
    return judge(examination, context, time, role=Role.HUB, outside=others)


def _is_drafted(db: Connection, task: Task) -> bool:
    return db.execute(select(draft.c.id).where(draft.c.id == task.id)).first() is not None


def _is_done(db: Connection, task: Task) -> bool:
    """Say whether the revision was judged under these rules and signatures, and nobody asked for that again since."""
    made = revision.c
    where = (made.repository_id == task.repository_id, made.oid == task.oid, made.rule_set == task.rule_set)
    judged = select(made.oid).where(*where, made.audited, made.signatures >= task.signatures)
    return db.execute(judged).first() is not None


def _is_asked(db: Connection, repo: Repository, at: Revision) -> bool:
    """Whether somebody wants a revision audited again that was audited before."""
    made = revision.c
    where = (made.repository_id == repo.id, made.oid == at.oid, made.rule_set == ASKED, made.audited)
    return db.execute(select(made.oid).where(*where)).first() is not None


def _name(db: Connection, task: Task) -> str:
    """Return the id of the audit that a task comes to: its own, then a numbered one for each time it is repeated."""
    made = audit.c
    where = (made.repository_id == task.repository_id, made.revision == task.oid, made.rule_set == task.rule_set)
    number = db.execute(select(func.count()).select_from(audit).where(*where)).scalar_one()
    return f"{task.id}-{number}" if number else task.id


def _digest_of(statements: Sequence[Statement]) -> str:
    """Return the digest of the files that an audit was of."""
    subjects = (one.digest for said in statements for one in said.subjects if COMMIT in one.digest)
    return next(subjects, {}).get(FOLDER, "")


def _mark(db: Connection, task: Task, digest: str = "") -> None:
    """Note that a revision was judged under these rules, and the digest of its files where it is known."""
    db.execute(
        update(revision)
        .where(revision.c.repository_id == task.repository_id, revision.c.oid == task.oid)
        .values(
            audited=True,
            rule_set=task.rule_set,
            signatures=task.signatures,
            settled=now(),
            attempts=0,
            **({"digest": digest} if digest else {}),
        )
    )


def _give_up(db: Connection, settings: Settings, task: Task, reason: str) -> None:
    db.execute(delete(draft).where(draft.c.id == task.id))
    _mark(db, task)
    repo = repository_of(db, task.repository_id)
    case = Case(repo, find_revision(db, repo, task.oid), settings.policy)
    apply_audit(db, case, task.id, "unknown", clean(reason)[:MAX_REASON], [])
