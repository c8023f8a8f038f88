"""How fast, and at what cost, large files leave and enter a hub; bare servers beside it in the same run."""

from __future__ import annotations

import hashlib
import os
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bench.server import Server, start
from bench.table import markdown
from hallmarked.hub.access import Actor
from hallmarked.hub.account.account import create_account
from hallmarked.hub.account.token import create_token
from hallmarked.hub.hub import Hub, open_hub
from hallmarked.hub.setting import Settings, Storage

GIB = 1 << 30
TIMES, CLIENTS = 5, 8
BLOCK = os.urandom(1 << 20)
SERVER = str(Path(__file__).with_name("server.py"))


@contextmanager
def run_hub(folder: Path, prepare: Callable[[Hub, Actor], None] | None = None, workers: int = 1) -> Iterator[Server]:
    """Run a hub as ``hallmarked serve`` does, with one account, whose token is among the facts.

    Args:
        folder: For everything the hub keeps.
        prepare: Fills the hub for that account before it answers.
        workers: Processes that answer.
    """
    with open_hub(Settings(storage=Storage(data=str(folder)))) as hub:
        with hub.database.write() as db:
            made = create_account(db, "ada")
            token = create_token(db, made.id, "bench")
        if prepare is not None:
            prepare(hub, Actor(made.id, made.name))
    options = {
        "HALLMARKED_POLICY_WHILE_CHECKED": "all",  # what is sent is not what a scanner thinks of it
        "HALLMARKED_LIMIT_READS": "0",
        "HALLMARKED_SERVER_WORKERS": str(workers),
    }
    with start("-m", "hallmarked", "serve", "--data", str(folder), "--port", **options) as server:
        server.facts["token"] = token
        yield server


def content(number: int, size: int) -> Iterator[bytes]:
    """Yield the bytes of a file: random ones, different for each number."""
    yield number.to_bytes(8, "big") + BLOCK[8:]
    for _ in range(size // len(BLOCK) - 1):
        yield BLOCK


def digest_of(number: int, size: int) -> str:
    """Return the SHA-256 of such a file."""
    digest = hashlib.sha256()
    for block in content(number, size):
        digest.update(block)
    return digest.hexdigest()


def get(url: str) -> int:
    """Download and forget; return the bytes of the body."""
    parts = urlsplit(url)
    buffer = bytearray(1 << 20)
    received = 0
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        request = f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head[:200])
        received = len(head.partition(b"\r\n\r\n")[2])
        while count := connection.recv_into(buffer):
            received += count
    return received


def put(url: str, number: int, size: int) -> None:
    """Upload such a file by one request."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
        connection.sendall(f"{head}Content-Length: {size}\r\n\r\n".encode())
        for block in content(number, size):
            connection.sendall(block)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer[:500])


def upload_address(server: Server, number: int, size: int) -> str:
    """Ask the batch API where a file goes."""
    item = {"oid": digest_of(number, size), "size": size}
    headers = {"Authorization": f"Bearer {server.facts['token']}"}
    url = f"{server.url}/ada/bench.git/info/lfs/objects/batch"
    body = {"operation": "upload", "transfers": ["basic"], "objects": [item]}
    answer = httpx.post(url, json=body, headers=headers).raise_for_status().json()
    return str(answer["objects"][0]["actions"]["upload"]["href"])


def commit(server: Server, number: int, size: int) -> None:
    """Commit a file that was uploaded, as ``model.bin``."""
    headers = {"Authorization": f"Bearer {server.facts['token']}"}
    lines = (
        '{"key": "header", "value": {"summary": "add", "description": ""}}\n'
        f'{{"key": "lfsFile", "value": {{"path": "model.bin", "oid": "{digest_of(number, size)}"}}}}\n'
    )
    url = f"{server.url}/api/models/ada/bench/commit/main"
    httpx.post(url, content=lines, headers=headers).raise_for_status()


def create(server: Server) -> None:
    """Make the repository."""
    headers = {"Authorization": f"Bearer {server.facts['token']}"}
    httpx.post(f"{server.url}/api/repos/create", json={"name": "bench"}, headers=headers, timeout=60).raise_for_status()


def seconds(act: Callable[[], object]) -> float:
    """Return how long something takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def report(scratch: Path, size: int = GIB) -> str:
    """Measure everything; the peers take turns with the hub, so that a busy machine is busy for both."""
    (scratch / "sink").mkdir(parents=True)
    path = scratch / "file"
    with path.open("wb") as file:
        for block in content(0, size):
            file.write(block)
    with (
        run_hub(scratch / "hub") as hub,
        start(SERVER, "file", str(path)) as plain,
        start(SERVER, "sink", str(scratch / "sink")) as sink,
    ):
        create(hub)
        put(upload_address(hub, 0, size), 0, size)
        commit(hub, 0, size)
        tables = [_downloads(hub, plain, size), _uploads(hub, sink, scratch / "sink", size), _together(hub, size)]
    path.unlink()
    return "\n".join(tables)


def _downloads(hub: Server, plain: Server, size: int) -> str:
    urls = {
        "Starlette FileResponse, defaults": (plain, f"{plain.url}/"),
        "hallmarked serve": (hub, f"{hub.url}/ada/bench/resolve/main/model.bin"),
    }
    took: dict[str, list[float]] = {name: [] for name in urls}
    used: dict[str, list[float]] = {name: [] for name in urls}
    for turn in range(TIMES + 1):
        for name, (server, url) in urls.items():
            before = server.cpu()
            elapsed = seconds(lambda url=url: get(url))  # type: ignore[misc]
            if turn:  # the first warms up
                took[name].append(elapsed)
                used[name].append((server.cpu() - before) * GIB / size)
    rows = [
        [name, f"{size / 1e6 / statistics.median(took[name]):,.0f}", f"{statistics.median(used[name]):.2f}"]
        for name in urls
    ]
    base, ours = (statistics.median(took[name]) for name in urls)
    return markdown(
        [f"download of {size >> 20:,} MiB (median of {TIMES})", "MB/s", "server CPU s/GiB"],
        [*rows, ["ratio of rates (target ≥ 1.4; CPU ≤ 0.65)", f"{base / ours:.2f}", ""]],
    )


def _uploads(hub: Server, sink: Server, folder: Path, size: int) -> str:
    names = ("bare sink that hashes and writes", "hallmarked serve, LFS")
    took: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(TIMES):
        took[names[0]].append(seconds(lambda: put(f"{sink.url}/", turn, size)))  # noqa: B023
        for file in folder.iterdir():
            file.unlink()
        address = upload_address(hub, turn + 1, size)
        took[names[1]].append(seconds(lambda: put(address, turn + 1, size)))  # noqa: B023
    rows = [[name, f"{size / 1e6 / statistics.median(took[name]):,.0f}"] for name in names]
    base, ours = (statistics.median(took[name]) for name in names)
    return markdown(
        [f"upload of {size >> 20:,} MiB (median of {TIMES})", "MB/s"],
        [*rows, ["ratio of rates (target ≥ 0.8)", f"{base / ours:.2f}"]],
    )


def _together(hub: Server, size: int) -> str:
    addresses = [upload_address(hub, 100 + number, size) for number in range(CLIENTS // 2)]
    url = f"{hub.url}/ada/bench/resolve/main/model.bin"
    ready = threading.Barrier(CLIENTS)

    def send(number: int) -> None:
        ready.wait()
        put(addresses[number], 100 + number, size)

    def fetch() -> None:
        ready.wait()
        if get(url) != size:
            raise RuntimeError("a download was cut short")

    with ThreadPoolExecutor(CLIENTS) as pool:
        began = time.perf_counter()
        half = CLIENTS // 2
        acts = [*(pool.submit(send, number) for number in range(half)), *(pool.submit(fetch) for _ in range(half))]
        for act in acts:
            act.result()
        elapsed = time.perf_counter() - began
    rows = [
        ["all together", f"{CLIENTS * size / 1e6 / elapsed:,.0f} MB/s"],
        ["server memory, peak (target ≤ 300)", f"{hub.peak_mb():.0f} MB"],
    ]
    return markdown([f"{CLIENTS} clients, half of them sending, {size >> 20:,} MiB each", ""], rows)
