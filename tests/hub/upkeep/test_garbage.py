"""Clean-up: what goes, what stays, and that nothing in use is ever lost."""

from __future__ import annotations

import hashlib
import random
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from hallmarked.core.errors import BackendError, InputError
from hallmarked.hub.blob.possession import add_arrival, note_arrival
from hallmarked.hub.change.commit import Delete, Message, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.clock import now
from hallmarked.hub.hub import Hub
from hallmarked.hub.repository.repository import Repository, delete_repository, find_repository
from hallmarked.hub.schema.object import blob, usage
from hallmarked.hub.schema.repository import repository
from hallmarked.hub.schema.xet import xorb, xorb_extent
from hallmarked.hub.setting import Settings, Storage
from hallmarked.hub.upkeep.garbage import GRACE, Report, Terms, collect_garbage
from tests.hubs import RunningHub, open_test_hub

AT_ONCE = Terms(grace=timedelta(0), remembered=timedelta(0), restore=timedelta(0))


@pytest.fixture
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningHub]:
    kind = getattr(request, "param", "sqlite")
    url = "" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    with open_test_hub(tmp_path, Settings(storage=Storage(data=str(tmp_path / "data"), database=url))) as running:
        running.person("ada")
        yield running


def upload(hub: RunningHub, data: bytes) -> str:
    with hub.hub.blobs.receive() as incoming:
        incoming.write(data)
        stored = incoming.finish()
    note_arrival(hub.hub.database, hub.hub.blobs, stored, hub.actor("ada").account_id)
    return stored.sha256


def make(hub: RunningHub, name: str) -> Repository:
    with hub.hub.database.write() as db:
        return create(db, hub.actor("ada"), "model", name)


def put(hub: RunningHub, repo: Repository, digest: str, path: str = "w.bin") -> None:
    with hub.hub.database.write() as db:
        commit(db, repo, hub.actor("ada"), [PutLarge(path, digest)], Message("add"))


def age(hub: RunningHub, days: float) -> None:
    """Let everything have happened so many days before."""
    with hub.hub.database.write() as db:
        db.execute(update(blob).values(created=now() - int(days * 86_400_000)))
        past = now() - int(days * 86_400_000)
        db.execute(update(repository).where(repository.c.deleted.is_not(None)).values(deleted=past))


def kept(hub: RunningHub) -> set[str]:
    return {digest for digest, _, _ in hub.hub.blobs.list()}


@pytest.mark.parametrize("hub", ["sqlite", "postgres"], indirect=True)
def test_only_what_nothing_refers_to_and_is_old_goes(hub: RunningHub) -> None:
    """A file of a repository stays however old, one of nobody's goes after its period of grace."""
    used, unused = upload(hub, b"used"), upload(hub, b"unused")
    put(hub, make(hub, "m"), used)
    assert collect_garbage(hub.hub, Terms()) == Report(waiting=1)
    age(hub, GRACE.days + 1)
    young = upload(hub, b"young")
    assert collect_garbage(hub.hub, replace(Terms(), dry_run=True)) == Report(files=1, size=6, waiting=1)
    assert kept(hub) == {used, unused, young}
    assert collect_garbage(hub.hub, Terms()) == Report(files=1, size=6, waiting=1)
    assert kept(hub) == {used, young}
    assert collect_garbage(hub.hub, Terms()) == Report(waiting=1)


def test_history_keeps_its_files(hub: RunningHub) -> None:
    """A file that the newest revision has no more is still in an older one."""
    digest = upload(hub, b"old")
    repo = make(hub, "m")
    put(hub, repo, digest)
    with hub.hub.database.write() as db:
        commit(db, repo, hub.actor("ada"), [Delete("w.bin")], Message("remove"))
    collect_garbage(hub.hub, AT_ONCE)
    assert kept(hub) == {digest}


def test_a_deleted_repository_keeps_its_files_until_it_cannot_be_restored(hub: RunningHub) -> None:
    """Then it goes for good, and its files with it in the same run."""
    digest = upload(hub, b"deleted")
    repo = make(hub, "m")
    put(hub, repo, digest)
    with hub.hub.database.write() as db:
        delete_repository(db, repo.id)
    age(hub, 29)
    assert collect_garbage(hub.hub, Terms()) == Report()
    age(hub, 31)
    assert collect_garbage(hub.hub, replace(Terms(), dry_run=True)) == Report(repositories=1, files=1, size=7)
    assert kept(hub) == {digest}
    assert collect_garbage(hub.hub, Terms()) == Report(repositories=1, files=1, size=7)
    assert kept(hub) == set()


def test_files_that_clients_remember_by_their_chunks_stay_longer(hub: RunningHub) -> None:
    """A file that came by Xet outlives the clients' memory of three weeks."""
    digest = upload(hub, b"by xet")
    with hub.hub.database.write() as db:
        db.execute(insert(xorb).values(hash="x", chunks=b"", size=6, created=now()))
        db.execute(insert(xorb_extent).values(xorb="x", first=0, until=1, sha256=digest, start=0))
    age(hub, 22)
    assert collect_garbage(hub.hub, Terms()) == Report(waiting=1)
    age(hub, 31)
    assert collect_garbage(hub.hub, Terms()) == Report(files=1, size=6)


def test_files_that_no_row_knows_go_too(hub: RunningHub) -> None:
    """Parts of uploads that were given up, and what was cut off before it was noted."""
    with hub.hub.blobs.receive() as incoming:
        incoming.write(b"part")
        incoming.finish()
    assert collect_garbage(hub.hub, Terms()) == Report()
    assert collect_garbage(hub.hub, replace(AT_ONCE, dry_run=True)) == Report(files=1, size=4)
    assert collect_garbage(hub.hub, AT_ONCE) == Report(files=1, size=4)
    assert kept(hub) == set()


def test_a_file_that_was_removed_has_to_be_sent_again(hub: RunningHub) -> None:
    """Having sent it once is no more enough to commit it; sent again it is."""
    digest = upload(hub, b"again")
    repo = make(hub, "m")
    collect_garbage(hub.hub, AT_ONCE)
    with pytest.raises(InputError, match="not uploaded"):
        put(hub, repo, digest)
    put(hub, repo, upload(hub, b"again"))
    collect_garbage(hub.hub, AT_ONCE)
    assert kept(hub) == {digest}


def test_a_file_marked_by_who_was_killed_then_is_of_no_use_until_it_comes_again(hub: RunningHub) -> None:
    """Between the two steps nobody can begin to refer to it; a new upload makes it whole."""
    digest = upload(hub, b"marked")
    repo = make(hub, "m")
    with hub.hub.database.write() as db:
        db.execute(update(blob).values(stored=False))
    with pytest.raises(InputError, match="not uploaded"):
        put(hub, repo, digest)
    put(hub, repo, upload(hub, b"marked"))
    assert collect_garbage(hub.hub, AT_ONCE) == Report()


def test_bytes_that_vanish_while_they_arrive_are_not_acknowledged(hub: RunningHub) -> None:
    """Clean-up may delete old bytes in the very moment they come again: the sender is told to send them once more."""
    with hub.hub.blobs.receive() as incoming:
        incoming.write(b"same")
        stored = incoming.finish()
    hub.hub.blobs.delete(stored.sha256)
    with pytest.raises(BackendError, match="send it again"):
        note_arrival(hub.hub.database, hub.hub.blobs, stored, None)
    with pytest.raises(BackendError, match="send it again"), hub.hub.database.write() as db:
        add_arrival(db, hub.hub.blobs, stored, passive=True, account_id=None)
    with hub.hub.database.read() as db:
        assert db.execute(select(blob)).all() == []


def check(hub: Hub) -> None:
    """Every blob that the database vouches for, or that a repository has, is in the store, whole."""
    with hub.database.read() as db:
        rows = db.execute(select(blob.c.sha256, blob.c.size).where(blob.c.stored)).all()
        used = set(db.scalars(select(usage.c.sha256)))
    assert used <= {row.sha256 for row in rows}
    for row in rows:
        with hub.blobs.open(row.sha256) as file:
            assert hashlib.sha256(file.read()).hexdigest() == row.sha256


@pytest.mark.parametrize("hub", ["sqlite", "postgres"], indirect=True)
@pytest.mark.parametrize("seconds", [1.5, pytest.param(15, marks=pytest.mark.slow)], ids=["short", "long"])
def test_uploads_and_commits_race_with_clean_up(hub: RunningHub, seconds: float) -> None:
    """Without grace files vanish between upload and commit; then the commit is refused, never accepted in vain."""
    repos = [make(hub, f"m{number}") for number in range(3)]
    ends = time.monotonic() + seconds
    committed: list[str] = []
    broken: list[BaseException] = []

    def write(repo: Repository, seed: int) -> None:
        chance = random.Random(seed)
        try:
            while time.monotonic() < ends:
                data = str(chance.randrange(40)).encode()
                try:
                    digest = upload(hub, data)
                    put(hub, repo, digest, f"{chance.randrange(5)}.bin")
                    committed.append(digest)
                except (InputError, BackendError) as refused:
                    if "not uploaded" not in str(refused) and "send it again" not in str(refused):
                        raise
        except BaseException as problem:  # noqa: BLE001 - a thread's failure is the test's
            broken.append(problem)

    def clean() -> None:
        try:
            while time.monotonic() < ends:
                collect_garbage(hub.hub, AT_ONCE)
        except BaseException as problem:  # noqa: BLE001 - likewise
            broken.append(problem)

    threads = [threading.Thread(target=write, args=(repo, seed)) for seed, repo in enumerate(repos)]
    threads += [threading.Thread(target=clean) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    assert committed
    check(hub.hub)
    collect_garbage(hub.hub, AT_ONCE)
    assert kept(hub) == set(committed)


CHURN = """
import os, random, secrets, sys
from datetime import timedelta
from pathlib import Path
from hallmarked.hub.upkeep.garbage import Terms, collect_garbage
from hallmarked.hub.hub import open_hub
from hallmarked.hub.change.commit import Message, PutLarge, commit
from hallmarked.hub.access import Actor
from hallmarked.hub.blob.possession import add_arrival, note_arrival
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.setting import Settings, Storage
terms = Terms(timedelta(0), timedelta(0), timedelta(0))
with open_hub(Settings(storage=Storage(data=sys.argv[1], database=sys.argv[2]))) as hub:
    actor = Actor(sys.argv[3], "ada")
    print("ready", flush=True)
    while True:
        for number in range(5):
            with hub.blobs.receive() as incoming:
                incoming.write(secrets.token_bytes(50))
                stored = incoming.finish()
            note_arrival(hub.database, hub.blobs, stored, actor.account_id)
            if number == 0:
                with hub.database.write() as db:
                    repo = find_repository(db, "model", "ada/m")
                    commit(db, repo, actor, [PutLarge(stored.sha256 + ".bin", stored.sha256)], Message("add"))
                print(stored.sha256, flush=True)
        collect_garbage(hub, terms)
"""


@pytest.mark.parametrize("hub", ["sqlite", "postgres"], indirect=True)
@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.slow)], ids=["few", "many"])
def test_killed_at_any_moment_nothing_in_use_is_lost(hub: RunningHub, times: int) -> None:
    """Kill -9 amid uploads, commits and clean-up: acknowledged commits keep their files, the rest goes later."""
    make(hub, "m")
    settings = hub.hub.settings.storage
    acknowledged = set()
    command = [sys.executable, "-c", CHURN, settings.data, settings.database, str(hub.actor("ada").account_id)]
    for _ in range(times):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(random.uniform(0.02, 0.5))
            process.kill()
            acknowledged |= {line.strip() for line in process.stdout if len(line) == 65}
        check(hub.hub)
        with hub.hub.database.read() as db:
            assert find_repository(db, "model", "ada/m")
    collect_garbage(hub.hub, AT_ONCE)
    assert acknowledged <= kept(hub)
    with hub.hub.database.read() as db:
        assert kept(hub) == set(db.scalars(select(usage.c.sha256)))


def test_object_storage_is_cleaned_up_alike(tmp_path: Path, s3_url: str) -> None:
    """The same rules hold where files are objects."""
    place = s3_url.format(prefix=secrets.token_hex(8))
    with open_test_hub(tmp_path, Settings(storage=Storage(data=str(tmp_path / "data"), blobs=place))) as hub:
        hub.person("ada")
        used = upload(hub, b"used")
        upload(hub, b"unused")
        put(hub, make(hub, "m"), used)
        time.sleep(1.1)  # the storage keeps whole seconds
        assert collect_garbage(hub.hub, AT_ONCE).files == 1
        assert kept(hub) == {used}
