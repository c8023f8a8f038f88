"""Read in-toto statements and compare what they are about with the bytes at hand.

Specification: https://github.com/in-toto/attestation/tree/main/spec/v1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hallmarked.core.evidence import STATEMENT_TYPE
from hallmarked.ledger.strict import fail, members, parse_json

RECOMPUTABLE = frozenset({"sha256", "dirHash"})
"""Digests that anyone who holds the files can recompute: where a subject names one, it must be among the expected."""


def read_statement(payload: bytes) -> dict[str, Any]:
    """Parse the payload of a verified envelope as an in-toto Statement v1.

    Raises:
        VerificationError: When it is not strict JSON or not a statement.
    """
    row = members(parse_json(payload, "payload"), "_type predicateType subject", "predicate", link="payload")
    subjects = row["subject"]
    if row["_type"] != STATEMENT_TYPE or not isinstance(row["predicateType"], str) or not row["predicateType"]:
        fail("payload", "the payload is not an in-toto Statement v1")
    if not isinstance(subjects, list) or not subjects or not isinstance(row.get("predicate", {}), dict):
        fail("payload", "the statement must have subjects and, if any, an object as predicate")
    for subject in subjects:
        digest = subject.get("digest") if isinstance(subject, dict) else None
        if not isinstance(digest, dict) or not digest or not isinstance(subject.get("name", ""), str):
            fail("payload", "each subject of a statement needs a digest set")
        if not all(isinstance(value, str) and re.fullmatch(r"[0-9a-f]{8,256}", value) for value in digest.values()):
            fail("payload", "a digest of a subject is not lower-case hex")
    return row


def list_digests(statement: Mapping[str, Any]) -> list[str]:
    """List a statement's digests as ``algorithm:hex``: subjects in their order, algorithms sorted, each once."""
    rows = (f"{name}:{value}" for subject in statement["subject"] for name, value in sorted(subject["digest"].items()))
    return list(dict.fromkeys(rows))


def match_subjects(statement: Mapping[str, Any], expected: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Return the names of the subjects that are among the expected digest sets.

    In-toto lets any one algorithm decide. Here all must agree: a subject whose one digest agrees while another one
    differs was put together to deceive, and a digest anybody can recompute must be among the expected ones.

    Raises:
        VerificationError: When no subject matches, or one matches only in part.
    """
    found = []
    for subject in statement["subject"]:
        ours = {"dirHash" if name == "dirHash1" else name: value for name, value in subject["digest"].items()}
        for theirs in expected:
            common = ours.keys() & theirs.keys()
            agreeing = [name for name in common if ours[name] == theirs[name]]
            if agreeing and len(agreeing) < len(common):
                fail("subject", f"the digests of subject {subject.get('name', '')!r} contradict each other")
            if agreeing and ours.keys() & RECOMPUTABLE <= common:
                found.append(str(subject.get("name", "")))
                break
    if not found:
        fail("subject", "the statement is about other bytes than the ones expected")
    return tuple(found)
