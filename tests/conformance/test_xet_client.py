"""The ecosystem's own client uploads large files by Xet, unmodified, each time as a program of its own."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hallmarked.core.errors import InputError
from hallmarked.hub.upload.xet.body import bodies_of
from hallmarked.web.app import create_app
from tests.hubs import RunningHub, serve_test_hub

pytest.importorskip("huggingface_hub", minversion="2")
pytest.importorskip("hf_xet")
pytestmark = pytest.mark.enable_socket

CLIENT = """
import json, sys
from huggingface_hub import HfApi
job = json.load(sys.stdin)
api = HfApi(endpoint=job["url"], token=job["token"])
kind = job["kind"]
if job["do"] == "push":
    if not api.repo_exists(job["repo"], repo_type=kind):
        api.create_repo(job["repo"], repo_type=kind, **({"space_sdk": "static"} if kind == "space" else {}))
    print(api.upload_folder(folder_path=job["folder"], repo_id=job["repo"], repo_type=kind).oid)
else:
    print(api.snapshot_download(job["repo"], repo_type=kind, local_dir=job["folder"]))
"""


class Meter:
    """Counts the bytes of the bodies that arrive, by what they are."""

    def __init__(self, app: ASGIApp, count: Counter[str]) -> None:
        self.app, self.count = app, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def metered() -> Message:
            message = await receive()
            kind = next((kind for kind in ("/xorbs/", "/v2/shards", "/v1/shards") if kind in scope["path"]), "other")
            self.count[kind] += len(message.get("body", b""))
            return message

        await self.app(scope, metered, send)


@dataclass
class World:
    """A hub and what clients need."""

    running: RunningHub
    folder: Path
    count: Counter[str] = field(default_factory=Counter)

    def client(
        self, do: str, repo: str, folder: Path, *, who: str = "ada", kind: str = "model", home: str = "home", **env: str
    ) -> subprocess.CompletedProcess[str]:
        job = {
            "do": do, "repo": repo, "kind": kind, "folder": str(folder), "url": self.running.url,
            "token": self.running.person(who),
        }  # fmt: skip
        place = self.folder / home
        return subprocess.run(
            [sys.executable, "-c", CLIENT],
            input=json.dumps(job),
            env=os.environ | {"HF_HOME": str(place), "HF_XET_CACHE": str(place / "xet"), "HF_TOKEN": ""} | env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def push(self, repo: str, folder: Path, **options: str) -> None:
        self.count.clear()
        done = self.client("push", repo, folder, **options)
        assert done.returncode == 0, done.stderr

    def check(self, repo: str, folder: Path, **options: str) -> None:
        place = self.folder / f"got-{random.randrange(1 << 60)}"
        done = self.client("pull", repo, place, home=place.name + "-home", **options)
        assert done.returncode == 0, done.stderr
        assert digests(place) == digests(folder)


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".cache" not in path.parts)
    made = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    made.pop(".gitattributes", None)
    return made


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    count: Counter[str] = Counter()
    monkeypatch.setattr("tests.hubs.create_app", lambda hub: Meter(create_app(hub), count))
    with serve_test_hub(tmp_path) as running:
        yield World(running, tmp_path, count)


def make_folder(place: Path, megabytes: int, seed: int = 1) -> Path:
    """Make a folder with files of every kind of packing: weights, noise, text, nothing but zeros, and tiny ones."""
    place.mkdir()
    rng = np.random.default_rng(seed)
    half = (rng.standard_normal(megabytes * 400_000).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    (place / "weights.bin").write_bytes(half.tobytes())
    (place / "noise.bin").write_bytes(rng.bytes(megabytes * 100_000 + 1))
    (place / "text.bin").write_bytes(b"".join(b"line %d of %d\n" % (line, seed) for line in range(megabytes * 4_000)))
    (place / "zeros.bin").write_bytes(bytes(megabytes * 50_000))
    (place / "tiny.bin").write_bytes(b"hello %d" % seed)
    (place / "README.md").write_text(f"# Number {seed}\n")
    (place / "sub").mkdir()
    for number in range(5):
        (place / "sub" / f"{number}.json").write_text(json.dumps({"n": number}))
    return place


@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
def test_round_trip(world: World, kind: str) -> None:
    """A folder that was pushed comes back the same, from repositories of every kind; no body of a xorb stays behind."""
    folder = make_folder(world.folder / "folder", 10)
    world.push("ada/thing", folder, kind=kind)
    assert world.count["/xorbs/"] > 5_000_000
    assert world.count["/v1/shards"] == 0, "the client fell back to the older way of sending shards"
    world.check("ada/thing", folder, kind=kind)
    assert list(bodies_of(world.running.hub).list()) == []


def test_what_was_sent_is_not_sent_again(world: World) -> None:
    """A second repository, and another person on the same machine, upload the same bytes without sending xorbs."""
    folder = make_folder(world.folder / "folder", 4)
    world.push("ada/one", folder)
    assert world.count["/xorbs/"] > 0
    world.push("ada/two", folder)
    assert world.count["/xorbs/"] == 0
    world.push("bob/three", folder, who="bob")
    assert world.count["/xorbs/"] == 0
    world.check("bob/three", folder, who="bob")


def test_small_change(world: World) -> None:
    """After 50 bytes were put into the middle of a file, far less than the file is sent."""
    folder = make_folder(world.folder / "folder", 10)
    world.push("ada/thing", folder)
    path = folder / "weights.bin"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + os.urandom(50) + data[len(data) // 2 :])
    world.push("ada/thing", folder)
    assert 0 < sum(world.count.values()) < 1_000_000
    world.check("ada/thing", folder)


@pytest.mark.slow
def test_large_file(world: World) -> None:
    """A file of 200 MB among small ones is uploaded; after 50 bytes were put into it less than 1 MB is sent."""
    folder = make_folder(world.folder / "folder", 10)
    path = folder / "weights.bin"
    path.write_bytes(np.random.default_rng(7).bytes(200_000_000))
    world.push("ada/thing", folder)
    assert world.count["/xorbs/"] > 200_000_000
    data = path.read_bytes()
    path.write_bytes(data[:70_000_000] + os.urandom(50) + data[70_000_000:])
    world.push("ada/thing", folder)
    assert 0 < sum(world.count.values()) < 1_000_000
    world.check("ada/thing", folder)
    assert list(bodies_of(world.running.hub).list()) == []


def test_bodies_lost_before_the_shard(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the hub loses the xorbs before it has made files of them, the client's next try sends them again."""
    folder = make_folder(world.folder / "folder", 1)
    hub = world.running.hub

    def lose(*_: object) -> Iterator[None]:
        shutil.rmtree(hub.settings.data / "xet")
        raise InputError("the power was cut")

    with monkeypatch.context() as broken:
        broken.setattr("hallmarked.web.route.xet.rebuild", lose)
        assert world.client("push", "ada/thing", folder).returncode != 0
    world.push("ada/thing", folder)
    assert world.count["/xorbs/"] > 0
    world.check("ada/thing", folder)


def test_forgotten_xorb_is_told(world: World) -> None:
    """When the hub has lost what the client believes is there, the client fails at once and shows what to do."""
    folder = make_folder(world.folder / "folder", 1)
    world.push("ada/one", folder)
    hub = world.running.hub
    for path in (hub.settings.data / "blobs").glob("*/*/*"):
        path.unlink()
    done = world.client("push", "ada/two", folder)
    assert done.returncode != 0
    assert "HF_XET_CACHE" in done.stderr
    world.push("ada/two", folder, home="fresh")
    world.check("ada/two", folder)
