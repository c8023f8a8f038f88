"""Somebody outside of the hub who signs statements on a machine of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from hallmarked.core.evidence import Statement, Subject
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.repository.subject import subject_of
from hallmarked.hub.upkeep.trust import add_keys
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.trust import Role
from tests.hubs import RunningHub
from tests.ledger.support import TEST_RESULT


class Signer:
    """Keys, a log and a trust file in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.ledger = Ledger.open(folder, name=name)
        self._signed = 0

    def register(self, running: RunningHub, role: Role = Role.AUDITOR, name: str = "") -> None:
        """Let an operator count these keys."""
        add_keys(running.hub, self.ledger.trust, role, name or self.name)

    def sign(self, statements: Sequence[Statement], time: datetime | None = None) -> bytes:
        """Sign and log statements here, and return the evidence file of them; without a time each call is later."""
        self._signed += 1  # a log knows seconds, and of one second nobody could say what came last
        time = time or datetime.now(UTC) - timedelta(seconds=60 - self._signed)
        return self.ledger.export_bundle(self.ledger.attest(statements, time=time))


def about(db: Connection, name: str, revision: str = "main") -> Subject:
    """Return what statements about a model's revision are about."""
    repo = find_repository(db, "model", name)
    return subject_of(db, repo, find_revision(db, repo, revision))


def measured(subject: Subject, value: str, metric: str = "eval.recall", **more: Any) -> Statement:
    """State a measurement of an evaluation."""
    row: Mapping[str, Any] = {"metric": metric, "value": value, "n": 400, **more}
    predicate = {
        "result": "PASSED",
        "configuration": [{"name": "hallmarked/evaluations/example", "digest": {"sha256": "ab" * 32}}],
        "measurements": [dict(row)],
    }
    return Statement((subject,), TEST_RESULT, predicate)
