"""What the audit of a push costs: of a repository with one large file, and of an edit of its card afterwards."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from bench.table import markdown
from hallmarked.checks.malware import ENVIRONMENT
from hallmarked.hub.access import Actor
from hallmarked.hub.account.account import create_account
from hallmarked.hub.blob.local import LocalBlobs
from hallmarked.hub.blob.possession import add_blob
from hallmarked.hub.change.commit import Change, Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.hub import Hub, open_hub
from hallmarked.hub.job.audit import audit_revision, task_of
from hallmarked.hub.setting import Settings, Storage

SIZE, PIECE = 500_000_000, 1_000_000
LINE = json.dumps({"text": "the quick brown fox jumps over " * 6, "id": 1}).encode() + b"\n"


class Scanner(threading.Thread):
    """Speaks clamd's protocol, knows no malware, and counts what it is sent."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen()
        self.taken = 0

    def run(self) -> None:
        """Answer until the process ends."""
        while True:
            connection, _ = self.listener.accept()
            with connection, connection.makefile("rb") as stream:
                if stream.read(3) == b"zVE":
                    connection.sendall(b"ClamAV 1.4.3/27000/Thu Jan  1 10:00:00 2026\0")
                    continue
                stream.read(len(b"STREAM\0"))
                while size := int.from_bytes(stream.read(4)):
                    self.taken += len(stream.read(size))
                connection.sendall(b"stream: OK\0")


class Elsewhere(LocalBlobs):
    """Storage on another machine, as far as audits can tell; counts what is read of it."""

    taken = 0

    def path(self, sha256: str) -> Path | None:
        """Return None: the blob lies elsewhere."""
        return None

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading."""
        return _counted(super().open(sha256))


@contextmanager
def _counting(stream: BinaryIO) -> Iterator[BinaryIO]:
    whole = stream.read

    class Counted:
        seek = staticmethod(stream.seek)

        @staticmethod
        def read(size: int) -> bytes:
            data = whole(size)
            Elsewhere.taken += len(data)
            return data

    with stream:
        yield Counted  # type: ignore[misc]


_counted: Callable[[BinaryIO], BinaryIO] = _counting  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one audit took."""

    wall: float
    cpu: float
    """Of its processes, seconds."""
    scanned: int
    """Bytes sent to the scanner."""
    fetched: int
    """Bytes read of storage on another machine."""
    read: int
    """Bytes that all of its processes read, their own code included."""


def report(scratch: Path) -> str:
    """Audit a large file, then an edit of the card beside it."""
    scratch.mkdir(parents=True, exist_ok=True)
    scanner = Scanner(scratch / "clamd")
    scanner.start()
    os.environ[ENVIRONMENT] = f"unix:{scratch / 'clamd'}"
    rows = []
    model, data = ("model.safetensors", _header(), os.urandom(PIECE)), ("train.jsonl", b"", LINE * (PIECE // len(LINE)))
    for large, place in ((model, "disk"), (model, "elsewhere"), (data, "disk")):
        first, edit = _measure(scratch / f"{large[0]}-{place}", large, scanner, place)
        rows += [_row(large[0], place, "whole", first), _row(large[0], place, "card edited", edit)]
    header = ["file of 500 MB", "storage", "audit", "seconds", "CPU s", "MB scanned", "MB fetched", "MB read"]
    return markdown(header, rows)


def _measure(folder: Path, large: tuple[str, bytes, bytes], scanner: Scanner, place: str) -> tuple[Cost, Cost]:
    with open_hub(replace(Settings(), storage=Storage(data=str(folder)))) as opened:
        hub = replace(opened, blobs=Elsewhere(folder / "blobs")) if place == "elsewhere" else opened
        with hub.database.write() as db:
            made = create_account(db, "ada", email="ada@example.org")
            actor = Actor(made.id, "ada")
            repo = create(db, actor, "model", "m")
        name, head, piece = large
        with hub.blobs.receive() as incoming:
            incoming.write(head)
            for _ in range(SIZE // len(piece)):
                incoming.write(piece)
            stored = incoming.finish()
        with hub.database.write() as db:
            add_blob(db, stored.sha256, stored.size, passive=True, account_id=actor.account_id)

        def push(change: Change) -> Cost:
            with hub.database.write() as db:
                oid = commit(db, repo, actor, [change], Message("change")).oid
            return _cost(hub, repo.id, oid, scanner)

        return push(PutLarge(name, stored.sha256)), push(Put("README.md", b"---\nlicense: mit\n---\n# A model\n"))


def _cost(hub: Hub, repository_id: str, oid: str, scanner: Scanner) -> Cost:
    scanner.taken = Elsewhere.taken = 0
    began, before, read = time.perf_counter(), os.times(), _read()
    audit_revision(hub, task_of(repository_id, oid))
    after = os.times()
    cpu = sum(getattr(after, name) - getattr(before, name) for name in ("children_user", "children_system"))
    return Cost(time.perf_counter() - began, cpu, scanner.taken, Elsewhere.taken, _read() - read)


def _read() -> int:
    """Return how much this process and those it has waited for have read: Linux adds them up."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rchar")).partition(" ")[2])


def _header() -> bytes:
    text = json.dumps({"w": {"dtype": "F32", "shape": [SIZE // 4], "data_offsets": [0, SIZE]}}).encode()
    return len(text).to_bytes(8, "little") + text


def _row(name: str, place: str, what: str, cost: Cost) -> list[str]:
    sizes = (f"{size / 1e6:,.1f}" for size in (cost.scanned, cost.fetched, cost.read))
    return [name, place, what, f"{cost.wall:.1f}", f"{cost.cpu:.1f}", *sizes]
