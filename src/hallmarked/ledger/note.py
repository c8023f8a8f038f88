"""Signed notes, Ed25519 signatures and timestamped cosignatures, and the checkpoints they carry.

Specifications: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint, https://c2sp.org/tlog-cosignature.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hallmarked.core.errors import InputError
from hallmarked.ledger.key import SigningKey, signed_by
from hallmarked.ledger.strict import b64decode, fail

NOTE_ED25519, NOTE_COSIGNATURE = 0x01, 0x04
MAX_NOTE, MAX_SIGNATURES = 1 << 16, 16


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A key that signs notes, under a name."""

    name: str
    public: bytes
    kind: int = NOTE_ED25519

    @property
    def id(self) -> bytes:
        """The 4-byte key id of the signed note format."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"


def valid_name(name: str) -> bool:
    """Say whether a key name may stand in a signed note."""
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


def read_note_key(text: Any) -> NoteKey:
    """Read a verifier key like ``example.com/log+1234abcd+AQ…``.

    Raises:
        VerificationError: When it is malformed or of an unknown type.
    """
    parts = text.split("+", 2) if isinstance(text, str) else []
    data = b64decode(parts[2], "verifier key") if len(parts) == 3 else b""
    if len(data) != 33 or data[0] not in (NOTE_ED25519, NOTE_COSIGNATURE) or not valid_name(parts[0]):
        fail("verifier key", "not a verifier key of a signed note for Ed25519")
    key = NoteKey(parts[0], data[1:], data[0])
    if str(key) != text:
        fail("verifier key", "the verifier key does not have the id it states")
    return key


def split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Split a signed note into its text and its signatures (name, key id and signature together).

    Raises:
        VerificationError: When it is malformed.
    """
    text, gap, rest = note.rpartition("\n\n")
    if len(note) > MAX_NOTE or not gap or not rest.endswith("\n") or any(c < " " and c != "\n" for c in note):
        fail("checkpoint", "the checkpoint is not a signed note")
    signatures = []
    for line in rest[:-1].split("\n"):
        dash, _, tail = line.partition(" ")
        name, _, encoded = tail.partition(" ")
        data = b64decode(encoded, "checkpoint")
        if dash != "\u2014" or not valid_name(name) or len(data) < 5:
            fail("checkpoint", "the checkpoint has a malformed signature line")
        signatures.append((name, data))
    if len(signatures) > MAX_SIGNATURES:
        fail("checkpoint", "the checkpoint has too many signatures")
    return text + "\n", signatures


def open_note(note: str, keys: Sequence[NoteKey]) -> tuple[str, dict[NoteKey, datetime | None]]:
    """Return a note's text and which of the known keys signed it, with the time of each cosignature.

    Signatures of unknown keys are ignored. A bad signature of a known key refuses the note.

    Raises:
        VerificationError: When the note is malformed or a known key's signature fails.
    """
    text, signatures = split_note(note)
    known, signed = {(key.name, key.id): key for key in keys}, dict[NoteKey, datetime | None]()
    for name, data in signatures:
        key = known.get((name, data[:4]))
        if key is None:
            continue
        time, signature, message = None, data[4:], text.encode()
        if key.kind == NOTE_COSIGNATURE:
            seconds, signature = int.from_bytes(data[4:12]), data[12:]
            message = b"cosignature/v1\ntime %d\n" % seconds + message
            if seconds >= 1 << 37:
                fail("witness", f"the cosignature of {name} bears an impossible time")
            time = datetime.fromtimestamp(seconds, UTC)
        if not signed_by(key.public, signature, message):
            link = "witness" if key.kind == NOTE_COSIGNATURE else "log-signature"
            fail(link, f"the signature of {name} on the checkpoint is not valid")
        signed[key] = time
    return text, signed


def sign_note(text: str, name: str, key: SigningKey) -> str:
    """Sign a text as a note.

    Raises:
        InputError: When the name or the text cannot stand in a note.
    """
    if not valid_name(name) or not text.endswith("\n") or any(c < " " and c != "\n" for c in text):
        raise InputError("the name or text cannot stand in a signed note")
    return text + "\n" + signature_line(NoteKey(name, key.public), key.sign(text.encode()))


def cosign_note(text: str, name: str, key: SigningKey, time: datetime) -> str:
    """Return the signature line of a witness that saw a checkpoint at ``time``."""
    seconds = int(time.timestamp())
    message = b"cosignature/v1\ntime %d\n" % seconds + text.encode()
    return signature_line(NoteKey(name, key.public, NOTE_COSIGNATURE), seconds.to_bytes(8) + key.sign(message))


def signature_line(key: NoteKey, signature: bytes) -> str:
    """Write one signature line of a note."""
    return f"\u2014 {key.name} {base64.b64encode(key.id + signature).decode()}\n"
