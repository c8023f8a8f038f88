"""The server and the worker of a hub as programs of their own, and somebody who pushes to it by every way.

The programs are forked from a process that has loaded their modules already, so that starting one costs little.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import multiprocessing
import os
import random
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx

from hallmarked.cli import serve, worker
from hallmarked.hub.change.creation import create
from hallmarked.hub.setting import Settings
from tests.formats.xet_writer import Xorb, file_records, shard
from tests.hubs import RunningHub

PATIENCE = 120.0
"""Seconds for anything that should happen."""
COMMANDS = {"serve": serve.command, "worker": worker.command}
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.hub.programs"])


def run(name: str, arguments: list[str], environment: dict[str, str], log: Path) -> None:
    """Be one of the programs."""
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # uvicorn hands it on to its processes
    sys.stdin = os.fdopen(0)
    with log.open("ab") as out:
        for stream in (1, 2):
            os.dup2(out.fileno(), stream)
    COMMANDS[name].main(arguments, prog_name=name)


@dataclass
class Programs:
    """The programs of one hub, as a user starts them."""

    settings: Settings
    log: Path
    """What they say."""
    options: tuple[str, ...] = ()
    """Of the server."""
    environment: dict[str, str] = field(default_factory=dict)
    running: dict[str, BaseProcess] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.server.port}"

    def start(self, name: str) -> None:
        """Start the ``serve`` or the ``worker``."""
        storage = self.settings.storage
        environment = {"HALLMARKED_JOB_IN_SERVER": "false", **self.environment}
        for key in ("database", "blobs", "endpoint"):
            if value := getattr(storage, key):
                environment[f"HALLMARKED_STORAGE_{key.upper()}"] = value
        arguments = ["--data", storage.data]
        if name == "serve":
            arguments += ["--port", str(self.settings.server.port), *self.options]
        self.running[name] = _forks.Process(target=run, args=(name, arguments, environment, self.log), name=name)
        self.running[name].start()

    def await_ready(self) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.running["serve"].is_alive(), f"the server ended: {self.log.read_text()[-2000:]}"
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200:
                    return
            time.sleep(0.2)
        raise AssertionError(f"the server does not start: {self.log.read_text()[-2000:]}")

    def send(self, name: str, number: int) -> None:
        """Send a signal to one program."""
        pid = self.running[name].pid
        assert pid is not None
        os.kill(pid, number)

    def wait(self, name: str) -> int:
        """Wait for the end of one program; return its status."""
        program = self.running[name]
        program.join(PATIENCE)
        status = program.exitcode
        assert status is not None, f"{name} does not end: {self.log.read_text()[-2000:]}"
        del self.running[name]
        program.close()
        return status

    def stop(self, number: int) -> dict[str, int]:
        """Send a signal to all; return their statuses."""
        for name, program in self.running.items():
            if program.is_alive():
                self.send(name, number)
        return {name: self.wait(name) for name in list(self.running)}


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def make_people(running: RunningHub, names: tuple[str, ...]) -> dict[str, str]:
    """Make accounts with a model ``m`` each; return their tokens."""
    for name in names:
        actor = running.actor(name)
        with running.hub.database.write() as db:
            create(db, actor, "model", "m")
    return running.tokens


@dataclass
class Pusher:
    """Somebody who pushes pairs of files: a large one, and a small one that says the large one's digest."""

    url: str
    name: str
    token: str
    chance: random.Random
    phase: str = ""
    """What is being done now."""
    acknowledged: list[str] = field(default_factory=list)
    took: dict[str, float] = field(default_factory=dict)
    """Seconds that a phase took the last time."""

    def push(self, number: int) -> None:
        """Upload a large file by LFS or by Xet, and commit it; note the commit when the server has acknowledged it.

        Raises:
            httpx.HTTPError: When the server is gone.
        """
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE) as client:
            way = ("lfs", "xet")[number % 2]
            with self._doing(way):
                data = self.chance.randbytes(1_000_000)
                oid, size = self._send_xet(client) if way == "xet" else self._send_lfs(client, data)
            with self._doing("commit"):
                lines = [
                    {"key": "header", "value": {"summary": f"push {number}"}},
                    {"key": "file", "value": {"path": f"{number % 5}.txt", "encoding": "base64",
                                              "content": base64.b64encode(oid.encode()).decode()}},
                    {"key": "lfsFile", "value": {"path": f"{number % 5}.bin", "algo": "sha256", "oid": oid,
                                                 "size": size}},
                ]  # fmt: skip
                body = "\n".join(map(json.dumps, lines))
                made = client.post(f"/api/models/{self.name}/m/commit/main", content=body).raise_for_status().json()
                self.acknowledged.append(made["commitOid"])

    def push_bytes(self, data: bytes) -> None:
        """Upload ``large.bin`` by LFS and commit it."""
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE) as client:
            oid, size = self._send_lfs(client, data)
            lines = [
                {"key": "header", "value": {"summary": "large"}},
                {"key": "lfsFile", "value": {"path": "large.bin", "algo": "sha256", "oid": oid, "size": size}},
            ]
            body = "\n".join(map(json.dumps, lines))
            client.post(f"/api/models/{self.name}/m/commit/main", content=body).raise_for_status()

    def commit_text(self, text: str) -> httpx.Response:
        """Commit a small file, in the request itself."""
        content = base64.b64encode(text.encode()).decode()
        lines = [
            {"key": "header", "value": {"summary": "text"}},
            {"key": "file", "value": {"path": "a.txt", "encoding": "base64", "content": content}},
        ]
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.url}/api/models/{self.name}/m/commit/main"
        return httpx.post(url, content="\n".join(map(json.dumps, lines)), headers=headers, timeout=PATIENCE)

    @contextlib.contextmanager
    def _doing(self, phase: str) -> Iterator[None]:
        began, self.phase = time.monotonic(), phase
        try:
            yield
            self.took[phase] = time.monotonic() - began
        finally:
            self.phase = ""

    def _send_lfs(self, client: httpx.Client, data: bytes) -> tuple[str, int]:
        oid, size = hashlib.sha256(data).hexdigest(), len(data)
        wanted = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": oid, "size": size}]}
        answer = client.post(f"/{self.name}/m.git/info/lfs/objects/batch", json=wanted).raise_for_status().json()
        upload = answer["objects"][0]["actions"]["upload"]
        httpx.put(upload["href"], content=data, headers=upload.get("header", {}), timeout=PATIENCE).raise_for_status()
        return oid, size

    def _send_xet(self, client: httpx.Client) -> tuple[str, int]:
        xorb = Xorb(tuple(self.chance.randbytes(100_000) for _ in range(8)), (0,))
        data = b"".join(xorb.chunks)
        oid = hashlib.sha256(data).hexdigest()
        token = client.get(f"/api/models/{self.name}/m/xet-write-token/main").raise_for_status().json()
        headers = {"Authorization": f"Bearer {token['accessToken']}"}
        for path, body in (
            (f"/xet/v1/xorbs/default/{xorb.name}", xorb.body),
            ("/xet/v1/shards", shard([file_records([(xorb, 0, 8)], oid)], [xorb])),
        ):
            client.post(path, content=body, headers=headers).raise_for_status()
        return oid, len(data)
