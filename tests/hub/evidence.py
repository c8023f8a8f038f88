"""Statements about revisions of a hub, as an audit makes them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy import insert

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.core.evidence import Statement, Subject
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.clock import now
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.review import audit
from tests.hubs import RunningHub
from tests.ledger.support import TEST_RESULT

FILES = {"README.md": b"---\nlicense: mit\n---\n# A model\n", "config.json": b"{}", "sub/weights.bin": bytes(9000)}


def push(running: RunningHub, name: str = "ada/model", *, visibility: str = "public") -> str:
    """Commit some files as a repository's first revision and return its commit."""
    owner, _, short = name.partition("/")
    actor = running.actor(owner)
    with running.hub.database.write() as db:
        create(db, actor, "model", short, visibility=visibility)
    with running.hub.database.write() as db:
        repo = find_repository(db, "model", name)
        changes = [Put(path, data) for path, data in FILES.items()]
        return commit(db, repo, actor, changes, Message("first")).oid


def write_files(folder: Path, attributes: bytes) -> Path:
    """Write the files of that revision into a folder."""
    for path, data in {**FILES, ".gitattributes": attributes}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def attest(
    running: RunningHub, commit: str, folder: Path, *, name: str = "ada/model", hidden: bool = False
) -> list[int]:
    """Log two statements about a revision whose files lie in a folder, as its audit, and return where they lie."""
    digest = {**LocalArtifact(folder).subject.digest, "gitCommit": commit}
    said = [{"result": "PASSED", "outcome": "pass", "check": str(number)} for number in range(2)]
    statements = [Statement((Subject(name, digest),), TEST_RESULT, predicate) for predicate in said]
    entries = [receipt.index for receipt in running.hub.journal.attest(statements, hidden=hidden)]
    with running.hub.database.write() as db:
        repo = find_repository(db, "model", name)
        row = {"repository_id": repo.id, "revision": commit, "rule_set": "ab" * 32, "outcome": "pass"}
        texts = [statement.to_dict() for statement in statements]
        db.execute(insert(audit).values(**row, id=new_id(), statements=texts, entries=entries, created=now()))
    return entries


def any_statement(number: int) -> Statement:
    """Make a statement about something that is no revision."""
    return Statement(
        (Subject(f"thing-{number}", {"sha256": hashlib.sha256(b"%d" % number).hexdigest()}),),
        TEST_RESULT,
        {"result": "PASSED", "number": number},
    )
