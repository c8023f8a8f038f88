"""Copies of a hub, and the proof that what a hub keeps agrees: both kinds of database."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, update

from hallmarked.core.errors import InputError
from hallmarked.hub.blob.possession import add_blob
from hallmarked.hub.blob.store import Stored
from hallmarked.hub.change.commit import Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.event import log_events
from hallmarked.hub.hub import open_hub
from hallmarked.hub.repository.repository import delete_repository, find_repository
from hallmarked.hub.review.reason import log_decisions
from hallmarked.hub.schema.object import object_
from hallmarked.hub.schema.repository import ref, revision
from hallmarked.hub.schema.review import audit, decision, event
from hallmarked.hub.setting import Settings, Storage
from hallmarked.hub.upkeep.backup import MANIFEST, back_up, restore
from hallmarked.hub.upkeep.integrity import check_hub
from hallmarked.hub.upkeep.purge import purge
from tests import postgres
from tests.hubs import RunningHub, open_test_hub


def fill(running: RunningHub) -> Stored:
    """Push a model with a large file, and one with a pickle that is held back; audit both."""
    hub, ada = running.hub, running.actor("ada")
    with hub.blobs.receive() as incoming:
        incoming.write(b"large" * 1000)
        stored = incoming.finish()
    with hub.database.write() as db:
        add_blob(db, stored.sha256, stored.size, passive=False, account_id=ada.account_id)
        repo = create(db, ada, "model", "m")
        changes = [Put("README.md", b"# M"), Put("sub/a.txt", b"a"), PutLarge("w.bin", stored.sha256)]
        commit(db, repo, ada, changes, Message("push"))
        bad = create(db, ada, "model", "bad")
        commit(db, bad, ada, [Put("a.pkl", b"cos\nsystem\n(S'true'\ntR.")], Message("push"))
    running.audit_all()
    log_events(hub.database, hub.journal)
    log_decisions(hub.database, hub.journal)
    return stored


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningHub, Stored]]:
    with open_test_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running, fill(running)


def test_a_sound_hub_has_no_faults(filled: tuple[RunningHub, Stored]) -> None:
    """Nothing is reported of a hub in which everything agrees, also when every byte is read."""
    assert list(check_hub(filled[0].hub, deep=True)) == []


def test_nobody_else_on_the_machine_reads_a_copy(filled: tuple[RunningHub, Stored], tmp_path: Path) -> None:
    """Keys, tables and files lie in a folder that is for its owner alone, also when the folder was there before."""
    for target in (tmp_path / "new", tmp_path / "old" / "deep"):
        if target.name == "deep":
            target.mkdir(parents=True, mode=0o755)
        back_up(filled[0].hub, target)
        assert target.stat().st_mode & 0o777 == 0o700


def test_nobody_else_on_the_machine_reads_the_database(tmp_path: Path) -> None:
    """Names, addresses and digests are for the hub alone, also in a data folder that others may enter."""
    (tmp_path / "data").mkdir(mode=0o755)
    with open_test_hub(tmp_path) as running:
        running.person("ada")
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").glob("hub.sqlite3*")}
        assert len(modes) == 3
        assert set(modes.values()) == {0o600}


FAULTS: dict[str, tuple[Callable[[Connection], object], str]] = {
    "ref": (lambda db: db.execute(update(ref).values(oid="1" * 40)), "leads to the commit 1111"),
    "object": (lambda db: db.execute(update(object_).where(object_.c.kind == "blob").values(data=b"?")), "other bytes"),
    "tree": (lambda db: db.execute(delete(object_).where(object_.c.kind == "tree")), "is missing"),
    "audit": (lambda db: db.execute(update(audit).values(entries=[0])), "something else than its entries"),
    "told": (lambda db: db.execute(update(audit).values(files={"rest": ["safe"] * 3, "files": {}})), "does not follow"),
    "state": (
        lambda db: db.execute(update(revision).values(state="available")) and db.execute(delete(audit)),
        "no audit",
    ),
    "event": (lambda db: db.execute(update(event).values(entry=None, created=1)), "is not in the ledger yet"),
    "decision": (lambda db: db.execute(update(decision).values(entry=10**9)), "names entry 1000000000"),
}


class Undone(Exception):
    """Takes a change back."""


@pytest.mark.slow
@pytest.mark.parametrize("name", list(FAULTS))
def test_each_kind_of_fault_is_found(filled: tuple[RunningHub, Stored], tmp_path: Path, name: str) -> None:
    """Whatever is changed behind the hub's back is reported in a sentence."""
    change, said = FAULTS[name]
    copy = Settings(storage=Storage(data=str(tmp_path / "copy")))
    back_up(filled[0].hub, tmp_path / "backup")
    restore(tmp_path / "backup", copy)
    with open_hub(copy) as hub:
        with hub.database.write() as db:
            if db.dialect.name == "sqlite":
                db.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            change(db)
        assert any(said in fault for fault in check_hub(hub))


@pytest.mark.slow
def test_files_that_are_gone_or_changed_are_found(filled: tuple[RunningHub, Stored], tmp_path: Path) -> None:
    """A large file that is missing is found; one with other bytes of the same size when every byte is read."""
    running, stored = filled
    copy = Settings(storage=Storage(data=str(tmp_path / "copy")))
    back_up(running.hub, tmp_path / "backup")
    restore(tmp_path / "backup", copy)
    with open_hub(copy) as hub:
        path = hub.blobs.path(stored.sha256)
        assert path is not None
        path.unlink()
        path.write_bytes(b"x" * stored.size)
        assert list(check_hub(hub)) == []
        assert any("holds other bytes" in fault for fault in check_hub(hub, deep=True))
        path.unlink()
        assert any("is missing" in fault for fault in check_hub(hub))


@pytest.mark.slow
def test_evidence_survives(filled: tuple[RunningHub, Stored], tmp_path: Path) -> None:
    """A hub made from a backup has the same log, signs on with the same keys, and agrees with itself."""
    running, _ = filled
    copied = back_up(running.hub, tmp_path / "backup")
    copy = Settings(storage=Storage(data=str(tmp_path / "copy")))
    assert restore(tmp_path / "backup", copy) == copied
    with open_hub(copy) as hub:
        assert hub.journal.checkpoint() == running.hub.journal.checkpoint()
        assert hub.journal.keyid == running.hub.journal.keyid
        assert hub.secret == running.hub.secret
        assert list(check_hub(hub, deep=True)) == []
        again = RunningHub(hub)
        again.actors.update(running.actors)
        again.tokens.update(running.tokens)
        with hub.database.write() as db:
            repo = find_repository(db, "model", "ada/m")
            commit(db, repo, running.actor("ada"), [Put("b.txt", b"b")], Message("after"))
        again.audit_all()
        assert list(check_hub(hub)) == []


def test_restoring_never_overwrites(filled: tuple[RunningHub, Stored], tmp_path: Path) -> None:
    """A folder that holds something, or a copy that is not whole, is refused before anything is written."""
    running, _ = filled
    back_up(running.hub, tmp_path / "backup")
    with pytest.raises(InputError, match="not empty"):
        back_up(running.hub, tmp_path / "backup")
    with pytest.raises(InputError, match="not empty"):
        restore(tmp_path / "backup", running.hub.settings)
    (tmp_path / "backup" / MANIFEST).unlink()
    with pytest.raises(InputError, match="not a whole backup"):
        restore(tmp_path / "backup", Settings(storage=Storage(data=str(tmp_path / "copy"))))


@pytest.mark.slow
def test_between_sqlite_and_postgresql(postgres_server: str, tmp_path: Path) -> None:
    """A backup of one kind of database makes a hub of the other, with the same log, and back again."""
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(open_test_hub(tmp_path / "one"))
        fill(running)
        back_up(running.hub, tmp_path / "first")
        url = stack.enter_context(postgres.database(postgres_server))
        middle = Settings(storage=Storage(data=str(tmp_path / "two"), database=url))
        restore(tmp_path / "first", middle)
        with open_hub(middle) as hub:
            assert list(check_hub(hub, deep=True)) == []
            assert hub.journal.checkpoint() == running.hub.journal.checkpoint()
            back_up(hub, tmp_path / "second")
        last = Settings(storage=Storage(data=str(tmp_path / "three")))
        restore(tmp_path / "second", last)
        with open_hub(last) as hub:
            assert list(check_hub(hub, deep=True)) == []
            assert hub.journal.checkpoint() == running.hub.journal.checkpoint()


@pytest.mark.slow
def test_purge_keeps_what_can_be_restored(tmp_path: Path) -> None:
    """What was deleted long ago is gone for good; what was deleted lately stays; the rest of the hub still agrees."""
    with open_test_hub(tmp_path) as running:
        fill(running)
        with running.hub.database.write() as db:
            delete_repository(db, find_repository(db, "model", "ada/m").id)
        assert purge(running.hub.database, 1) == 0
        assert purge(running.hub.database, 0) == 1
        log_events(running.hub.database, running.hub.journal)
        assert list(check_hub(running.hub)) == []
