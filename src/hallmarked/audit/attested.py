"""Gather statements about something, with who signed them and when, from the evidence files at hand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from hallmarked.audit.verify import read_file
from hallmarked.core.errors import InputError, VerificationError
from hallmarked.core.evidence import Attestation, Statement
from hallmarked.ledger.bundle import carried_evidence
from hallmarked.ledger.canonical import statement_bytes
from hallmarked.ledger.strict import parse_time
from hallmarked.ledger.trust import SIGNER_ROLES, Role, Trust
from hallmarked.ledger.verify import Verified, verify_bundle
from hallmarked.policy.fact import rows

EVIDENCE = "evidence.json"
"""What an audit writes, anew each time."""
RECORDS = "records.json"
"""What people stated; statements are only ever added."""
RECEIVED_TYPE = "urn:hallmarked:received:v1"
"""A hub says what others brought it, and when their logs say it was logged."""
ON_BEHALF = "onBehalfOf"
"""Member of a predicate: for which account a hub signed, and as what that account speaks."""


def gather(files: Sequence[Path], trust: Trust) -> tuple[Attestation, ...]:
    """Read evidence files, and keep each statement of each signer once, oldest first.

    Args:
        files: Evidence files, such as those an audit wrote.
        trust: Whose keys count, and as what. Statements of others are kept without a role.

    Raises:
        InputError: When a file cannot be read.
        VerificationError: When a link of the chain of evidence is broken; the message names the file.
    """
    held = []
    for path in files:
        data = read_file(path)
        try:
            held.append(verify_bundle(carried_evidence(data), trust))
        except VerificationError as error:
            raise VerificationError(f"{path}: {error}", link=error.link) from error
    return from_files(held)


def from_files(files: Iterable[Verified]) -> tuple[Attestation, ...]:
    """Return the statements of several evidence files, each of each signer once, oldest first.

    Of several times at which logs have the same statement, and hubs say others have it, the earliest counts: bringing
    an old statement to another log does not make it fresh.

    Raises:
        InputError: When a payload is not a statement.
    """
    found: dict[tuple[str, str], Attestation] = {}
    logged: dict[tuple[str, str], datetime] = {}
    for verified in files:
        for one in from_verified(verified):
            known = found.get((one.id, one.keyid))
            found[one.id, one.keyid] = one if known is None or one.time < known.time else known
        for name, time in _logged_before(verified):
            logged[name] = min(time, logged.get(name, time))
    dated = (replace(one, time=min(one.time, logged.get((one.id, one.keyid), one.time))) for one in found.values())
    return tuple(sorted(dated, key=lambda one: one.time))


def from_verified(verified: Verified) -> tuple[Attestation, ...]:
    """Return the statements of evidence that was verified.

    A hub that took a statement of others in says when their own log has it (``urn:hallmarked:received:v1``); no
    statement is fresher than that.

    Raises:
        InputError: When a payload is not a statement.
    """
    made = []
    logged: dict[tuple[str, str], datetime] = {}
    for name, at in _logged_before(verified):
        logged[name] = min(at, logged.get(name, at))
    for entry in verified.entries:
        try:
            statement = Statement.from_dict(entry.statement)
        except ValueError as error:
            raise InputError(f"entry {entry.index} of the evidence is not a statement: {error}") from error
        role = entry.role.value if entry.trusted and entry.role is not None else ""
        signer = entry.signer if entry.trusted else ""
        named = _id(entry.payload)
        time = min(entry.time, logged.get((named, entry.keyid), entry.time))
        made.append(speaking(Attestation(statement, named, time, role, signer, entry.keyid)))
    return tuple(made)


def speaking(one: Attestation) -> Attestation:
    """Return a statement as that of the account for which a hub signed it; any other as it is.

    The hub says so in what it signs, so that somebody's waiver on a hub is not the hub's. Others cannot: what they put
    there counts for nothing.
    """
    said = one.statement.predicate.get(ON_BEHALF)
    if one.role != Role.HUB.value or not isinstance(said, Mapping):
        return one
    account, role = said.get("account"), said.get("role")
    if not isinstance(account, str) or not isinstance(role, str) or role not in SIGNER_ROLES:
        return replace(one, role="")
    return replace(one, role=role, signer=account, keyid=key_for(one.keyid, account))


def key_for(keyid: str, account: str) -> str:
    """Return what stands in place of a key for an account that has none: the hub's that signs for it, and its name."""
    return f"{keyid}#{account}"


def _logged_before(verified: Verified) -> Iterator[tuple[tuple[str, str], datetime]]:
    """Yield what trusted hubs say of the age of statements they took in, by id and key."""
    for entry in verified.entries:
        if entry.predicate_type != RECEIVED_TYPE or not entry.trusted or entry.role is not Role.HUB:
            continue
        for row in rows(entry.statement.get("predicate", {}).get("received")):
            named, keyid, text = (str(row.get(name, "")) for name in ("id", "keyid", "loggedAt"))
            with suppress(VerificationError):
                yield (named, keyid), parse_time(text, "payload")


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
