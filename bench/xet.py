"""Large files that the ecosystem's client uploads its own way, by Xet: how long it takes, and what it sends again."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.server import Server, start
from bench.table import markdown
from bench.transfer import SERVER, create, put, run_hub, seconds

SIZE, CHANGED = 1 << 30, 200_000_000
PUSH = """
import sys, time
from huggingface_hub import HfApi
api = HfApi(endpoint=sys.argv[1], token=sys.argv[2])
began = time.perf_counter()
api.upload_file(path_or_fileobj=sys.argv[3], path_in_repo="model.bin", repo_id="ada/bench")
print(time.perf_counter() - began)
"""


def report(scratch: Path) -> str:
    """Measure uploads of random bytes, and of the same with a few bytes changed."""
    scratch.mkdir(parents=True)
    path = scratch / "file"
    with (
        run_hub(scratch / "hub") as hub,
        start(SERVER, "sink", str(scratch)) as sink,
    ):
        create(hub)
        chance = random.Random(3)
        with path.open("wb") as file:
            for _ in range(SIZE >> 20):
                file.write(chance.randbytes(1 << 20))
        bare = seconds(lambda: put(f"{sink.url}/", 0, SIZE))
        before = hub.cpu()
        took = push(hub.url, hub, path, scratch / "home")
        used, peak = hub.cpu() - before, hub.peak_mb()
        path.write_bytes(path.read_bytes()[:CHANGED])
        with counting(hub) as relay:  # what a client remembers, it remembers of one address
            push(relay.url, hub, path, scratch / "home")
            before = relay.sent
            change(path, chance)
            push(relay.url, hub, path, scratch / "home")
            again = relay.sent - before
    mib = SIZE >> 20
    rows = [
        [f"bare sink that hashes and writes {mib:,} MiB", "", f"{SIZE / 1e6 / bare:,.0f} MB/s"],
        [f"huggingface_hub uploads {mib:,} MiB by Xet, its own work included", "", f"{SIZE / 1e6 / took:,.0f} MB/s"],
        ["hub's processor time for it", "", f"{used * (1 << 30) / SIZE:.2f} s/GiB"],
        ["hub's memory, peak", "≤ 300 MB", f"{peak:.0f} MB"],
        [f"50 bytes changed in {CHANGED // 10**6} MB and uploaded again: bytes sent", "< 1 MB", f"{again:,}"],
    ]
    return markdown(["what", "target", "measured"], rows)


def push(url: str, hub: Server, path: Path, home: Path) -> float:
    """Upload a file by the client, in a process of its own, and return the seconds it took."""
    environment = os.environ | {
        "HF_HOME": str(home),
        "HF_XET_CACHE": str(home / "xet"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    command = [sys.executable, "-c", PUSH, url, hub.facts["token"], str(path)]
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
