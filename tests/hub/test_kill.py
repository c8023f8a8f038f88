"""A hub whose server and worker are killed at random instants: nothing acknowledged is lost, every audit ends, once.

Six rounds by default; ``HALLMARKED_KILL_ROUNDS=200`` asks for more. In each round two people push, by LFS and by Xet,
while audits go on, and one program is killed at a random instant of what the round is about: an upload, a commit, the
checks of an audit, or the moment between what the checks said and what follows from it. ``HALLMARKED_KILL_REPORT``
names a file to which the kills are counted.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from hallmarked.hub.hub import Hub, open_hub
from hallmarked.hub.job.waiting import count_waiting
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.repository.revision import find_revision, list_files, list_history, read_text
from hallmarked.hub.schema.object import blob
from hallmarked.hub.schema.repository import revision
from hallmarked.hub.schema.review import audit, decision, draft
from hallmarked.hub.setting import Job, Server, Settings, Storage
from hallmarked.hub.upkeep.integrity import check_hub
from tests.hub.programs import PATIENCE, Programs, Pusher, free_port, make_people
from tests.hubs import RunningHub

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
ROUNDS = int(os.environ.get("HALLMARKED_KILL_ROUNDS", "6"))
AIMS = (("serve", "lfs"), ("worker", "checks"), ("serve", "commit"), ("worker", "record"), ("serve", "xet"),
        ("worker", "checks"))  # fmt: skip
"""Who is killed, and during what, in turn."""
PEOPLE = ("ada", "bob")
BACKLOG = 2
"""Audits that may wait before more is pushed, unless somebody is to be killed during a push."""


@dataclass
class World:
    """A hub that is in use."""

    hub: Hub
    programs: Programs
    pushers: list[Pusher]
    killed: Counter[str] = field(default_factory=Counter)
    """How often, by program and by what was going on."""
    over: threading.Event = field(default_factory=threading.Event)
    up: threading.Event = field(default_factory=threading.Event)
    """Set while the server is there."""
    failures: list[str] = field(default_factory=list)
    aim: str = ""
    """During what somebody is to be killed next."""

    def use(self, pusher: Pusher) -> None:
        """Push until told to stop, whatever happens to the server."""
        number = 0
        while not self.over.is_set():
            idle = self.aim not in ("lfs", "xet", "commit") and self.waiting() >= BACKLOG
            if idle or not self.up.wait(1):
                self.over.wait(0.05)
                continue
            number += 1
            try:
                pusher.push(number)
            except httpx.HTTPStatusError as error:
                self.failures.append(f"{error.request.url.path}: {error.response.status_code} {error.response.text}")
            except httpx.HTTPError:
                if self.up.is_set():
                    self.up.wait(0.1)

    def waiting(self) -> int:
        """Count the revisions that were not audited yet."""
        with self.hub.database.read() as db:
            return count_waiting(db)

    def auditing(self) -> str:
        """Say what the audits are at: ``record`` when what the checks said is noted and nothing followed yet."""
        with self.hub.database.read() as db:
            if db.execute(select(draft.c.id).limit(1)).first():
                return "record"
            began = select(revision.c.oid).where(revision.c.audited.is_(False), revision.c.attempts > 0)
            return "checks" if db.execute(began.limit(1)).first() else ""

    def await_aim(self, aim: str) -> None:
        """Wait for something to go on, and then for a random part of the time it takes."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if aim in ("checks", "record"):
                if self.auditing() == aim:
                    time.sleep(random.uniform(0, 0.8 if aim == "checks" else 0.02))
                    return
                time.sleep(0.002)
            else:
                busy = [pusher for pusher in self.pushers if pusher.phase == aim]
                if busy:
                    time.sleep(random.uniform(0, busy[0].took.get(aim, 0.05)))
                    return
                time.sleep(0.0005)
        raise AssertionError(f"nobody came to {aim}: {self.failures[-3:]} {self.programs.log.read_text()[-2000:]}")

    def kill(self, victim: str, aim: str) -> None:
        """Kill a program at a random instant of something, and start it again."""
        self.aim = aim
        self.await_aim(aim)
        self.aim = ""
        if victim == "serve":
            self.up.clear()
        doing = sorted(filter(None, (pusher.phase for pusher in self.pushers)))
        self.programs.send(victim, signal.SIGKILL)
        self.programs.wait(victim)
        if victim == "worker":
            doing = [self.auditing()]
        self.killed[f"{victim}: {' and '.join(doing) or 'between'}"] += 1
        self.programs.start(victim)
        if victim == "serve":
            self.programs.await_ready()
            self.up.set()

    def settle(self) -> None:
        """Wait until everything was audited and logged."""
        deadline = time.monotonic() + PATIENCE + 10 * ROUNDS
        while time.monotonic() < deadline and self.waiting():
            time.sleep(1)
        assert not self.waiting(), "some audits do not come to an end"
        time.sleep(3)  # what is logged after the last audit


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    storage = Storage(data=str(tmp_path / "data"), database=url)
    settings = Settings(storage=storage, server=Server(port=free_port()), job=Job(in_server=False))
    programs = Programs(settings, tmp_path / "log")
    with open_hub(settings) as hub:
        tokens = make_people(RunningHub(hub), PEOPLE)
        pushers = [Pusher(programs.url, name, tokens[name], random.Random(name)) for name in PEOPLE]
        made = World(hub, programs, pushers)
        threads = [threading.Thread(target=made.use, args=(pusher,)) for pusher in pushers]
        try:
            programs.start("serve")
            programs.start("worker")
            programs.await_ready()
            made.up.set()
            for thread in threads:
                thread.start()
            yield made
        finally:
            made.over.set()
            for thread in threads:
                if thread.ident:
                    thread.join()
            programs.stop(signal.SIGKILL)


def test_killed_at_random_instants(world: World, request: pytest.FixtureRequest) -> None:
    """Whatever was acknowledged is there, whole, and audited exactly once; everything the hub keeps agrees."""
    began = time.monotonic()
    for number in range(ROUNDS):
        world.kill(*AIMS[number % len(AIMS)])
    world.over.set()
    seconds = time.monotonic() - began
    world.settle()
    assert world.programs.stop(signal.SIGTERM) == {"serve": 0, "worker": 0}
    assert world.failures == [], "the server answers well or not at all"
    commits = sum(_examine(world, pusher) for pusher in world.pushers)
    assert list(check_hub(world.hub, deep=True)) == []
    _examine_leftovers(world.hub)
    if place := os.environ.get("HALLMARKED_KILL_REPORT"):
        told = {"case": request.node.callspec.id, "rounds": ROUNDS, "seconds": round(seconds), "commits": commits}
        with contextlib.suppress(FileNotFoundError), Path(place).open("a") as out:
            out.write(json.dumps({**told, "killed": dict(sorted(world.killed.items()))}) + "\n")


def _examine(world: World, pusher: Pusher) -> int:
    """Look at everything that was committed to somebody's repository; return how much that was."""
    hub = world.hub
    with hub.database.read() as db:
        repo = find_repository(db, "model", f"{pusher.name}/m")
        history = {one.oid: one for one in list_history(db, repo, find_revision(db, repo, "main"))}
        audits = {row.revision: row for row in db.execute(select(audit).where(audit.c.repository_id == repo.id))}
        decisions = list(db.execute(select(decision.c.revision)).scalars())
        assert len(audits) == len(db.execute(select(audit.c.id).where(audit.c.repository_id == repo.id)).all())
        for at in history.values():
            files = {entry.path: entry for entry in list_files(db, at)}
            small = [path for path in files if path.endswith(".txt")]
            assert len(small) == len([path for path in files if path.endswith(".bin")]), "a commit is there by half"
            for path in small:
                assert read_text(db, files[path]).decode() == files[path.replace(".txt", ".bin")].sha256
    assert pusher.acknowledged
    assert set(pusher.acknowledged) <= set(history)
    for oid, at in history.items():
        assert at.audited, at.reason
        assert at.state in ("available", "unknown"), at.reason  # nobody knows what random bytes are
        found = hub.journal.find([f"gitCommit:{oid}"])
        assert len(found) - decisions.count(oid) == len(audits[oid].entries)
    return len(history)


def _examine_leftovers(hub: Hub) -> None:
    """Nothing is reserved for what was killed: no draft of an audit, no row without its bytes."""
    with hub.database.read() as db:
        assert db.execute(select(draft.c.id)).all() == []
        known = set(db.execute(select(blob.c.sha256)).scalars())
    assert known <= {sha256 for sha256, _, _ in hub.blobs.list()}
