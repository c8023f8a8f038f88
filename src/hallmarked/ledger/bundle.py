"""The portable evidence file: statements, their places in the log and the keys, in one JSON document.

Its layout is described by ``evidence.v1.schema.json`` beside this module.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from importlib import resources

from hallmarked.core.errors import BackendError, InputError, VerificationError
from hallmarked.ledger.dsse import Envelope, read_envelope, read_sigstore, to_sigstore
from hallmarked.ledger.leaf import read_leaf
from hallmarked.ledger.log import Log
from hallmarked.ledger.note import open_note
from hallmarked.ledger.proof import write_proof
from hallmarked.ledger.strict import parse_json, write_json
from hallmarked.ledger.trust import Trust, write_key
from hallmarked.ledger.verify import MEDIA_TYPE, Verified, verify_bundle

RECEIPT_TYPE = "application/vnd.hallmarked.consent-receipt.v1+json"
"""Of a file that carries an evidence file for somebody, see ``hallmarked.corpus.consent.receipt``."""


def export_bundle(log: Log, indexes: Sequence[int], keys: Trust) -> bytes:
    """Write the evidence file of some entries, all proven against the newest checkpoint.

    Args:
        log: Where they are.
        indexes: Which entries; repeated ones are written once.
        keys: Keys to put in for information. Those who verify bring their own trust.

    Raises:
        InputError: When there are none, or one's envelope was erased.
        BackendError: When the log is damaged: a file that does not verify is never handed out.
    """
    if not indexes:
        raise InputError("there is nothing to export")
    try:
        data = _write_bundle(log, indexes, keys)
        verify_bundle(data)
    except VerificationError as error:
        raise BackendError(f"the log {log.origin} is damaged: {error}") from error
    return data


def _write_bundle(log: Log, indexes: Sequence[int], keys: Trust) -> bytes:
    entries, note = [], ""
    for leaf, envelope, proof in log.prove(sorted(set(indexes))):
        if envelope is None:
            raise InputError(f"the envelope of entry {proof.index} was erased")
        if keys.find(read_leaf(leaf).kid) is None:
            raise InputError(f"the key that signed entry {proof.index} is not among the keys to put in")
        note = proof.checkpoint
        entries.append(
            {
                "bundle": to_sigstore(read_envelope(parse_json(envelope, "envelope"))),
                "leaf": base64.b64encode(leaf).decode(),
                "proof": write_proof(proof),
            }
        )
    log.read_checkpoint(note)
    signer = next(iter(open_note(note, log.keys)[1]))
    return write_json(
        {
            "mediaType": MEDIA_TYPE,
            "log": {"origin": log.origin, "vkey": str(signer)},
            "entries": entries,
            "trust": [write_key(key) for key in sorted(keys.keys, key=lambda key: key.keyid)],
        }
    )


def import_bundle(data: bytes, trust: Trust | None = None) -> tuple[Verified, list[Envelope]]:
    """Verify an evidence file and return its envelopes, all or none.

    Raises:
        VerificationError: When any link of any entry fails.
    """
    verified = verify_bundle(data, trust)
    return verified, [read_sigstore(entry["bundle"]) for entry in parse_json(data, "bundle")["entries"]]


def carried_evidence(data: bytes) -> bytes:
    """Return the evidence file that a receipt carries beside what names people; any other file as it is."""
    try:
        row = parse_json(data, "bundle")
    except VerificationError:
        return data  # whoever reads it says what is wrong with it
    is_receipt = isinstance(row, dict) and row.get("mediaType") == RECEIPT_TYPE
    return write_json(row.get("evidence")) if is_receipt else data


def schema() -> bytes:
    """Return the JSON Schema of the evidence file."""
    return resources.files("hallmarked.ledger").joinpath("evidence.v1.schema.json").read_bytes()
