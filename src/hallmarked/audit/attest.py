"""Sign what people state, log it, and keep it in an evidence file beside what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hallmarked.audit.attested import RECORDS, from_verified
from hallmarked.audit.audit import write
from hallmarked.audit.verify import read_file
from hallmarked.core.errors import InputError, VerificationError
from hallmarked.core.evidence import Statement
from hallmarked.ledger.bundle import export_bundle
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.verify import verify_bundle


@dataclass(frozen=True, slots=True)
class Attested:
    """What was signed and where it is."""

    file: Path
    """The evidence file that has it, beside what was stated before."""
    index: int
    """Of the first of the entries in the log."""
    id: str
    """Of the first statement: what disputes and decisions refer to."""


def attest(statements: Sequence[Statement], ledger: Ledger, folder: Path, time: datetime) -> Attested:
    """Sign and log statements, and add them to the evidence file in a folder.

    Args:
        statements: What is stated, at least one.
        ledger: Whose key and log.
        folder: Holds ``records.json``, or will.
        time: When.

    Raises:
        InputError: When the file there is not evidence from this log, or a statement cannot be signed.
        VerificationError: When what is in the file does not hold.
        BackendError: When something cannot be written; when that is the log, nothing was logged.
    """
    file = folder / RECORDS
    before = _indexes(file, ledger) if file.exists() else []
    receipts = ledger.attest(statements, time=time)
    indexes = [*before, *(receipt.index for receipt in receipts)]
    data = export_bundle(ledger.log, indexes, ledger.trust)
    write(folder, {RECORDS: data})
    verified = verify_bundle(data, ledger.trust)
    ids = {entry.index: one.id for entry, one in zip(verified.entries, from_verified(verified), strict=True)}
    return Attested(file, receipts[0].index, ids[receipts[0].index])


def _indexes(file: Path, ledger: Ledger) -> list[int]:
    """Return which entries of the log a file has.

    Raises:
        InputError: When they are of another log.
        VerificationError: When the file does not hold.
    """
    data = read_file(file)
    try:
        verified = verify_bundle(data, ledger.trust)
    except VerificationError as error:
        raise VerificationError(f"{file}: {error}", link=error.link) from error
    if not verified.log_trusted or verified.checkpoint.origin != ledger.log.origin:
        raise InputError(f"{file} holds statements of another log; choose another --output")
    return [entry.index for entry in verified.entries]
