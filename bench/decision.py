"""Deciding about a revision in a context on a hub, with 10,000 statements about its repository.

``python -m bench.decision`` prints the table. Time is CPU time. A hub keeps what is stated in memory until something
is added, and then reads only that.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bench.table import markdown
from hallmarked.core.evidence import Statement, Subject
from hallmarked.hub.access import Actor
from hallmarked.hub.account.account import create_account
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.hub import Hub, open_hub
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.repository.subject import subject_of
from hallmarked.hub.review.attested import statement_id
from hallmarked.hub.review.judgement import judge
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.evidence import evidence
from hallmarked.hub.setting import Settings, Storage
from hallmarked.ledger.canonical import statement_bytes

STATEMENTS, METRICS, ROUNDS = 10_000, 500, 9
CONTEXT = "hospital_triage"


def report() -> str:
    """Measure, and write it as Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(Settings(), storage=Storage(data=str(Path(folder) / "data")))
        with open_hub(settings) as hub:
            return _measure(hub)


def _measure(hub: Hub) -> str:
    with hub.database.write() as db:
        made = create_account(db, "ada", email="ada@example.org")
        actor = Actor(made.id, "ada")
        commit(db, create(db, actor, "model", "model"), actor, [Put("README.md", b"# A model\n")], Message("first"))
    with hub.database.read() as db:
        repo = find_repository(db, "model", "ada/model")
        at = find_revision(db, repo, "main")
        about = subject_of(db, repo, at)
    rows = [_row(repo.id, at.oid, about, number) for number in range(STATEMENTS + 1)]

    def decide() -> None:
        with hub.database.read() as db:
            judge(hub, db, repo, at, CONTEXT)

    _add(hub, rows[:-1])
    first = _milliseconds(decide)
    again = statistics.median(_milliseconds(decide) for _ in range(ROUNDS))
    _add(hub, rows[-1:])
    after = _milliseconds(decide)
    table = markdown(
        ("Decision", "ms"),
        [
            ("the first since the hub began", f"{first:.0f}"),
            ("the first after a statement was added", f"{after:.0f}"),
            ("any other", f"{again:.1f}"),
        ],
    )
    return f"{STATEMENTS:,} statements, the context {CONTEXT}, SQLite. CPU time of one core.\n\n{table}"


def _row(repository_id: str, oid: str, about: Subject, number: int) -> Mapping[str, Any]:
    measured = {
        "metric": f"eval.metric{number % METRICS}", "value": f"0.{number:05}", "n": 400,
        "slice": {"group": str(number // METRICS)},
    }  # fmt: skip
    said = Statement((about,), "https://in-toto.io/attestation/test-result/v0.1", {"measurements": [measured]})
    return {
        "id": new_id(), "repository_id": repository_id, "revision": oid, "statement": statement_id(said),
        "payload": statement_bytes(said), "predicate_type": said.predicate_type, "keyid": "k", "role": "auditor",
        "signer": "Example Auditors", "entry": number, "receipt": None, "account_id": None, "stated": number,
        "created": number, "removed": None, "reason": "",
    }  # fmt: skip


def _add(hub: Hub, rows: list[Mapping[str, Any]]) -> None:
    with hub.database.write() as db:
        db.execute(insert(evidence), rows)


def _milliseconds(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


if __name__ == "__main__":
    print(report())
