"""The main job: examine, derive claims, decide, sign, log, and hand out the evidence."""

from __future__ import annotations

from collections.abc import Mapping
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
from hallmarked.ledger.ledger import Ledger
from hallmarked.policy.context import Context, decide
from hallmarked.policy.context import to_statement as decision_statement


def judge(examination: Examination, context: Context, time: datetime) -> Report:
    """Derive the claims and the verdict: pure functions of what the checks saw.

    Args:
        examination: What the checks saw.
        context: What to judge it for.
        time: When it is judged, UTC.
    """
    claims = derive_claims(know(of_own(examination.statements, time, "maker")), time)
    verdict = decide(examination.statements, context)
    statements = [*examination.statements]
    if claims:
        statements.append(claims_statement(claims, examination.subject))
    statements.append(decision_statement(verdict, examination.subject, time, statements))
    return Report(examination, claims, context, verdict, time, statements)


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
    keys = [key.keyid for key in ledger.trust.keys if key.keyid == ledger.key.keyid or key.role == "log"]
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
