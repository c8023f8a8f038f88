"""What others state about revisions: taken in, listed, and never taken away by whose repository it is.

An evidence file is verified against the hub's trust file. Everything in it must be signed by somebody the operator
counts (``hallmarked admin trust``), through a log the operator counts, about a revision of this repository; then all
of it is logged here, with a statement of the hub about when it came and how old it is, or nothing is. What the hub
itself signed is passed over: it is shown as what it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from hallmarked.audit.attested import RECEIVED_TYPE, speaking
from hallmarked.core.errors import Forbidden, InputError, NotFound, VerificationError
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.core.text import clean
from hallmarked.hub.access import Action, Actor, require, require_administrator
from hallmarked.hub.account.notice import Kind, notify_all
from hallmarked.hub.clock import now, to_datetime, to_text
from hallmarked.hub.error import Conflict, TooLarge
from hallmarked.hub.hub import Hub
from hallmarked.hub.kind import page_path
from hallmarked.hub.repository.collaborator import list_owners
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.repository.subject import FOLDER, find_subject, subject_of
from hallmarked.hub.review.moderation import Case, note_removal
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.evidence import evidence
from hallmarked.hub.trail import Tag, record
from hallmarked.ledger.bundle import carried_evidence
from hallmarked.ledger.canonical import statement_bytes
from hallmarked.ledger.dsse import Envelope, read_sigstore
from hallmarked.ledger.strict import parse_json
from hallmarked.ledger.trust import Role, Trust, TrustedKey
from hallmarked.ledger.verify import Verified, VerifiedEntry, verify_bundle

MOST_BYTES = 8 << 20
"""Of an evidence file that is brought."""
MOST_ENTRIES = 500
"""Statements in one."""
MOST_KEPT = 10_000
"""Statements of others that are kept about one repository."""
RESERVED = frozenset({RECEIVED_TYPE, "urn:hallmarked:moderation:v1", "urn:hallmarked:event:v1"})
"""Types of statements about what a hub did, which only the hub makes."""


@dataclass(frozen=True, slots=True)
class Outside:
    """A statement that somebody else made about a revision."""

    id: str
    revision: str
    """The commit it is about."""
    attestation: Attestation
    entry: int
    """Its place in the hub's ledger."""
    receipt: int | None
    """Place of the hub's statement that it came."""
    created: int
    """When it came; milliseconds since the epoch."""
    removed: int | None
    """When it was removed by moderation; None while it counts."""
    reason: str
    """Why it was removed."""

    def to_dict(self) -> dict[str, Any]:
        """Return what is told of it."""
        one = self.attestation
        told: dict[str, Any] = {
            "id": self.id,
            "statement": one.id,
            "revision": self.revision,
            "predicateType": one.statement.predicate_type,
            "role": one.role,
            "signer": one.signer,
            "keyid": one.keyid,
            "statedAt": to_text(int(one.time.timestamp() * 1000)),
            "receivedAt": to_text(self.created),
            "entry": self.entry,
            "receipt": self.receipt,
        }
        return told | ({"removedAt": to_text(self.removed), "reason": self.reason} if self.removed else {})


@dataclass(frozen=True, slots=True)
class Received:
    """What came of an evidence file."""

    new: tuple[Outside, ...]
    """Statements that were taken in."""
    known: int
    """Statements that were here already."""
    own: int
    """Statements the hub made itself, and shows anyway."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A statement of an evidence file that is to be taken in."""

    entry: VerifiedEntry
    envelope: Envelope
    key: TrustedKey
    said: Attestation
    """The statement, as that of whom it is signed for."""
    revision: str

    @property
    def id(self) -> str:
        return self.said.id


def take_in(hub: Hub, db: Connection, actor: Actor, repo: Repository, data: bytes) -> Received:
    """Take in an evidence file about a repository: all of it, or nothing.

    Args:
        hub: The hub.
        db: A writing transaction.
        actor: Who brings it.
        repo: The repository.
        data: The bytes of the file.

    Raises:
        TooLarge: When it is larger, or has more statements, than is accepted.
        InputError: When it does not hold, or is about something else.
        Forbidden: When the actor may not bring evidence, or somebody signed it whose word does not count here.
        Conflict: When so much is kept about the repository already that nothing more is.
        BackendError: When the ledger cannot be written; then nothing was taken in.
    """
    require(db, actor, Action.ATTEST, repo.scope)
    time, trust = datetime.now(UTC), hub.journal.trusted()
    verified, envelopes = _verify(data, trust, time)
    own = hub.journal.own_keys(trust)
    theirs = [(e, one) for e, one in zip(verified.entries, envelopes, strict=True) if e.keyid not in own]
    pieces = {}
    for entry, envelope in theirs:
        piece = _judge(db, repo, entry, envelope, trust.find(entry.keyid), time)
        pieces[piece.id, piece.said.keyid] = piece
    here = _known(db, repo)
    new = [piece for key, piece in pieces.items() if key not in here]
    if new and len(here) + len(new) > MOST_KEPT:
        raise Conflict(f"so many statements are kept about {repo.name} already that no more are taken in")
    made = _log(hub, db, actor, repo, new, verified.checkpoint.origin) if new else ()
    if made:
        _tell(db, actor, repo, new)
    return Received(made, len(theirs) - len(new), len(verified.entries) - len(theirs))


def list_outside(
    db: Connection, repo: Repository, *, revision: str = "", limit: int = 100, before: tuple[int, str] | None = None
) -> list[Outside]:
    """List what others state about a repository, what came last first; what was removed is listed as removed.

    Args:
        db: A transaction.
        repo: The repository.
        revision: Only about this commit; about all when empty.
        limit: How many at most.
        before: Time and id of the last one that was seen.
    """
    made = evidence.c
    query = select(evidence).where(made.repository_id == repo.id)
    if revision:
        query = query.where(made.revision == revision)
    if before is not None:
        query = query.where((made.created < before[0]) | ((made.created == before[0]) & (made.id < before[1])))
    return [read_row(row) for row in db.execute(query.order_by(made.created.desc(), made.id.desc()).limit(limit))]


def find_outside(db: Connection, repo: Repository, evidence_id: str) -> Outside:
    """Return one statement that somebody made about a repository.

    Raises:
        NotFound: When there is no such statement.
    """
    made = evidence.c
    row = db.execute(select(evidence).where(made.repository_id == repo.id, made.id == evidence_id)).first()
    if row is None:
        raise NotFound(f"there is no statement {clean(evidence_id)[:40]} about {repo.name}")
    return read_row(row)


@dataclass(frozen=True, slots=True)
class Removal:
    """How a statement is removed."""

    reason: str
    """Why, for everybody."""
    erase: bool = False
    """Erase what it says as well, where it should never have been said; its place in the ledger stays."""


def remove(hub: Hub, db: Connection, actor: Actor, repo: Repository, evidence_id: str, how: Removal) -> Outside:
    """Let a statement count no more, as somebody who manages the hub, with a reason that everybody can read.

    The entry stays in the ledger, and is not handed out any more. The repository's owner cannot do this: nobody takes
    away what is said about them.

    Args:
        hub: The hub.
        db: A writing transaction.
        actor: Who manages the hub.
        repo: The repository.
        evidence_id: Which statement.
        how: Why, and whether it is erased too.

    Raises:
        Forbidden: When the actor does not manage the hub.
        InputError: When no reason is given.
        NotFound: When there is no such statement.
        Conflict: When it was removed already.
        BackendError: When what it says may still be on disk; try again.
    """
    require_administrator(actor)
    made = evidence.c
    where = (made.repository_id == repo.id, made.id == evidence_id)
    row = db.execute(select(evidence).where(*where)).first()
    if row is None:
        raise NotFound(f"there is no statement {evidence_id[:40]} about {repo.name}")
    if row.removed is not None:
        raise Conflict("this statement was removed already")
    case = Case(repo, find_revision(db, repo, row.revision), hub.settings.policy)
    data = {"evidence": evidence_id, "statement": row.statement, "erased": how.erase}
    note_removal(db, actor, case, how.reason, data)
    values: dict[str, Any] = {"removed": now(), "reason": clean(" ".join(how.reason.split()))}
    if how.erase:
        said = read_row(row).attestation.statement
        values["payload"] = statement_bytes(Statement(said.subjects, said.predicate_type, {}))
    db.execute(update(evidence).where(*where).values(**values))
    if how.erase:
        hub.journal.erase(row.entry)
    return read_row(db.execute(select(evidence).where(*where)).one())


def read_row(row: Row[Any]) -> Outside:
    """Read a row of the table of evidence."""
    statement = Statement.from_dict(json.loads(row.payload))  # read strictly when it came
    time = to_datetime(min(row.stated, row.created))
    said = Attestation(statement, row.statement, time, row.role, row.signer, row.keyid)
    return Outside(row.id, row.revision, said, row.entry, row.receipt, row.created, row.removed, row.reason)


def _verify(data: bytes, trust: Trust, time: datetime) -> tuple[Verified, list[Envelope]]:
    if len(data) > MOST_BYTES:
        raise TooLarge(f"an evidence file of at most {MOST_BYTES:,} bytes is accepted here")
    try:
        file = carried_evidence(data)
        rows = parse_json(file, "bundle")
        listed = rows.get("entries") if isinstance(rows, dict) else None
        if isinstance(listed, list) and len(listed) > MOST_ENTRIES:
            raise TooLarge(f"an evidence file with at most {MOST_ENTRIES:,} statements is accepted here")
        return verify_bundle(file, trust, now=time), [read_sigstore(row["bundle"]) for row in rows["entries"]]
    except VerificationError as error:
        raise InputError(f"this evidence does not hold: {error}") from error


def _judge(
    db: Connection, repo: Repository, entry: VerifiedEntry, envelope: Envelope, key: TrustedKey | None, time: datetime
) -> _Piece:
    """Say that a statement may be taken in.

    Raises:
        Forbidden: When its signer's word does not count here.
        InputError: When it is about something else.
    """
    which = f"entry {entry.index} of the evidence"
    if key is None or not entry.trusted:
        raise Forbidden(f"{which} does not count here: {entry.reason}; whoever runs this hub can add it")
    if why := key.refuses(time):
        raise Forbidden(f"{which} does not count here: {why}")
    owner = repo.name.partition("/")[0]
    if key.role is Role.MAKER and key.name.lower() != owner.lower():
        raise Forbidden(f"{which} does not count here: {key.name} speaks as the maker of other repositories")
    if entry.predicate_type in RESERVED:
        raise InputError(f"{which} is of a type that only a hub states about itself")
    try:
        statement = Statement.from_dict(entry.statement)
    except ValueError as error:
        raise InputError(f"{which} is not a statement: {error}") from error
    oid = find_subject(db, repo, statement)
    if not oid:
        raise InputError(f"{which} is about no revision of {repo.name}")
    return _Piece(entry, envelope, key, _speaker(entry, key, statement), oid)


def _speaker(entry: VerifiedEntry, key: TrustedKey, statement: Statement) -> Attestation:
    """Return a statement as that of whom it is signed for: people on another hub are people from outside here.

    Whose account has a name there need not be who has that name here.
    """
    named = f"sha256:{hashlib.sha256(entry.payload).hexdigest()}"
    one = Attestation(statement, named, entry.time, key.role.value, key.name, entry.keyid)
    said = speaking(one)
    return said if said.role in {one.role, ""} else replace(said, role=Role.COMMUNITY.value)


def _known(db: Connection, repo: Repository) -> set[tuple[str, str]]:
    made = evidence.c
    rows = db.execute(select(made.statement, made.keyid).where(made.repository_id == repo.id))
    return {(row.statement, row.keyid) for row in rows}


def _log(
    hub: Hub, db: Connection, actor: Actor, repo: Repository, pieces: Sequence[_Piece], log: str
) -> tuple[Outside, ...]:
    """Log statements, and that they came; keep where they are."""
    time, hidden = now(), repo.scope.private
    oids = dict.fromkeys(piece.revision for piece in pieces)
    about = tuple(_by_files(subject_of(db, repo, find_revision(db, repo, oid))) for oid in oids)
    said = _received(pieces, about, time, log)
    placed = hub.journal.adopt([(piece.envelope, piece.key.public) for piece in pieces], hidden=hidden)
    receipt = hub.journal.attest([said], hidden=hidden)[0].index
    rows = [
        {
            "id": new_id(), "repository_id": repo.id, "revision": piece.revision, "statement": piece.id,
            "payload": piece.entry.payload, "predicate_type": piece.entry.predicate_type, "keyid": piece.said.keyid,
            "role": piece.said.role, "signer": piece.said.signer, "entry": place.index, "receipt": receipt,
            "account_id": actor.account_id, "stated": min(time, int(piece.entry.time.timestamp() * 1000)),
            "created": time, "removed": None, "reason": "",
        }
        for piece, place in zip(pieces, placed, strict=True)
    ]  # fmt: skip
    db.execute(insert(evidence), rows)
    signers = sorted({piece.entry.keyid for piece in pieces})
    record(db, actor, Tag.EVIDENCE_RECEIVED, f"repository:{repo.id}", {"receipt": receipt, "keys": signers})
    found = db.execute(select(evidence).where(evidence.c.id.in_([row["id"] for row in rows])))
    order = {row["id"]: number for number, row in enumerate(rows)}
    return tuple(sorted((read_row(row) for row in found), key=lambda one: order[one.id]))


def _by_files(subject: Subject) -> Subject:
    """Return a subject by its files alone, where they have a digest: other commits may have the same files."""
    folder = subject.digest.get(FOLDER)
    return Subject(subject.name, {FOLDER: folder}) if folder else subject


def _received(pieces: Sequence[_Piece], about: tuple[Subject, ...], time: int, log: str) -> Statement:
    """State what came, and how old it is: who brings an old statement again does not make it fresh."""
    listed: list[Mapping[str, str]] = [
        {
            "id": piece.id, "keyid": piece.entry.keyid, "role": piece.key.role.value, "signer": piece.key.name,
            "loggedAt": f"{piece.entry.time:%Y-%m-%dT%H:%M:%SZ}", "log": log,
        }
        for piece in pieces
    ]  # fmt: skip
    return Statement(about, RECEIVED_TYPE, {"time": to_text(time), "received": listed})


def _tell(db: Connection, actor: Actor, repo: Repository, pieces: Sequence[_Piece]) -> None:
    """Leave a message for those whose repository it is, unless they brought it."""
    who = ", ".join(sorted({piece.key.name for piece in pieces}))[:200]
    count = len(pieces)
    text = f"{count} statement{'s' if count > 1 else ''} about {repo.name} came, signed by {clean(who)}"
    people = [who for who in list_owners(db, repo) if who != actor.account_id]
    notify_all(db, people, Kind.REVIEW, text, page_path(repo.scope.kind, repo.name))
