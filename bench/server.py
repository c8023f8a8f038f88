"""Servers for benchmarks, each in a process of its own: the hub as people run it, and bare ones beside it.

``python bench/server.py file PATH PORT`` sends a file the way Starlette does by default; ``python bench/server.py sink
FOLDER PORT`` hashes and writes what it is sent, and does nothing else that a hub has to do; ``python bench/server.py
xet FOLDER PORT`` does so with what a client sends by Xet, which it leads to believe that this is a hub.
"""

from __future__ import annotations

import hashlib
import json
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
        for _ in range(1200):  # a busy machine takes its time
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
        digest = await _keep(receive, Path(folder, os.urandom(8).hex()))
        await _answer(send, 200, digest.encode())

    return app


def xet_app(folder: str) -> Any:
    """Make an application that hashes and writes xorbs and shards, each as a file of its own, and accepts all."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path.startswith(("/v1/xorbs/", "/v2/shards")):
            await _keep(receive, Path(folder, path.rpartition("/")[2]))
            await _answer(send, 200, b'{"was_inserted": true, "type": "result"}')
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        status, answer = _pretend(path, body, f"http://127.0.0.1:{scope['server'][1]}")
        await _answer(send, status, json.dumps(answer).encode())

    return app


def _pretend(path: str, body: bytes, url: str) -> tuple[int, dict[str, Any]]:
    """Say what a client needs to hear before it sends a file, and after."""
    if "/preupload/" in path:
        files = [
            {"path": file["path"], "uploadMode": "lfs", "shouldIgnore": False} for file in json.loads(body)["files"]
        ]
        return 200, {"files": files}
    if "/xet-write-token/" in path:
        return 200, {"accessToken": "token", "exp": int(time.time()) + 3600, "casUrl": url}
    if "/commit/" in path:
        oid = "0" * 40
        return 200, {"commitUrl": f"{url}/ada/bench/commit/{oid}", "commitOid": oid, "success": True}
    return (404, {}) if path.startswith(("/v1/chunks/", "/v1/xorb-grants/")) else (200, {"id": "ada/bench"})


async def _keep(receive: Any, path: Path) -> str:
    """Hash and write a body."""
    digest, more = hashlib.sha256(), True
    with path.open("wb") as file:
        while more:
            message = await receive()
            more = message.get("more_body", False)
            digest.update(message.get("body", b""))
            file.write(message.get("body", b""))
    return digest.hexdigest()


async def _answer(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    kind, place, port = sys.argv[1:]
    apps = {"file": file_app, "sink": sink_app, "xet": xet_app}
    uvicorn.run(apps[kind](place), port=int(port), lifespan="off")
