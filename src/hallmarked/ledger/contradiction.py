"""Proof that a log told two stories: two checkpoints it signed that no one history can have.

The file is made by whoever saw both, and judged by anybody who has the log's public key:

- ``split``: two checkpoints over equally many entries with different roots. They prove it by themselves.
- ``fork``: two checkpoints of different size, and hashes (RFC 6962 section 2.1.2) that give the larger one's root, and
  for the first entries another root than the smaller one's. They prove it too: nobody can make such hashes unless the
  log rewrote those entries.
- ``unproven``: the log showed less than before, or cannot show that it continues what it signed. The checkpoints alone
  do not prove it, so the witness signs what it saw, and when; it is as good as the witness's word.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from hallmarked.ledger.checkpoint import Checkpoint, read_checkpoint
from hallmarked.ledger.key import SigningKey
from hallmarked.ledger.merkle import roots_from_consistency
from hallmarked.ledger.note import NOTE_ED25519, NoteKey, open_note, read_note_key, sign_note
from hallmarked.ledger.strict import b64decode, fail, format_time, members, parse_json, write_json

MEDIA_TYPE = "application/vnd.hallmarked.contradiction.v1+json"
MAX_FILE = 1 << 20
TESTIMONY = "hallmarked.internal/testimony/v1"
_LINK = "contradiction"


class Kind(StrEnum):
    """How a log contradicted itself."""

    SPLIT = "split"
    FORK = "fork"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two checkpoints of one log that cannot both be true."""

    kind: Kind
    first: str
    """The signed note seen first."""
    second: str
    """The signed note seen later, or elsewhere."""
    hashes: tuple[bytes, ...] = ()
    """Of a fork: what gives both roots, see :func:`hallmarked.ledger.merkle.prove_roots`."""
    testimony: str = ""
    """What the witness signs about something unproven."""
    witness: NoteKey | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a contradiction comes to."""

    kind: Kind
    origin: str
    first: Checkpoint
    second: Checkpoint
    proven: bool
    """False when it rests on a witness's word."""
    sentence: str


def sign_testimony(first: str, second: str, why: str, witness: tuple[str, SigningKey], time: datetime) -> Contradiction:
    """Sign what was seen, where the checkpoints alone do not prove it.

    Args:
        first: The checkpoint seen before.
        second: The checkpoint seen now.
        why: What is wrong, in one line.
        witness: Name and key of who saw it. The key signs no cosignatures.
        time: When.
    """
    name, key = witness
    lines = [TESTIMONY, format_time(time), why, _fingerprint(first), _fingerprint(second)]
    note = sign_note("\n".join(lines) + "\n", name, key)
    return Contradiction(Kind.UNPROVEN, first, second, (), note, NoteKey(name, key.public))


def _fingerprint(note: str) -> str:
    return base64.b64encode(note.encode()).decode()


def write_contradiction(contradiction: Contradiction, keys: Sequence[NoteKey]) -> bytes:
    """Write the file that others can judge.

    Args:
        contradiction: What was found.
        keys: The log's keys, for information: those who judge bring their own.
    """
    value: dict[str, Any] = {
        "mediaType": MEDIA_TYPE,
        "kind": contradiction.kind.value,
        "log": [str(key) for key in keys],
        "first": contradiction.first,
        "second": contradiction.second,
    }
    if contradiction.hashes:
        value["hashes"] = [base64.b64encode(item).decode() for item in contradiction.hashes]
    if contradiction.witness is not None:
        value |= {"testimony": contradiction.testimony, "witness": str(contradiction.witness)}
    return write_json(value)


def read_contradiction(data: bytes) -> tuple[Contradiction, list[NoteKey]]:
    """Read such a file: what it claims, and the keys it says the log has.

    Raises:
        VerificationError: When it is malformed.
    """
    if len(data) > MAX_FILE:
        fail(_LINK, "the file is larger than any proof that a log contradicts itself")
    row = members(parse_json(data, _LINK), "mediaType kind log first second", "hashes testimony witness", link=_LINK)
    texts = [row["first"], row["second"], row.get("testimony", "")]
    if row["mediaType"] != MEDIA_TYPE or row["kind"] not in list(Kind) or not all(isinstance(t, str) for t in texts):
        fail(_LINK, "the file is not a proof that a log contradicts itself")
    hashes = row.get("hashes", [])
    if not isinstance(row["log"], list) or not isinstance(hashes, list) or len(hashes) > 64 or not row["log"]:
        fail(_LINK, "the file must list the log's keys and at most 64 hashes")
    decoded = tuple(b64decode(item, _LINK) for item in hashes)
    if any(len(item) != 32 for item in decoded):
        fail(_LINK, "the file has a hash that is not a SHA-256")
    witness = read_note_key(row["witness"]) if "witness" in row else None
    made = Contradiction(Kind(row["kind"]), row["first"], row["second"], decoded, texts[2], witness)
    return made, [read_note_key(key) for key in row["log"]]


def judge(contradiction: Contradiction, keys: Sequence[NoteKey]) -> Judgement:
    """Decide whether a log contradicted itself.

    Args:
        contradiction: What somebody claims.
        keys: The log's keys, which the judge knows to be its own.

    Raises:
        VerificationError: When the file does not show it.
    """
    first, second = (_open(note, keys) for note in (contradiction.first, contradiction.second))
    if first.origin != second.origin:
        fail(_LINK, "the two checkpoints are of different logs")
    if first == second:
        fail(_LINK, "the two checkpoints say the same")
    small, large = sorted((first, second), key=lambda stated: stated.size)
    match contradiction.kind:
        case Kind.SPLIT:
            if small.size != large.size:
                fail(_LINK, "the two checkpoints are of different sizes, which alone contradicts nothing")
            said = f"it signed two different histories of {small.size:,} entries"
        case Kind.FORK:
            _check_fork(small, large, contradiction.hashes)
            said = f"its history of {large.size:,} entries is not a continuation of the {small.size:,} it signed"
        case Kind.UNPROVEN:
            said = _check_testimony(contradiction)
    proven = contradiction.kind is not Kind.UNPROVEN
    return Judgement(contradiction.kind, first.origin, first, second, proven, said)


def _open(note: str, keys: Sequence[NoteKey]) -> Checkpoint:
    text, signed = open_note(note, keys)
    stated = read_checkpoint(text)
    if not any(key.kind == NOTE_ED25519 and key.name == stated.origin for key in signed):
        fail("log-signature", f"a checkpoint is not signed by a key of {stated.origin} that you know")
    return stated


def _check_fork(small: Checkpoint, large: Checkpoint, hashes: Sequence[bytes]) -> None:
    if not 0 < small.size < large.size:
        fail(_LINK, "a fork needs two checkpoints of different sizes")
    before, after = roots_from_consistency(small.size, large.size, hashes)
    if after != large.root:
        fail(_LINK, "the hashes do not belong to the larger checkpoint")
    if before == small.root:
        fail(_LINK, "the larger checkpoint does continue the smaller one")


def _check_testimony(contradiction: Contradiction) -> str:
    witness = contradiction.witness
    if witness is None:
        fail(_LINK, "nobody signed what was seen")
    text, signed = open_note(contradiction.testimony, [witness])
    lines = text.split("\n")
    about = [_fingerprint(contradiction.first), _fingerprint(contradiction.second)]
    if not signed or len(lines) != 6 or lines[0] != TESTIMONY or lines[3:5] != about:
        fail(_LINK, "the witness signed something else than these two checkpoints")
    return f"the witness {witness.name} says that at {lines[1]} {lines[2]}"
