"""A hub whose server and worker are killed at random instants: nothing acknowledged is lost, every audit ends, once.

Three rounds by default; ``HALLMARKED_KILL_ROUNDS=200`` asks for more.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from hallmarked.hub.change.creation import create
from hallmarked.hub.hub import Hub, open_hub
from hallmarked.hub.job.waiting import count_waiting
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.repository.revision import find_revision, list_history
from hallmarked.hub.schema.review import audit, decision
from hallmarked.hub.setting import Job, Server, Settings, Storage
from hallmarked.hub.upkeep.integrity import check_hub
from tests.hubs import RunningHub

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
ROUNDS = int(os.environ.get("HALLMARKED_KILL_ROUNDS", "3"))
PATIENCE = 120.0


@dataclass
class Programs:
    """The server and the worker of one hub, as a user starts them."""

    settings: Settings
    token: str
    acknowledged: list[str] = field(default_factory=list)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.server.port}"

    def start(self) -> None:
        environment = {**os.environ, "HALLMARKED_JOB_IN_SERVER": "false"}
        if self.settings.storage.database:
            environment["HALLMARKED_STORAGE_DATABASE"] = self.settings.storage.database
        data = ["--data", self.settings.storage.data]
        for arguments in (["serve", *data, "--port", str(self.settings.server.port)], ["worker", *data]):
            self.running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "hallmarked", *arguments],
                    env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                )
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/health/ready").status_code == 200:
                    return
            time.sleep(0.5)
        raise AssertionError("the server does not start")

    def stop(self, number: int) -> list[int]:
        """Send a signal to both; return their statuses."""
        statuses = []
        for program in self.running:
            with contextlib.suppress(ProcessLookupError):
                program.send_signal(number)
        for program in self.running:
            program.communicate(timeout=PATIENCE)
            statuses.append(program.returncode)
        self.running.clear()
        return statuses

    def push(self, name: str) -> None:
        """Upload a large file and commit it; note the commit when the server has acknowledged it."""
        headers = {"Authorization": f"Bearer {self.token}"}
        data = os.urandom(50_000)
        oid, size = hashlib.sha256(data).hexdigest(), len(data)
        with httpx.Client(base_url=self.url, headers=headers, timeout=20) as client:
            wanted = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": oid, "size": size}]}
            answer = client.post("/ada/m.git/info/lfs/objects/batch", json=wanted).raise_for_status().json()
            upload = answer["objects"][0]["actions"]["upload"]
            httpx.put(upload["href"], content=data, headers=upload.get("header", {}), timeout=20).raise_for_status()
            lines = [
                {"key": "header", "value": {"summary": f"add {name}"}},
                {"key": "file", "value": {"path": f"{name}.txt", "encoding": "base64",
                                          "content": base64.b64encode(name.encode()).decode()}},
                {"key": "lfsFile", "value": {"path": f"{name}.bin", "algo": "sha256", "oid": oid, "size": size}},
            ]  # fmt: skip
            body = "\n".join(map(json.dumps, lines))
            made = client.post("/api/models/ada/m/commit/main", content=body).raise_for_status().json()
            self.acknowledged.append(made["commitOid"])


@pytest.fixture(params=["sqlite", "postgresql"])
def programs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Programs]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    storage = Storage(data=str(tmp_path / "data"), database=url)
    settings = Settings(storage=storage, server=Server(port=port), job=Job(in_server=False))
    with open_hub(settings) as hub:
        running = RunningHub(hub)
        token = running.person("ada")
        with hub.database.write() as db:
            create(db, running.actor("ada"), "model", "m")
    made = Programs(settings, token)
    yield made
    made.stop(signal.SIGKILL)


def test_killed_at_random_instants(programs: Programs) -> None:
    """Whatever was acknowledged is there and audited exactly once, and everything the hub keeps agrees."""
    chance = random.Random(ROUNDS)
    for number in range(ROUNDS):
        programs.start()
        killer = threading.Timer(chance.uniform(0.2, 4.0), programs.running[number % 2].kill)
        other = threading.Timer(chance.uniform(2.0, 5.0), programs.running[1 - number % 2].kill)
        killer.start()
        other.start()
        with contextlib.suppress(httpx.HTTPError):
            for count in range(1000):
                programs.push(f"file-{number}-{count}")
        killer.join()
        other.join()
        programs.stop(signal.SIGKILL)
    assert programs.acknowledged
    programs.start()
    with open_hub(programs.settings) as hub:
        deadline = time.monotonic() + PATIENCE + 10 * ROUNDS
        while time.monotonic() < deadline:
            with hub.database.read() as db:
                if not count_waiting(db):
                    break
            time.sleep(2)
        time.sleep(3)  # what is logged after the last audit
        assert programs.stop(signal.SIGTERM) == [0, 0]
        _examine(programs, hub)


def _examine(programs: Programs, hub: Hub) -> None:
    with hub.database.read() as db:
        repo = find_repository(db, "model", "ada/m")
        history = {one.oid: one for one in list_history(db, repo, find_revision(db, repo, "main"))}
        audits = {row.revision: row for row in db.execute(select(audit))}
        decisions = list(db.execute(select(decision.c.revision)).scalars())
        assert len(db.execute(select(audit.c.id)).all()) == len(audits)
    assert set(programs.acknowledged) <= set(history)
    for oid, at in history.items():
        assert at.audited, at.reason
        assert at.state in ("available", "unknown"), at.reason  # nobody knows what random bytes are
        found = hub.journal.find([f"gitCommit:{oid}"])
        assert len(found) - decisions.count(oid) == len(audits[oid].entries)
    assert list(check_hub(hub, deep=True)) == []
