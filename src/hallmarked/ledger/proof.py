"""Proof files: an entry's place in a log, with the checkpoint that vouches for it.

Specification: https://c2sp.org/tlog-proof.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from hallmarked.ledger.strict import b64decode, fail, parse_decimal


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that an entry is in a log (``.tlog-proof``)."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    """The signed note, verbatim."""
    extra: bytes | None = None
    """Not covered by anything; good for carrying the leaf, whose hash the tree checks."""


def read_proof(text: Any) -> Proof:
    """Read a C2SP tlog-proof file.

    Raises:
        VerificationError: When it is malformed.
    """
    head, gap, note = text.partition("\n\n") if isinstance(text, str) else ("", "", "")
    lines, extra = head.split("\n"), None
    if not gap or lines.pop(0) != "c2sp.org/tlog-proof@v1":
        fail("inclusion", "the inclusion proof is not a C2SP tlog-proof")
    if lines and lines[0].startswith("extra "):
        extra = b64decode(lines.pop(0)[6:], "inclusion")
    if not lines or not lines[0].startswith("index ") or len(lines) > 64:
        fail("inclusion", "the inclusion proof lacks an index or is too long")
    index, path = parse_decimal(lines[0][6:], "inclusion"), tuple(b64decode(line, "inclusion") for line in lines[1:])
    if any(len(item) != 32 for item in path):
        fail("inclusion", "the inclusion proof has a hash that is not a SHA-256")
    return Proof(index, path, note, extra)


def write_proof(proof: Proof) -> str:
    """Write a C2SP tlog-proof file."""
    lines = ["c2sp.org/tlog-proof@v1"]
    if proof.extra is not None:
        lines.append(f"extra {base64.b64encode(proof.extra).decode()}")
    lines += [f"index {proof.index}", *(base64.b64encode(item).decode() for item in proof.path)]
    return "\n".join(lines) + "\n\n" + proof.checkpoint
