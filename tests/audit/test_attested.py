"""Statements that a hub signed for accounts, or took in from others, are read as what they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hallmarked.audit.attested import key_for, speaking
from hallmarked.core.evidence import Attestation, Statement, Subject

SUBJECT = Subject("acme/model", {"dirHash": "ab" * 32})


def stated(role: str, said: Any) -> Attestation:
    statement = Statement((SUBJECT,), "urn:hallmarked:waiver:v1", {"onBehalfOf": said})
    return Attestation(statement, "sha256:1", datetime(2026, 11, 21, tzinfo=UTC), role, "a hub", "k")


def test_a_hub_speaks_for_an_account() -> None:
    """What a hub signs for somebody counts as theirs."""
    one = speaking(stated("hub", {"account": "ada", "role": "maker"}))
    assert (one.role, one.signer, one.keyid) == ("maker", "ada", key_for("k", "ada"))


@pytest.mark.parametrize("role", ["maker", "auditor", "community", ""])
def test_nobody_else_speaks_for_others(role: str) -> None:
    """Whoever is no hub cannot give a statement another author."""
    one = stated(role, {"account": "root", "role": "hub"})
    assert speaking(one) is one


@pytest.mark.parametrize(
    "said", [{}, {"account": "ada"}, {"account": 1, "role": "hub"}, {"account": "a", "role": "log"}]
)
def test_what_cannot_be_read_counts_for_nobody(said: Any) -> None:
    """A hub's statement for somebody that does not say for whom, or as what, has no weight."""
    assert speaking(stated("hub", said)).role == ""
