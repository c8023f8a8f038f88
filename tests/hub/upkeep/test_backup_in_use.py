"""Copies of a hub that is being pushed to and audits meanwhile: each is a sound hub with everything acknowledged."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from hallmarked.hub.blob.possession import add_blob
from hallmarked.hub.change.commit import Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.event import log_events
from hallmarked.hub.hub import Hub, open_hub
from hallmarked.hub.job.audit import audit_revision
from hallmarked.hub.job.waiting import list_new
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.repository.revision import find_revision, list_history
from hallmarked.hub.setting import Settings, Storage
from hallmarked.hub.upkeep.backup import back_up, restore
from hallmarked.hub.upkeep.integrity import check_hub
from tests.hubs import RunningHub, open_test_hub

BACKUPS = 3


def push(running: RunningHub, number: int) -> str:
    """Commit a large and a small file."""
    hub, ada = running.hub, running.actor("ada")
    with hub.blobs.receive() as incoming:
        incoming.write(os.urandom(50_000))
        stored = incoming.finish()
    with hub.database.write() as db:
        add_blob(db, stored.sha256, stored.size, passive=False, account_id=ada.account_id)
        repo = find_repository(db, "model", "ada/m")
        changes = [Put("a.txt", stored.sha256.encode()), PutLarge("w.bin", stored.sha256)]
        return commit(db, repo, ada, changes, Message(f"push {number}")).oid


def history(hub: Hub) -> set[str]:
    with hub.database.read() as db:
        repo = find_repository(db, "model", "ada/m")
        return {one.oid for one in list_history(db, repo, find_revision(db, repo, "main"))}


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_backup_while_people_push(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Every copy restores into a hub that agrees with itself, and has what was acknowledged before it was begun."""
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else ""
    acknowledged: list[str] = []
    begun: list[set[str]] = []
    over = threading.Event()
    with open_test_hub(tmp_path, Settings(storage=Storage(data=str(tmp_path / "data"), database=url))) as running:
        ada = running.actor("ada")
        with running.hub.database.write() as db:
            create(db, ada, "model", "m")

        def write() -> None:
            while not over.is_set():
                acknowledged.append(push(running, len(acknowledged)))
                over.wait(0.05)

        def judge() -> None:
            while not over.is_set():
                with running.hub.database.read() as db:
                    waiting = list_new(db, 1)
                for item in waiting:
                    audit_revision(running.hub, item.task)
                log_events(running.hub.database, running.hub.journal)

        threads = [threading.Thread(target=target) for target in (write, write, judge)]
        for thread in threads:
            thread.start()
        try:
            for number in range(BACKUPS):
                over.wait(1.5)
                begun.append(set(acknowledged))
                back_up(running.hub, tmp_path / f"backup-{number}")
        finally:
            over.set()
            for thread in threads:
                thread.join()
    assert begun[0]
    for number, before in enumerate(begun):
        settings = Settings(storage=Storage(data=str(tmp_path / f"restored-{number}")))
        restore(tmp_path / f"backup-{number}", settings)
        with open_hub(settings) as hub:
            assert before <= history(hub)
            assert list(check_hub(hub, deep=True)) == []
