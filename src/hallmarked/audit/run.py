"""File what is said of training runs: sign it, log it, and hand out everything that was said of the run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.ledger.bundle import export_bundle
from hallmarked.ledger.canonical import statement_bytes
from hallmarked.ledger.ledger import Ledger
from hallmarked.profiles.run.decide import Decision, decide, to_statement
from hallmarked.profiles.run.file import PlanFile
from hallmarked.profiles.run.log import Logged
from hallmarked.profiles.run.pack import Pack
from hallmarked.profiles.run.project import facts_of, project
from hallmarked.profiles.run.review import Review, review
from hallmarked.records.field import write
from hallmarked.records.record import Record, Signed
from hallmarked.records.result import Measured
from hallmarked.records.run_deviation import Change, RunDeviation
from hallmarked.records.run_plan import RunPlan

MOST_SHOWN = 2000
"""Characters of a value in a change."""


@dataclass(frozen=True, slots=True)
class Filed:
    """What was signed and logged."""

    evidence: bytes
    """``evidence.json`` with all that this machine's log has about the run."""
    id: str
    """Of the statement that was filed."""


def decide_plan(file: PlanFile, packs: Sequence[Pack], time: datetime) -> tuple[Decision, ...]:
    """Say what a plan comes to under each pack.

    Raises:
        InputError: When its numbers make no sense together.
    """
    facts = facts_of(file.plan, project(file.plan), file.subject, time)
    return tuple(decide(file.plan, facts, pack, time) for pack in packs)


def notify(ledger: Ledger, file: PlanFile, packs: Sequence[Pack], time: datetime) -> Filed:
    """File a plan, with what it comes to under each pack.

    Raises:
        InputError: When its numbers make no sense together.
        BackendError: When the log cannot be written; then nothing was filed.
    """
    projected = replace(file.plan, measurements=project(file.plan).measurements)
    return _file(ledger, projected.to_statement(file.subject), decide_plan(file, packs, time), (), time)


def deviate(
    ledger: Ledger,
    held: Sequence[Attestation],
    deviation: RunDeviation,
    packs: Sequence[Pack],
    time: datetime,
    model: Subject | None = None,
) -> Filed:
    """File a deviation, with what the run comes to now.

    Args:
        ledger: Whose key and log; the plan must have been filed with it.
        held: Statements, the plan among them.
        deviation: What is otherwise.
        packs: Rules to hold the run against.
        time: When.
        model: What came out of the run, where it is there: then the statement is about it too.

    Raises:
        InputError: When the plan is not among the statements.
        BackendError: When the log cannot be written; then nothing was filed.
    """
    plan = find_plan(held, deviation.plan)
    subjects = [plan.source.statement.subjects[0], *([model] if model else [])]
    statement = deviation.to_statement(*subjects)
    about = Attestation(statement, _id(statement), time, "maker", deviation.by, ledger.key.keyid)
    (now,) = [one for one in review([*held, about], packs, time) if one.plan.source.id == deviation.plan]
    earlier = [("run-deviation", one.source.id) for one in now.deviations if one.source.id != about.id]
    rests = [("run-plan", plan.source.id), *earlier]
    return _file(ledger, statement, now.decisions, rests, time)


def rebut(ledger: Ledger, held: Sequence[Attestation], rebuttal: Record, plan: str, time: datetime) -> Filed:
    """File a rebuttal.

    Raises:
        InputError: When the plan is not among the statements.
        BackendError: When the log cannot be written; then nothing was filed.
    """
    subject = find_plan(held, plan).source.statement.subjects[0]
    return _file(ledger, rebuttal.to_statement(subject), (), (), time)


def record_decisions(ledger: Ledger, one: Review, time: datetime) -> Filed:
    """Sign and log what a run comes to under today's packs; earlier decisions stay as they are.

    Raises:
        BackendError: When the log cannot be written; then nothing was filed.
    """
    rests = [("run-plan", one.plan.source.id), *(("run-deviation", each.source.id) for each in one.deviations)]
    subject = one.plan.source.statement.subjects[0]
    statement = to_statement(one.decisions, subject, rests)
    ledger.attest([statement], time=time)
    return Filed(_export(ledger, subject), _id(statement))


def find_plan(held: Sequence[Attestation], id_: str = "") -> Signed[RunPlan]:
    """Return the plan with an id, or the only one there is.

    Raises:
        InputError: When there is none, or several and no id.
    """
    plans = [one for one in held if RunPlan.matches(one.statement) and id_ in {"", one.id}]
    if not plans:
        raise InputError(
            "the evidence has no statement of a run plan" if not id_ else f"the evidence has no plan {id_}"
        )
    if len(plans) > 1:
        raise InputError(f"the evidence has {len(plans)} run plans; name one of {', '.join(one.id for one in plans)}")
    return Signed(RunPlan.of_predicate(plans[0].statement.predicate), plans[0])


def changes_between(planned: RunPlan, now: RunPlan) -> tuple[Change, ...]:
    """Return what another version of a plan says otherwise."""
    before, after = (_flat(write(replace(plan, measurements=()))) for plan in (planned, now))
    fields = [field for field in {**before, **after} if before.get(field) != after.get(field)]
    return tuple(
        Change(field=field, planned=before.get(field, "not stated"), now=after.get(field, "not stated"))
        for field in fields
    )


def counted(logged: Logged) -> tuple[Measured, ...]:
    """Return what a log came to as measurements of a deviation."""
    made, hours = logged.estimate, logged.hours
    bounds = str(made.interval[0]), str(made.interval[1])
    operations = Measured(metric="run.operations", value=str(made.operations), unit="operations", interval=bounds)
    if hours is None:
        return (operations,)
    return operations, Measured(metric="run.hours", value=format(hours, "f"), unit="h")


def _flat(value: object, path: str = "") -> dict[str, str]:
    """Return the leaves of a JSON value by their paths."""
    if isinstance(value, dict):
        rows = ((f"{path}.{key}" if path else str(key), each) for key, each in value.items())
        return {name: text for inside, each in rows for name, text in _flat(each, inside).items()}
    if isinstance(value, list):
        return {name: text for at, each in enumerate(value) for name, text in _flat(each, f"{path}[{at}]").items()}
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return {path: text[:MOST_SHOWN]}


def _file(
    ledger: Ledger,
    statement: Statement,
    decisions: Sequence[Decision],
    rests_on: Sequence[tuple[str, str]],
    time: datetime,
) -> Filed:
    subject = statement.subjects[0]
    rests = [*rests_on, (statement.predicate_type.removeprefix("urn:hallmarked:").partition(":")[0], _id(statement))]
    decided = [to_statement(decisions, subject, rests)] if decisions else []
    ledger.attest([statement, *decided], time=time)
    return Filed(_export(ledger, subject), _id(statement))


def _export(ledger: Ledger, subject: Subject) -> bytes:
    """Write the evidence of everything that the log has about a run."""
    return export_bundle(ledger.log, ledger.log.find(f"sha256:{subject.digest['sha256']}"), ledger.trust)


def _id(statement: Statement) -> str:
    return f"sha256:{hashlib.sha256(statement_bytes(statement)).hexdigest()}"
