"""Large files that the ecosystem's client uploads its own way, by Xet: how fast, with how much memory, what again.

The client splits, hashes and packs what it sends, on the same processors as the server. So each file is uploaded twice
over: by the client itself, and by a program that sends again what the client had sent and does nothing else. Beside
the hub stands a sink that speaks just as much of the protocol as makes the client go on, and hashes and writes what it
is sent. The two take turns, each time a hub and a client that know nothing of the file, and the ratio is that of
neighbours.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np

from bench.server import Server, start
from bench.table import markdown
from bench.transfer import CLIENTS, GIB, SERVER, create, run_hub, seconds

CHANGED, TIMES = 200_000_000, 5
STEP = 16 << 20
SHARD = "shards"
CONNECTIONS = 2
"""A client on the same machine seldom has more than two xorbs on their way."""
PUSH = """
import sys, time
from huggingface_hub import HfApi
api = HfApi(endpoint=sys.argv[1], token=sys.argv[2])
began = time.perf_counter()
api.upload_file(path_or_fileobj=sys.argv[3], path_in_repo=sys.argv[4], repo_id="ada/bench")
print(time.perf_counter() - began)
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What an upload took."""

    seconds: float
    cpu: float
    """Processor seconds of the server."""


Upload = Callable[[Server], float]


def report(scratch: Path, size: int = GIB) -> str:
    """Measure everything."""
    scratch.mkdir(parents=True)
    tables = []
    for name, make in {"random bytes": random_bytes, "bfloat16 weights": weights}.items():
        path = scratch / "file"
        write(path, size, partial(make, np.random.default_rng(7)))
        tables.append(_rates(scratch, path, f"{size >> 20:,} MiB of {name}"))
    tables.append(_together(scratch, size))
    tables.append(_again(scratch))
    return "\n".join(tables)


def random_bytes(chance: np.random.Generator) -> bytes:
    """Make bytes that cannot be packed."""
    return chance.bytes(STEP)


def weights(chance: np.random.Generator) -> bytes:
    """Make numbers as a model has them."""
    numbers = chance.standard_normal(STEP // 2, np.float32) * np.float32(0.02)
    return (numbers.view(np.uint32) >> 16).astype(np.uint16).tobytes()


def write(path: Path, size: int, make: Callable[[], bytes]) -> None:
    """Write a file."""
    with path.open("wb") as file:
        for _ in range(0, size, STEP):
            file.write(make())


def _rates(scratch: Path, path: Path, what: str) -> str:
    """Compare hub and sink, sending one file in both ways."""
    recorded = scratch / "recorded"

    def by_client(server: Server) -> float:
        return push(server.url, server.facts["token"], path, scratch / "home")

    def again(server: Server) -> float:
        return seconds(lambda: replay(server, recorded))

    _on_sink(scratch, by_client, keep=recorded)
    rows = []
    for way, upload in {"huggingface_hub": by_client, "the same bytes again": again}.items():
        pairs = [(_on_sink(scratch, upload), _on_hub(scratch, upload)) for _ in range(TIMES)]
        ratios = sorted(sink.seconds / hub.seconds for sink, hub in pairs)
        told = [_tell([pair[number] for pair in pairs], path.stat().st_size) for number in range(2)]
        rows.append([way, *told, f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"])
    shutil.rmtree(recorded)
    titles = [what, "bare sink", "hallmarked serve", f"ratio of rates, {TIMES} pairs (target ≥ 0.8)"]
    return markdown(titles, rows)


def _tell(taken: list[Taken], size: int) -> str:
    rate = size / 1e6 / statistics.median(each.seconds for each in taken)
    return f"{rate:,.0f} MB/s, {statistics.median(each.cpu for each in taken) * GIB / size:.1f} s CPU/GiB"


def _on_sink(scratch: Path, upload: Upload, *, keep: Path | None = None) -> Taken:
    folder = scratch / "sink"
    folder.mkdir()
    with start(SERVER, "xet", str(folder)) as sink:
        sink.facts["token"] = "token"
        taken = _measure(sink, upload)
    if keep is None:
        shutil.rmtree(folder)
    else:
        folder.rename(keep)
    return taken


def _on_hub(scratch: Path, upload: Upload) -> Taken:
    with run_hub(scratch / "hub") as hub:
        create(hub)
        taken = _measure(hub, upload)
    shutil.rmtree(scratch / "hub")
    return taken


def _measure(server: Server, upload: Upload) -> Taken:
    before = server.cpu()
    elapsed = upload(server)
    return Taken(elapsed, server.cpu() - before)


def replay(server: Server, folder: Path) -> None:
    """Send the bodies that a sink has kept: the xorbs in the order in which they came, then the shard."""
    headers = {"Authorization": f"Bearer {server.facts['token']}"}
    url = f"{server.url}/api/models/ada/bench/xet-write-token/main"
    leave = httpx.get(url, headers=headers).raise_for_status().json()
    xorbs = sorted((path for path in folder.iterdir() if path.name != SHARD), key=lambda path: path.stat().st_mtime)

    def send(place: str, path: Path) -> None:
        parts = urlsplit(f"{leave['casUrl']}{place}")
        connection = HTTPConnection(str(parts.hostname), parts.port, blocksize=1 << 20)
        length = {"Content-Length": str(path.stat().st_size), "Authorization": f"Bearer {leave['accessToken']}"}
        with path.open("rb") as file:
            connection.request("POST", parts.path, file, length)
            answer = connection.getresponse()
            said = answer.read()
        connection.close()
        if answer.status != 200 or b'"error"' in said:
            raise RuntimeError(said[:500])

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for sent in [pool.submit(send, f"/v1/xorbs/default/{path.name}", path) for path in xorbs]:
            sent.result()
    send("/v2/shards", folder / SHARD)


def _together(scratch: Path, size: int) -> str:
    """Let several clients upload files of their own."""
    chance = np.random.default_rng(8)
    paths = [scratch / f"file-{number}" for number in range(CLIENTS)]
    for path in paths:
        write(path, size, partial(random_bytes, chance))
    with run_hub(scratch / "hub") as hub:
        create(hub)
        token = hub.facts["token"]
        with ThreadPoolExecutor(CLIENTS) as pool:
            pushes = [pool.submit(push, hub.url, token, path, scratch / f"home-{path.name}") for path in paths]
            elapsed = max(push.result() for push in pushes)
        peak = hub.peak_mb()
    shutil.rmtree(scratch / "hub")
    for path in paths:
        path.unlink()
    rows = [
        ["all together", f"{CLIENTS * size / 1e6 / elapsed:,.0f} MB/s"],
        ["hub's memory, peak (target ≤ 300)", f"{peak:.0f} MB"],
    ]
    return markdown([f"{CLIENTS} clients upload {size >> 20:,} MiB each by Xet", ""], rows)


def _again(scratch: Path) -> str:
    """Upload a file with a few bytes changed."""
    path, home, chance = scratch / "file", scratch / "home", random.Random(3)
    path.write_bytes(chance.randbytes(CHANGED))
    with run_hub(scratch / "hub") as hub:
        create(hub)
        with counting(hub) as relay:
            token = hub.facts["token"]
            push(relay.url, token, path, home, fresh=False)
            before = relay.sent
            change(path, chance)
            push(relay.url, token, path, home, fresh=False)
            again = relay.sent - before
    shutil.rmtree(scratch / "hub")
    what = f"50 bytes changed in {CHANGED // 10**6} MB and uploaded again"
    return markdown([what, ""], [["bytes sent (target < 1 MB)", f"{again:,}"]])


def push(url: str, token: str, path: Path, home: Path, *, fresh: bool = True) -> float:
    """Upload a file by the client, in a process of its own, and return the seconds it took.

    Args:
        url: Where to.
        token: Of whom.
        path: The file; it has the same name there.
        home: Where the client keeps what it remembers.
        fresh: Whether it forgets that first.
    """
    if fresh:
        shutil.rmtree(home, ignore_errors=True)
    environment = os.environ | {
        "HF_HOME": str(home),
        "HF_XET_CACHE": str(home / "xet"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    command = [sys.executable, "-c", PUSH, url, token, str(path), path.name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(done.stderr[-2_000:])
    return float(done.stdout.split()[-1])


def change(path: Path, chance: random.Random) -> None:
    """Change 50 bytes somewhere in a file."""
    with path.open("r+b") as file:
        file.seek(chance.randrange(CHANGED - 50))
        file.write(chance.randbytes(50))


class Relay:
    """Passes connections on to a hub and counts what clients send."""

    def __init__(self, listener: socket.socket, hub: Server) -> None:
        self.listener, self.hub, self.sent = listener, hub, 0
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def run(self) -> None:
        """Accept until the listener is closed."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.hub.port))
            for source, target, counts in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pass_on, args=(source, target, counts), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        try:
            while data := source.recv(1 << 16):
                if counts:
                    self.sent += len(data)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            target.close()


@contextmanager
def counting(hub: Server) -> Iterator[Relay]:
    """Run a relay until the context is left."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay = Relay(listener, hub)
        thread = threading.Thread(target=relay.run)
        thread.start()
        try:
            yield relay
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
