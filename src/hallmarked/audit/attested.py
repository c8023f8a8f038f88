"""Gather statements about something, with who signed them and when, from the evidence files at hand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from hallmarked.audit.verify import read_file
from hallmarked.core.errors import InputError, VerificationError
from hallmarked.core.evidence import Attestation, Statement
from hallmarked.ledger.bundle import carried_evidence
from hallmarked.ledger.canonical import statement_bytes
from hallmarked.ledger.trust import Trust
from hallmarked.ledger.verify import Verified, verify_bundle

EVIDENCE = "evidence.json"
"""What an audit writes, anew each time."""
RECORDS = "records.json"
"""What people stated; statements are only ever added."""


def gather(files: Sequence[Path], trust: Trust) -> tuple[Attestation, ...]:
    """Read evidence files, and keep each statement once, oldest first.

    Args:
        files: Evidence files, such as those an audit wrote.
        trust: Whose keys count, and as what. Statements of others are kept without a role.

    Raises:
        InputError: When a file cannot be read.
        VerificationError: When a link of the chain of evidence is broken; the message names the file.
    """
    found: dict[str, Attestation] = {}
    for path in files:
        data = read_file(path)
        try:
            verified = verify_bundle(carried_evidence(data), trust)
        except VerificationError as error:
            raise VerificationError(f"{path}: {error}", link=error.link) from error
        for one in from_verified(verified):
            found.setdefault(one.id, one)
    return tuple(sorted(found.values(), key=lambda one: one.time))


def from_verified(verified: Verified) -> tuple[Attestation, ...]:
    """Return the statements of evidence that was verified.

    Raises:
        InputError: When a payload is not a statement.
    """
    made = []
    for entry in verified.entries:
        try:
            statement = Statement.from_dict(entry.statement)
        except ValueError as error:
            raise InputError(f"entry {entry.index} of the evidence is not a statement: {error}") from error
        role = entry.role.value if entry.trusted and entry.role is not None else ""
        signer = entry.signer if entry.trusted else ""
        made.append(Attestation(statement, _id(entry.payload), entry.time, role, signer, entry.keyid))
    return tuple(made)


def of_own(statements: Iterable[Statement], time: datetime, role: str, signer: str = "") -> tuple[Attestation, ...]:
    """Return statements that were made here just now, before anybody signs them.

    Args:
        statements: What was stated.
        time: When.
        role: As what whoever is about to sign is trusted.
        signer: Who that is.
    """
    return tuple(Attestation(one, _id(statement_bytes(one)), time, role, signer) for one in statements)


def beside(path: Path) -> tuple[Path, ...]:
    """Return the evidence beside a folder: what an audit wrote and what people stated, where there is some."""
    resolved = path.resolve()
    folder = resolved.with_name(f"{resolved.name}.hallmarked")
    return tuple(file for file in (folder / EVIDENCE, folder / RECORDS) if file.is_file())


def _id(payload: bytes) -> str:
    return f"sha256:{hashlib.sha256(payload).hexdigest()}"
