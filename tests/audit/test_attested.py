"""Statements that a hub signed for accounts, or took in from others, are read as what they are."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hallmarked.audit.attested import RECEIVED_TYPE, gather, key_for, speaking
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.ledger.bundle import export_bundle
from hallmarked.ledger.canonical import statement_bytes
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.trust import Role, Trust

THEN, NOW = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
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


def test_bringing_it_to_another_log_does_not_make_it_fresh(tmp_path: Path) -> None:
    """Of two logs that have a statement the earlier counts, also when a hub says so in another file than its copy."""
    auditor = Ledger.open(tmp_path / "auditor", name="auditor", role=Role.AUDITOR)
    hub = Ledger.open(tmp_path / "hub", name="hub", role=Role.HUB)
    said = Statement((SUBJECT,), "https://in-toto.io/attestation/test-result/v0.1", {"result": "PASSED"})
    old = auditor.export_bundle(auditor.attest([said], time=THEN))
    trust = Trust((*auditor.trust.keys, *hub.trust.keys))
    again = export_bundle(hub.log, [one.index for one in hub.adopt(old, auditor.trust, NOW)], trust)
    named = f"sha256:{hashlib.sha256(statement_bytes(said)).hexdigest()}"
    row = {"id": named, "keyid": auditor.key.keyid, "loggedAt": f"{THEN:%Y-%m-%dT%H:%M:%SZ}"}
    receipt = hub.export_bundle(hub.attest([Statement((SUBJECT,), RECEIVED_TYPE, {"received": [row]})], time=NOW))
    files = {name: tmp_path / name for name in ("old", "again", "receipt")}
    for path, data in zip(files.values(), (old, again, receipt), strict=True):
        path.with_suffix(".json").write_bytes(data)

    def times(*names: str) -> set[datetime]:
        found = gather([files[name].with_suffix(".json") for name in names], trust)
        return {one.time for one in found if one.role == "auditor"}

    assert times("again") == {NOW}
    assert times("again", "old") == times("old", "again") == times("again", "receipt") == {THEN}
