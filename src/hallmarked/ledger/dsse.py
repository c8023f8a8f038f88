"""DSSE envelopes with one Ed25519 signature, and the Sigstore bundle that outsiders read.

Specifications: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md and
https://github.com/sigstore/protobuf-specs (bundle v0.3, public-key mode).
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from hallmarked.ledger.key import SigningKey, signed_by
from hallmarked.ledger.strict import b64decode, fail, members

PAYLOAD_TYPE = "application/vnd.in-toto+json"
SIGSTORE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the DSSE pre-authentication encoding: the bytes an envelope's signature covers."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A DSSE envelope with its one signature."""

    payload: bytes
    keyid: str
    signature: bytes
    payload_type: str = PAYLOAD_TYPE

    def to_json(self) -> bytes:
        """Return the stored form. Its members are all plain ASCII, so there is exactly one way to write it."""
        payload, signature = base64.b64encode(self.payload), base64.b64encode(self.signature)
        return b'{"payload":"%s","payloadType":"%s","signatures":[{"keyid":"%s","sig":"%s"}]}' % (
            *(payload, self.payload_type.encode()),
            *(self.keyid.encode(), signature),
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the stored form, as hex: what a leaf names."""
        return hashlib.sha256(self.to_json()).hexdigest()


def read_envelope(value: Any, *, payload_type: str = PAYLOAD_TYPE) -> Envelope:
    """Read a DSSE envelope from its JSON object, without judging the signature.

    Raises:
        VerificationError: When it is not well-formed, of another type or has not exactly one signature.
    """
    row = members(value, "payload payloadType signatures", link="envelope")
    if row["payloadType"] != payload_type:
        fail("envelope", f"the envelope's payload type is not {payload_type}")
    if not isinstance(row["signatures"], list) or len(row["signatures"]) != 1:
        fail("envelope", "the envelope must have exactly one signature")
    signature = members(row["signatures"][0], "keyid sig", link="envelope")
    if not isinstance(signature["keyid"], str) or not re.fullmatch(r"[0-9a-f]{64}", signature["keyid"]):
        fail("envelope", "the envelope's keyid is not a SHA-256")
    return Envelope(
        b64decode(row["payload"], "payload"), signature["keyid"], b64decode(signature["sig"], "signature"), payload_type
    )


def read_sigstore(value: Any) -> Envelope:
    """Read the envelope out of a Sigstore bundle v0.3 in public-key mode.

    Raises:
        VerificationError: When it is any other kind of bundle.
    """
    row = members(value, "dsseEnvelope mediaType verificationMaterial", link="envelope")
    material = members(row["verificationMaterial"], "publicKey", "tlogEntries", link="envelope")
    hint = members(material["publicKey"], "hint", link="envelope")["hint"]
    if row["mediaType"] != SIGSTORE_TYPE or material.get("tlogEntries", []) != [] or not isinstance(hint, str):
        fail("envelope", "the Sigstore bundle is not version 0.3 with a public key and no other log")
    return read_envelope(row["dsseEnvelope"])


def sign_envelope(payload: bytes, key: SigningKey, *, payload_type: str = PAYLOAD_TYPE) -> Envelope:
    """Sign a payload."""
    return Envelope(payload, key.keyid, key.sign(pae(payload_type, payload)), payload_type)


def verify_envelope(envelope: Envelope, public: bytes) -> None:
    """Check an envelope's signature with a key that was chosen by other means than its ``keyid``.

    Raises:
        VerificationError: When the signature is not valid.
    """
    if not signed_by(public, envelope.signature, pae(envelope.payload_type, envelope.payload)):
        fail("signature", "the envelope's signature is not valid for its payload")


def to_sigstore(envelope: Envelope) -> dict[str, Any]:
    """Wrap an envelope as a Sigstore bundle v0.3 in public-key mode, which ``@sigstore/verify`` reads."""
    return {
        "mediaType": SIGSTORE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": envelope.keyid}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(envelope.payload).decode(),
            "payloadType": envelope.payload_type,
            "signatures": [{"keyid": envelope.keyid, "sig": base64.b64encode(envelope.signature).decode()}],
        },
    }
