"""The small record that stands in the log for an envelope, and says nothing that must ever be erased."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hallmarked.ledger.dsse import Envelope
from hallmarked.ledger.statement import list_digests
from hallmarked.ledger.strict import fail, members, parse_json, parse_time

MAX_LEAF = 4096


@dataclass(frozen=True, slots=True)
class Leaf:
    """The record that stands in the log for an envelope."""

    env: str
    """SHA-256 hex of the envelope."""
    kid: str
    """Id of the key that signed it."""
    time: datetime
    """When it was logged, as the log says."""
    predicate_type: str | None
    subjects: tuple[str, ...]
    """``algorithm:hex`` of the first subjects; empty when blinded."""
    blinds: tuple[str, ...]
    """HMAC-SHA256 of each of those under the repository's secret, when blinded."""
    more: int
    """How many further digests the statement has that did not fit."""


def read_leaf(data: bytes) -> Leaf:
    """Read a leaf record.

    Raises:
        VerificationError: When it is not one.
    """
    if len(data) > MAX_LEAF:
        fail("leaf", "the leaf is larger than 4 KiB")
    row = members(parse_json(data, "leaf"), "env kid t v", "blind more pt sub", link="leaf")
    if row["v"] != 1 or row["v"] is True or ("sub" in row) == ("blind" in row) or ("sub" in row and "pt" not in row):
        fail("leaf", "the leaf must be version 1 and have either subjects with a predicate type or blinded subjects")
    listed, more = row.get("sub", row.get("blind")), row.get("more", 0)
    if not isinstance(listed, list) or not listed or not all(isinstance(item, str) for item in listed):
        fail("leaf", "the leaf lists no subjects")
    if isinstance(more, bool) or not isinstance(more, int) or more < 0 or not isinstance(row.get("pt", ""), str):
        fail("leaf", "the leaf has members of the wrong type")
    env, kid = row["env"], row["kid"]
    if not isinstance(env, str) or not re.fullmatch(r"sha256:[0-9a-f]{64}", env) or not isinstance(kid, str):
        fail("leaf", "the leaf does not name an envelope by its SHA-256")
    sub, blind = (tuple(listed), ()) if "sub" in row else ((), tuple(listed))
    return Leaf(env[7:], kid, parse_time(row["t"], "leaf"), row.get("pt"), sub, blind, more)


def match_leaf(leaf: Leaf, envelope: Envelope, statement: Mapping[str, Any]) -> None:
    """Check that a leaf stands for this envelope and tells the truth about it.

    Raises:
        VerificationError: When it does not.
    """
    if leaf.env != envelope.digest:
        fail("leaf", "the leaf stands for another envelope")
    if leaf.predicate_type not in (None, statement["predicateType"]):
        fail("leaf", "the leaf names another predicate type than the statement")
    digests = list_digests(statement)
    listed = len(leaf.subjects) or len(leaf.blinds)
    if listed + leaf.more != len(digests) or (leaf.subjects and list(leaf.subjects) != digests[:listed]):
        fail("leaf", "the leaf names other subjects than the statement")
