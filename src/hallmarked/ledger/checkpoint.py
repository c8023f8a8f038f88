"""Checkpoints: what a log says about itself, as the text of a signed note.

Specification: https://c2sp.org/tlog-checkpoint.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from hallmarked.ledger.strict import b64decode, fail, parse_decimal


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says about itself: so many entries, under this root."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def read_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint, which must already be verified as a note. Extension lines are passed over.

    Raises:
        VerificationError: When it is malformed.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        fail("checkpoint", "the checkpoint must have an origin, a size and a root")
    root = b64decode(lines[2], "checkpoint")
    if len(root) != 32:
        fail("checkpoint", "the checkpoint's root is not a SHA-256")
    return Checkpoint(lines[0], parse_decimal(lines[1], "checkpoint"), root)
