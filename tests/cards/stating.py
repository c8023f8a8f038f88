"""Statements for tests of cards: real checks over files in memory, and what people state about them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hallmarked.checks import runner
from hallmarked.checks.documentation.check import DocumentationCheck
from hallmarked.core.check import Check
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.ledger.canonical import statement_bytes
from tests.support import MemoryArtifact

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def ago(days: float) -> datetime:
    """A moment some days before now."""
    return NOW - timedelta(days=days)


def attest(statement: Statement, *, role: str = "auditor", days: float = 1, key: str = "") -> Attestation:
    """Sign a statement as somebody, some days ago."""
    digest = hashlib.sha256(statement_bytes(statement)).hexdigest()
    return Attestation(statement, f"sha256:{digest}", ago(days), role, role and f"the {role}", key or role)


def checked(
    files: Mapping[str, bytes | str], *, role: str = "maker", days: float = 2, checks: Sequence[Check] = ()
) -> tuple[Subject, list[Attestation]]:
    """Run checks over files, and sign what they say; by default what the documentation check says."""
    artifact = MemoryArtifact(files, name="heron")
    ran = [runner.run(check, artifact) for check in checks or (DocumentationCheck(),)]
    stated = [result.to_statement(artifact.subject, "0" * 64) for result in ran]
    return artifact.subject, [attest(one, role=role, days=days) for one in stated]


def card(*claims: Mapping[str, Any], front: str = "", text: str = "# Heron\n") -> str:
    """A card that declares claims; JSON is YAML."""
    return f"---\nhallmarked:\n  kind: model\n  claims: {json.dumps(list(claims))}\n{front}---\n{text}"


def result(
    about: Subject, metric: str, value: str, *, role: str = "auditor", days: float = 1, name: str = "trial", **more: Any
) -> Attestation:
    """What somebody measured."""
    predicate = {
        "result": "PASSED",
        "configuration": [{"name": f"hallmarked/evaluations/{name}"}],
        "measurements": [{"metric": metric, "value": value, **more}],
    }
    statement = Statement((about,), "https://in-toto.io/attestation/test-result/v0.1", predicate)
    return attest(statement, role=role, days=days)


def record(here: Subject, name: str, /, *, role: str = "maker", days: float = 1, **fields: Any) -> Attestation:
    """What somebody stated in a record."""
    return attest(Statement((here,), f"urn:hallmarked:{name}:v1", fields), role=role, days=days)
