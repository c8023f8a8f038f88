"""Servers for benchmarks, each in a process of its own: the hub as people run it, and bare ones beside it.

``python bench/server.py file PATH PORT`` sends a file the way Starlette does by default; ``python bench/server.py sink
FOLDER PORT`` hashes and writes what it is sent, and does nothing else that a hub has to do.
"""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.responses import FileResponse

TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Server:
    """A process that answers on a port of this machine."""

    port: int
    pid: int
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """Return the processor seconds it has used."""
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / TICK

    def peak_mb(self) -> float:
        """Return the most memory it has held, MB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


@contextmanager
def start(*command: str, **environment: str) -> Iterator[Server]:
    """Run a server, whose command ends with a port that is added here, until the context is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, *command, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def file_app(path: str) -> Any:
    """Make an application that sends one file by Starlette's own response."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await FileResponse(path)(scope, receive, send)

    return app


def sink_app(folder: str) -> Any:
    """Make an application that hashes and writes a body."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        digest, more = hashlib.sha256(), True
        with Path(folder, os.urandom(8).hex()).open("wb") as file:
            while more:
                message = await receive()
                more = message.get("more_body", False)
                digest.update(message.get("body", b""))
                file.write(message.get("body", b""))
        body = digest.hexdigest().encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


if __name__ == "__main__":
    kind, place, port = sys.argv[1:]
    uvicorn.run((file_app if kind == "file" else sink_app)(place), port=int(port), lifespan="off")
