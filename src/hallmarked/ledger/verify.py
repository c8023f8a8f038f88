"""Verify evidence offline: bytes and trusted keys in, a typed result or the link of the chain that failed out.

Needs Python and ``cryptography`` (for Ed25519) and nothing else: the modules of this package it builds on import only
the standard library and ``cryptography``, and each holds one format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hallmarked.ledger.checkpoint import Checkpoint, read_checkpoint
from hallmarked.ledger.dsse import Envelope, pae, read_sigstore
from hallmarked.ledger.key import signed_by
from hallmarked.ledger.leaf import Leaf, match_leaf, read_leaf
from hallmarked.ledger.merkle import leaf_hash, root_from_inclusion
from hallmarked.ledger.note import NOTE_COSIGNATURE, NOTE_ED25519, NoteKey, open_note, read_note_key
from hallmarked.ledger.proof import read_proof
from hallmarked.ledger.statement import match_subjects, read_statement
from hallmarked.ledger.strict import b64decode, fail, members, parse_json
from hallmarked.ledger.trust import SIGNER_ROLES, Role, Trust, TrustedKey, read_keys

MEDIA_TYPE = "application/vnd.hallmarked.evidence.v1+json"
MAX_BUNDLE = 1 << 28
CLOCK_SKEW = timedelta(minutes=5)
"""How far two honest clocks may disagree."""


@dataclass(frozen=True, slots=True)
class VerifiedEntry:
    """One statement whose signature and place in the log hold."""

    index: int
    time: datetime
    """When the log says it was logged."""
    predicate_type: str
    statement: Mapping[str, Any]
    payload: bytes
    """The signed bytes of the statement."""
    keyid: str
    role: Role | None
    """The signer's role in the trust file; None when it is not listed."""
    signer: str
    """The signer's name in the trust file; empty when it is not listed."""
    trusted: bool
    reason: str
    """Why it is or is not trusted, as one sentence."""
    subjects: tuple[str, ...]
    """Names of the subjects that are among the expected digests; empty when none were given."""
    blinded: bool
    """True when the log's entry hides what it is about."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle that holds."""

    entries: tuple[VerifiedEntry, ...]
    checkpoint: Checkpoint
    log_trusted: bool
    witnesses: tuple[tuple[str, datetime], ...]
    """Trusted witnesses that cosigned the checkpoint, and when."""

    @property
    def trusted(self) -> bool:
        """True when every entry is."""
        return all(entry.trusted for entry in self.entries)


@dataclass(frozen=True, slots=True)
class _Log:
    """A verified checkpoint and who stands behind it."""

    checkpoint: Checkpoint
    note: str
    key: TrustedKey | None
    witnesses: tuple[tuple[str, datetime], ...]


def verify_bundle(
    data: bytes,
    trust: Trust | None = None,
    *,
    subjects: Sequence[Mapping[str, str]] | None = None,
    witnesses_required: int = 0,
    now: datetime | None = None,
) -> Verified:
    """Verify an evidence file.

    Intact is not the same as trusted: a bundle whose every link holds, but whose signer or log is not in the trust
    file, is returned with ``trusted`` false and the reason.

    Args:
        data: The bytes of ``evidence.json``.
        trust: Whom to trust; nobody by default.
        subjects: Digest sets of the bytes at hand; every statement must be about one of them.
        witnesses_required: How many trusted witnesses must have cosigned the checkpoint.
        now: Refuse entries logged later than this.

    Raises:
        VerificationError: When a link of the chain fails; ``link`` names it.
    """
    if len(data) > MAX_BUNDLE:
        fail("bundle", "the evidence file is larger than 256 MiB")
    trust = trust or Trust()
    bundle = members(parse_json(data, "bundle"), "entries log mediaType trust", link="bundle")
    entries = bundle["entries"]
    if bundle["mediaType"] != MEDIA_TYPE:
        fail("bundle", f"the evidence file is not of type {MEDIA_TYPE}")
    if not isinstance(entries, list) or not entries:
        fail("bundle", "the evidence file must have at least one entry")
    rows = [members(entry, "bundle leaf proof", link="bundle") for entry in entries]
    proofs = [read_proof(row["proof"]) for row in rows]
    if len({proof.index for proof in proofs}) < len(proofs):
        fail("bundle", "the evidence file has an entry twice")
    if len({proof.checkpoint for proof in proofs}) > 1:
        fail("checkpoint", "the entries are proven against different checkpoints")
    log = _verify_log(bundle["log"], proofs[0].checkpoint, trust)
    if len(log.witnesses) < witnesses_required:
        fail("witness", f"{len(log.witnesses)} of {witnesses_required} required witnesses cosigned the checkpoint")
    keys = {key.keyid: key.public for key in (*read_keys(bundle["trust"], "bundle"), *trust.keys)}
    verified = []
    for row, proof in zip(rows, proofs, strict=True):
        leaf_bytes = b64decode(row["leaf"], "leaf")
        root = root_from_inclusion(proof.index, log.checkpoint.size, leaf_hash(leaf_bytes), proof.path)
        if root != log.checkpoint.root:
            fail("inclusion", f"entry {proof.index} is not in the log that the checkpoint describes")
        leaf, envelope = read_leaf(leaf_bytes), read_sigstore(row["bundle"])
        statement = _verify_envelope(envelope, leaf, keys)
        _check_time(leaf, log, now)
        found = () if subjects is None else match_subjects(statement, subjects)
        verified.append(_judge(proof.index, leaf, envelope.payload, statement, found, log, trust))
    return Verified(tuple(verified), log.checkpoint, log.key is not None, log.witnesses)


def _verify_log(value: Any, note: str, trust: Trust) -> _Log:
    """Verify the checkpoint's signatures: by the trusted keys of this log, or else by the key in the bundle."""
    row = members(value, "origin vkey", link="bundle")
    stated = read_note_key(row["vkey"])
    if stated.name != row["origin"] or stated.kind != NOTE_ED25519:
        fail("bundle", "the log's verifier key is not for its origin")
    logs = {
        NoteKey(key.name, key.public): key for key in trust.keys if key.role is Role.LOG and key.name == stated.name
    }
    witnesses = [NoteKey(key.name, key.public, NOTE_COSIGNATURE) for key in trust.keys if key.role is Role.WITNESS]
    # Who trusts keys of a log by that name means those keys, whatever the bundle says.
    text, signed = open_note(note, [*(logs or [stated]), *witnesses])
    checkpoint = read_checkpoint(text)
    if checkpoint.origin != stated.name:
        fail("checkpoint", "the checkpoint is of another log than the evidence file says")
    by = [key for key in signed if key.kind == NOTE_ED25519]
    if not by:
        fail(
            "log-signature", f"the checkpoint is not signed by a {'trusted ' if logs else ''}key of {checkpoint.origin}"
        )
    seen = tuple((key.name, time) for key, time in signed.items() if time is not None)
    return _Log(checkpoint, note, logs.get(by[0]), seen)


def _verify_envelope(envelope: Envelope, leaf: Leaf, keys: Mapping[str, bytes]) -> dict[str, Any]:
    """Verify the signature with the key that the log names, then parse what was signed."""
    if leaf.kid not in keys:
        fail("signature", f"the key {leaf.kid[:16]}… that signed is neither trusted nor in the evidence file")
    if not signed_by(keys[leaf.kid], envelope.signature, pae(envelope.payload_type, envelope.payload)):
        fail("signature", "the envelope's signature is not valid for its payload")
    statement = read_statement(envelope.payload)
    match_leaf(leaf, envelope, statement)
    return statement


def _check_time(leaf: Leaf, log: _Log, now: datetime | None) -> None:
    """The log's claim about time must not lie after a clock that somebody else read."""
    for name, time in log.witnesses:
        if leaf.time > time + CLOCK_SKEW:
            fail("time", f"the entry claims to be younger than the checkpoint that {name} cosigned")
    if now is not None and leaf.time > now + CLOCK_SKEW:
        fail("time", "the entry claims to have been logged in the future")


def _judge(
    index: int,
    leaf: Leaf,
    payload: bytes,
    statement: Mapping[str, Any],
    subjects: tuple[str, ...],
    log: _Log,
    trust: Trust,
) -> VerifiedEntry:
    """Decide whether an intact entry comes from a trusted signer through a trusted log."""
    key = trust.find(leaf.kid)
    if key is not None and key.role not in SIGNER_ROLES:
        fail("role", f"the key of {key.name} has the role {key.role}, which may not sign statements")
    if key is not None and (refusal := key.refuses(leaf.time)):
        fail("key-window", refusal)
    if log.key is not None:
        _check_log_window(log, leaf.time)
    if key is None:
        reason = f"the key {leaf.kid[:16]}… is not among those you trust"
    elif log.key is None:
        reason = f"the log {log.checkpoint.origin} is not among those you trust"
    else:
        reason = f"signed by {key.name} ({key.role}) and logged in {log.checkpoint.origin}"
    return VerifiedEntry(
        index=index,
        time=leaf.time,
        predicate_type=statement["predicateType"],
        statement=statement,
        payload=payload,
        keyid=leaf.kid,
        role=key.role if key else None,
        signer=key.name if key else "",
        trusted=key is not None and log.key is not None,
        reason=reason,
        subjects=subjects,
        blinded=bool(leaf.blinds),
    )


def _check_log_window(log: _Log, time: datetime) -> None:
    """A log signs checkpoints over older entries, so its key may be younger than an entry but not older.

    A revoked log key can sign any time it likes: only a witness that saw the checkpoint before says otherwise.
    """
    key = log.key
    assert key is not None
    if key.not_after is not None and time > key.not_after:
        fail("key-window", f"the log's key was valid only until {key.not_after:%Y-%m-%dT%H:%M:%SZ}")
    if key.revoked is not None and not any(seen < key.revoked for _, seen in log.witnesses):
        fail("key-window", f"the log's key was revoked ({key.reason}) and no witness saw this checkpoint before")
