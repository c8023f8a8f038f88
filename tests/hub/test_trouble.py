"""Two at once, and a disk that is full: a clear answer, and nothing half done. Both kinds of database."""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hallmarked.core.errors import BackendError, Error
from hallmarked.hub.access import Actor
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.error import Outdated
from hallmarked.hub.hub import open_hub
from hallmarked.hub.job.slot import Slots
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.repository.revision import find_revision, list_history
from hallmarked.hub.setting import Settings, Storage
from hallmarked.hub.upkeep.integrity import check_hub
from tests.hubs import RunningHub, open_test_hub


@pytest.fixture(params=["sqlite", "postgresql"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningHub]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    settings = Settings(storage=Storage(data=str(tmp_path / "data"), database=url))
    with open_test_hub(tmp_path, settings) as running:
        ada = running.actor("ada")
        with running.hub.database.write() as db:
            create(db, ada, "model", "m")
        yield running


def test_of_two_writers_one_wins(hub: RunningHub) -> None:
    """All start from one commit; one is accepted, the others told to fetch; the branch has only the winner's."""
    actor = hub.actor("ada")
    with hub.hub.database.read() as db:
        start = find_revision(db, find_repository(db, "model", "ada/m"), "main").oid
    barrier, won, lost = threading.Barrier(8), list[str](), list[Error]()

    def write(number: int) -> None:
        barrier.wait()
        try:
            with hub.hub.database.write() as db:
                repo = find_repository(db, "model", "ada/m")
                changes = [Put("a.txt", str(number).encode())]
                won.append(commit(db, repo, actor, changes, Message(str(number)), parent=start).oid)
        except Outdated as error:
            lost.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)
    with hub.hub.database.read() as db:
        repo = find_repository(db, "model", "ada/m")
        history = [one.oid for one in list_history(db, repo, find_revision(db, repo, "main"))]
    assert history == [won[0], start]


def test_writers_without_a_parent_all_win(hub: RunningHub) -> None:
    """Whoever does not say where the branch is adds to wherever it is; nobody's commit is lost."""
    actor, barrier, made = hub.actor("ada"), threading.Barrier(6), list[str]()

    def write(number: int) -> None:
        barrier.wait()
        with hub.hub.database.write() as db:
            repo = find_repository(db, "model", "ada/m")
            made.append(commit(db, repo, actor, [Put(f"{number}.txt", b"x")], Message(str(number))).oid)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with hub.hub.database.read() as db:
        repo = find_repository(db, "model", "ada/m")
        history = [one.oid for one in list_history(db, repo, find_revision(db, repo, "main"))]
    assert set(made) < set(history)
    assert len(history) == 7


def test_a_place_is_free_when_its_holder_is_gone(hub: RunningHub, tmp_path: Path) -> None:
    """Two processes that audit have different places; a place that was left is taken again, the lowest first."""
    slots = Slots(hub.hub.database, tmp_path / "slots")
    with slots.take() as first:
        with slots.take() as second:
            assert (first, second) == (0, 1)
            with slots.holding(0) as mine:
                assert not mine
        with slots.holding(1) as mine:
            assert mine
    with slots.take() as again:
        assert again == 0


def test_a_full_disk_is_said_and_corrupts_nothing(tmp_path: Path) -> None:
    """In a process that may write no larger files, pushes fail with a sentence; afterwards the hub agrees with itself.

    A limit on the size of files stands for a full disk: writing fails at some byte in the middle, for the database, its
    journal, the ledger and large files alike.
    """
    with open_test_hub(tmp_path) as running:
        actor = running.actor("ada")
        with running.hub.database.write() as db:
            create(db, actor, "model", "m")
    settings = running.hub.settings
    child = os.fork()
    if child == 0:
        os._exit(_fill(settings, actor))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with open_test_hub(tmp_path) as running:
        assert list(check_hub(running.hub, deep=True)) == []
        with running.hub.database.write() as db:
            repo = find_repository(db, "model", "ada/m")
            commit(db, repo, actor, [Put("after.txt", b"x" * 300_000)], Message("after"))


def _fill(settings: Settings, actor: Actor) -> int:
    """Push until nothing can be written; 0 when that was said in our own words."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000))
    said = 0
    hub = open_hub(settings)
    for number in range(20):
        try:
            with hub.database.write() as db:
                repo = find_repository(db, "model", "ada/m")
                commit(db, repo, actor, [Put(f"{number}.bin", os.urandom(200_000))], Message("fill"))
        except BackendError:
            said += 1
    try:
        with hub.blobs.receive() as incoming:
            incoming.write(os.urandom(2_000_000))
            incoming.finish()
    except BackendError as error:
        said += "full" in str(error)
    return 0 if said >= 2 else 1
