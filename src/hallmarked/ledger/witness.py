"""A witness: remembers the last checkpoint of other people's logs and cosigns only what continues it.

Specifications: https://c2sp.org/tlog-witness (the ``add-checkpoint`` request, here as a pure function without HTTP),
https://c2sp.org/tlog-cosignature.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NoReturn, Protocol

from hallmarked.core.errors import InputError, VerificationError
from hallmarked.ledger.checkpoint import Checkpoint, read_checkpoint
from hallmarked.ledger.key import SigningKey
from hallmarked.ledger.merkle import empty_root, verify_consistency
from hallmarked.ledger.note import NoteKey, cosign_note, open_note, split_note, valid_name
from hallmarked.ledger.store import Head
from hallmarked.ledger.strict import b64decode, parse_decimal

MAX_PROOF = 63


class WitnessRefusal(VerificationError):
    """A witness does not cosign.

    Args:
        message: Why.
        link: The link that failed.
        status: The HTTP status of the protocol.
        size: For status 409, the size the witness has last seen.
    """

    def __init__(self, message: str, *, link: str, status: int, size: int | None = None) -> None:
        super().__init__(message, link=link)
        self.status, self.size = status, size


class Memory(Protocol):
    """What a witness has seen. Forgetting it means being deceived."""

    def last(self, origin: str) -> Head | None:
        """Return the last checkpoint seen of a log."""

    def replace(self, origin: str, old: Head | None, new: Head) -> bool:
        """Remember a checkpoint, durably, unless another one than ``old`` was remembered meanwhile."""


def write_request(old_size: int, proof: Sequence[bytes], checkpoint: str) -> bytes:
    """Write the body of an ``add-checkpoint`` request.

    Raises:
        InputError: When the proof is longer than any.
    """
    if len(proof) > MAX_PROOF:
        raise InputError("a consistency proof has at most 63 hashes")
    lines = [f"old {old_size}", *(base64.b64encode(item).decode() for item in proof), "", checkpoint]
    return "\n".join(lines).encode()


def read_request(body: bytes) -> tuple[int, list[bytes], str]:
    """Read the body of an ``add-checkpoint`` request: old size, consistency proof, checkpoint.

    Raises:
        VerificationError: When it is malformed.
    """
    try:
        head, gap, note = body.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise VerificationError("the request is not UTF-8", link="request") from None
    first, *rest = head.split("\n")
    if not gap or not first.startswith("old ") or len(rest) > MAX_PROOF:
        raise VerificationError("the request is not like add-checkpoint's", link="request")
    proof = [b64decode(line, "request") for line in rest]
    if any(len(item) != 32 for item in proof):
        raise VerificationError("the request's proof has a hash that is not a SHA-256", link="request")
    return parse_decimal(first[4:], "request"), proof, note


class Witness:
    """Cosigns checkpoints of known logs.

    Args:
        name: Its key name.
        key: Used for nothing else.
        logs: Origin to the keys that may sign that log's checkpoints.
        memory: What it has seen.
    """

    def __init__(self, name: str, key: SigningKey, logs: Mapping[str, Sequence[NoteKey]], memory: Memory) -> None:
        if not valid_name(name):
            raise InputError(f"not a name for a witness: {name!r}")
        self.name, self._key, self._logs, self._memory = name, key, logs, memory

    def add_checkpoint(self, body: bytes, now: datetime) -> str:
        """Answer an ``add-checkpoint`` request with the cosignature line.

        Raises:
            WitnessRefusal: When the log rewinds, forks, shows different views or cannot be verified.
        """
        try:
            old_size, proof, note = read_request(body)
        except VerificationError as error:
            _refuse(400, error)
        return self.cosign(note, old_size, proof, now)

    def cosign(self, note: str, old_size: int, proof: Sequence[bytes], now: datetime) -> str:
        """Cosign a checkpoint that continues what was seen.

        Args:
            note: The checkpoint.
            old_size: Size of the log that the proof starts from; it must be the one last seen, or 0.
            proof: Consistency proof from that size.
            now: The witness's own time.

        Raises:
            WitnessRefusal: When the log rewinds, forks, shows different views or cannot be verified.
        """
        new, text = self._open(note)
        if old_size > new.size:
            _refuse(400, VerificationError("the old size is larger than the checkpoint's", link="request"))
        seen = self._memory.last(new.origin)
        size, root = (seen.size, seen.root) if seen else (0, empty_root())
        if old_size != size:
            raise WitnessRefusal(
                f"the log {new.origin} was last seen with {size} entries", link="consistency", status=409, size=size
            )
        if new.size == size and new.root != root:
            raise WitnessRefusal(
                f"the log {new.origin} shows two histories of {size} entries", link="consistency", status=409, size=size
            )
        try:
            verify_consistency(size, new.size, root, new.root, proof)
        except VerificationError as error:
            _refuse(422, error)
        # Remember first: a cosignature that was handed out must never be forgotten.
        if not self._memory.replace(new.origin, seen, Head(new.size, new.root, note)):
            raise WitnessRefusal("another checkpoint came first", link="consistency", status=409, size=size)
        return cosign_note(text, self.name, self._key, now)

    def _open(self, note: str) -> tuple[Checkpoint, str]:
        try:
            stated = read_checkpoint(split_note(note)[0])
        except VerificationError as error:
            _refuse(400, error)
        keys = self._logs.get(stated.origin)
        if keys is None:
            _refuse(404, VerificationError(f"the log {stated.origin} is not known", link="checkpoint"))
        try:
            text, signed = open_note(note, keys)
        except VerificationError as error:
            _refuse(403, error)
        if not signed:
            _refuse(403, VerificationError("the checkpoint is not signed by its log", link="log-signature"))
        return stated, text


def _refuse(status: int, error: VerificationError) -> NoReturn:
    raise WitnessRefusal(str(error), link=error.link, status=status) from error
