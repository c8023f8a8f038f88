"""How fast a hub answers: a commit of many small files, and the description of a file to many clients at once."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from starlette.types import Message, Scope

from bench.server import Server
from bench.table import markdown
from bench.transfer import create, run_hub
from hallmarked.hub.hub import open_hub
from hallmarked.hub.setting import Limit, Settings, Storage
from hallmarked.web.app import create_app

FILES = 1_000
CLIENTS, SECONDS = 50, 10
RATE = 500
"""Requests a second of all clients together, when each keeps to a plan."""
CALLS = 20_000

PUSH = """
import sys, time
from huggingface_hub import HfApi
api = HfApi(endpoint=sys.argv[1], token=sys.argv[2])
api.create_repo("ada/many")
began = time.perf_counter()
api.upload_folder(folder_path=sys.argv[3], repo_id="ada/many")
print(time.perf_counter() - began)
"""


def report(scratch: Path) -> str:
    """Measure everything."""
    with run_hub(scratch / "hub") as hub:
        create(hub)
        rows = [push(hub, scratch)]
        await_audit(hub)
        rows += [heads(hub, 0.0), heads(hub, CLIENTS / RATE)]
        token = hub.facts["token"]
    rows.append(calls(scratch / "hub", token))
    with run_hub(scratch / "two", workers=2) as hub:
        create(hub)
        push(hub, scratch)
        await_audit(hub)
        rows.append(heads(hub, 0.0, "two processes, "))
    return markdown(["what", "target", "measured"], rows)


def push(hub: Server, scratch: Path) -> list[str]:
    """Push small files by the ecosystem's own client, in one commit."""
    folder = scratch / "many"
    for number in range(FILES):
        path = folder / f"part{number % 10}" / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"number": {number}, "noise": "{os.urandom(500).hex()}"}}')
    environment = os.environ | {"HF_HOME": str(scratch / "home"), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PUSH, hub.url, hub.facts["token"], str(folder)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    took = float(done.stdout.split()[-1])
    return [f"push of {FILES:,} small files in one commit (huggingface_hub)", "< 3 s", f"{took:.2f} s"]


def await_audit(hub: Server) -> None:
    """Wait until what was pushed is audited, so that it is not measured as well."""
    headers = {"Authorization": f"Bearer {hub.facts['token']}"}
    while True:
        answer = httpx.get(f"{hub.url}/api/models/ada/many", params={"securityStatus": "true"}, headers=headers)
        if answer.raise_for_status().json()["securityRepoStatus"]["scansDone"]:
            return
        time.sleep(1)


def calls(folder: Path, token: str) -> list[str]:
    """Call the application itself, without a network, one request after the other."""
    with open_hub(replace(Settings(), storage=Storage(data=str(folder)), limit=Limit(reads=0))) as hub:
        app = create_app(hub)
        started: list[int] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message["status"])

        async def ask(count: int) -> None:
            for number in range(count):
                await app(_scope(number % FILES, token), receive, send)

        async def run() -> float:
            await ask(FILES)
            began = time.process_time()
            await ask(CALLS)
            return CALLS / (time.process_time() - began)

        rate = asyncio.run(run())
    if set(started) != {200}:
        raise RuntimeError(f"answers were {set(started)}")
    return ["resolve HEAD, the application alone", "> 5,000/s of one core", f"{rate:,.0f}/s"]


def _scope(number: int, token: str) -> Scope:
    path = f"/ada/many/resolve/main/part{number % 10}/{number}.json"
    headers = [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {token}".encode())]
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "HEAD", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip


def heads(hub: Server, pause: float, kind: str = "") -> list[str]:
    """Ask for the descriptions of files from many connections.

    Args:
        hub: Who is asked.
        pause: Seconds from one request of a client to its next, whenever the answer comes; 0: as soon as it is there.
        kind: What is special about it.
    """
    url = f"{hub.url}/ada/many/resolve/main"
    used = hub.cpu()
    took = asyncio.run(_ask(url, hub.facts["token"], pause))
    cost = (hub.cpu() - used) / len(took)
    p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    rate = len(took) / SECONDS
    how = f"{RATE} requests/s planned" if pause else "without a pause"
    said = f"p95 {p95 * 1000:.1f} ms, median {p50 * 1000:.1f} ms, {rate:,.0f}/s"
    if not kind:
        said += f", {cost * 1e6:.0f} µs of the server's processor each"
    return [f"resolve HEAD, {kind}{CLIENTS} clients, {how}", "p95 < 10 ms", said]


async def _ask(url: str, token: str, pause: float) -> list[float]:
    parts = urlsplit(url)
    rest = f"HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n"
    took: list[float] = []
    until = time.perf_counter() + SECONDS

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.sleep(pause * number / CLIENTS)
        asked = number  # each begins elsewhere: no two ask for the same file at once
        planned = time.perf_counter()
        while time.perf_counter() < until:
            asked = (asked + 1) % FILES
            head = f"HEAD {parts.path}/part{asked % 10}/{asked}.json {rest}".encode()
            # With a plan the time counts from when the request was due, so that a late answer delays no measurement.
            began = planned if pause else time.perf_counter()
            writer.write(head)
            answer = await reader.readuntil(b"\r\n\r\n")
            took.append(time.perf_counter() - began)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer)
            planned += pause
            await asyncio.sleep(max(0.0, planned - time.perf_counter()))
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return took
