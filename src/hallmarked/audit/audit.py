"""The main job: examine, derive claims, decide, sign, log, and hand out the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from hallmarked.audit.attested import of_own
from hallmarked.audit.examine import Examination
from hallmarked.audit.report.report import Evidence, Report
from hallmarked.cards.claim import derive_claims
from hallmarked.cards.known import know
from hallmarked.cards.statement import to_statement as claims_statement
from hallmarked.core.errors import BackendError
from hallmarked.core.evidence import Attestation
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.trust import Role
from hallmarked.policy.context import Context
from hallmarked.policy.decide import decide
from hallmarked.policy.fact import Facts
from hallmarked.policy.statement import to_statement as decision_statement

OURS = "this audit"
"""Who states what the checks of an audit saw, before anybody signed it."""


def judge(
    examination: Examination,
    context: Context,
    time: datetime,
    *,
    role: str = Role.MAKER,
    outside: Sequence[Attestation] = (),
) -> Report:
    """Derive the claims and decide: pure functions of what the checks saw and of what others state.

    Args:
        examination: What the checks saw.
        context: What to judge it for.
        time: When it is judged, UTC.
        role: As what whoever is about to sign is trusted.
        outside: What others state, about these bytes or others.

    Raises:
        InputError: When something was seen that no statement can carry.
    """
    own = of_own(examination.statements, time, role, OURS)
    others = [one for one in outside if one.id not in {each.id for each in own}]
    claims = derive_claims(know([*others, *own], examination.subject), time)
    if claims:
        own += of_own([claims_statement(claims, examination.subject)], time, role, OURS)
    decision = decide(Facts([*others, *own], examination.subject), context, time)
    used = set(decision.evidence)
    heard = [one for one in others if one.id in used]
    statements = [*(one.statement for one in own), decision_statement(decision, examination.subject, own, heard)]
    return Report(examination, claims, decision, statements, outside=others)


@dataclass(frozen=True, slots=True)
class Signed:
    """A report whose statements were signed and logged."""

    report: Report
    bundle: bytes
    """``evidence.json``."""


def sign(report: Report, ledger: Ledger, command: str) -> Signed:
    """Sign and log what a report says.

    Args:
        report: The report.
        ledger: Whose key and log.
        command: The command that verifies, without the keys.

    Raises:
        BackendError: When the log cannot be written; then nothing was logged.
    """
    receipts = ledger.attest(report.statements, time=report.time)
    evidence = Evidence(ledger.key.keyid, ledger.log.origin, with_keys(command, ledger))
    return Signed(replace(report, evidence=evidence), ledger.export_bundle(receipts))


def with_keys(command: str, ledger: Ledger) -> list[str]:
    """Return a command that verifies, with the keys to trust, in the lines of a shell."""
    keys = [key.keyid for key in ledger.trust.keys if key.keyid in {ledger.key.keyid, ledger.log.keyid}]
    lines = [command, *(f"  --key {keyid}" for keyid in keys)]
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]


def write(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a folder, each whole or not at all, in the order given.

    Raises:
        BackendError: When a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in contents.items():
            draft = folder / f".{name}.partial"
            draft.write_bytes(data)
            draft.replace(folder / name)
    except OSError as error:
        raise BackendError(f"cannot write {folder}: {(error.strerror or str(error)).lower()}") from error
