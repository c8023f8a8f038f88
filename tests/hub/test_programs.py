"""The server and the worker as programs: many processes on PostgreSQL and S3; signals, restarts, slow downloads."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from hallmarked.hub.hub import Hub, open_hub
from hallmarked.hub.job.waiting import count_waiting
from hallmarked.hub.setting import Job, Server, Settings, Storage
from hallmarked.hub.upkeep.integrity import check_hub
from tests.hub.programs import PATIENCE, Programs, Pusher, free_port, make_people
from tests.hubs import RunningHub

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
LARGE = 64 << 20
"""Bytes: more than the buffers between two programs hold."""


@pytest.fixture(params=["one process", "many processes"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Hub, Programs, Pusher]]:
    """A hub on SQLite and files, with one process that answers; or on PostgreSQL and S3, with two."""
    many = request.param == "many processes"
    database, blobs = (request.getfixturevalue(name) if many else "" for name in ("postgres_url", "s3_url"))
    blobs = blobs.format(prefix="programs")
    keys = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    storage = Storage(data=str(tmp_path / "data"), database=database, blobs=blobs)
    settings = Settings(storage=storage, server=Server(port=free_port()), job=Job(in_server=False))
    programs = Programs(settings, tmp_path / "log", ("--workers", "2") if many else (), keys)
    with open_hub(settings) as opened:
        token = make_people(RunningHub(opened), ("ada",))["ada"]
        try:
            programs.start("serve")
            programs.start("worker")
            programs.await_ready()
            yield opened, programs, Pusher(programs.url, "ada", token, random.Random(1))
        finally:
            programs.stop(signal.SIGKILL)


def await_audits(hub: Hub) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with hub.database.read() as db:
            if not count_waiting(db):
                return
        time.sleep(0.5)
    raise AssertionError("the audits do not come to an end")


def fetch(pusher: Pusher, number: int) -> None:
    """Download a pair and compare it."""
    headers = {"Authorization": f"Bearer {pusher.token}"}
    with httpx.Client(base_url=pusher.url, headers=headers, timeout=PATIENCE, follow_redirects=True) as client:
        said = client.get(f"/ada/m/resolve/main/{number}.txt").raise_for_status().text
        got = client.get(f"/ada/m/resolve/main/{number}.bin").raise_for_status().content
    assert hashlib.sha256(got).hexdigest() == said


def test_push_audit_download_restart(hub: tuple[Hub, Programs, Pusher]) -> None:
    """What is pushed is audited and downloaded, also after both programs were hung up on, stopped and started again."""
    opened, programs, pusher = hub
    for number in range(2):
        pusher.push(number)
    await_audits(opened)
    for number in range(2):
        fetch(pusher, number)
    for name in ("serve", "worker"):
        programs.send(name, signal.SIGHUP)
    time.sleep(2)
    programs.await_ready()
    assert programs.running["worker"].is_alive()
    pusher.push(2)
    assert programs.stop(signal.SIGTERM) == {"serve": 0, "worker": 0}
    programs.start("serve")
    programs.start("worker")
    programs.await_ready()
    await_audits(opened)
    for number in range(3):
        fetch(pusher, number)
    assert programs.stop(signal.SIGINT) == {"serve": 0, "worker": 0}
    assert list(check_hub(opened, deep=True)) == []


@pytest.mark.parametrize("hub", ["one process"], indirect=True)
def test_a_download_outlives_the_order_to_stop(hub: tuple[Hub, Programs, Pusher]) -> None:
    """A server that is told to stop ends what it is sending first; nobody new is answered; its status is 0."""
    _, programs, pusher = hub
    data = random.Random(2).randbytes(LARGE)
    pusher.push_bytes(data)
    parts = urlsplit(f"{programs.url}/ada/m/resolve/main/large.bin")
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        head = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {pusher.token}\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        got = bytearray(connection.recv(1 << 16))
        assert got.startswith(b"HTTP/1.1 200")
        programs.send("serve", signal.SIGTERM)
        time.sleep(2)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{programs.url}/health/live")
        while piece := connection.recv(1 << 20):
            got += piece
    assert bytes(got).partition(b"\r\n\r\n")[2] == data
    assert programs.wait("serve") == 0
