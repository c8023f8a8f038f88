"""The routes of Xet: who may use them, what they tell and what they never tell."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from hallmarked.formats.xet.xorb import MAX_BODY
from hallmarked.hub.account.token import create_token
from hallmarked.hub.change.creation import create
from tests.formats.xet_writer import Xorb, file_records, shard
from tests.hubs import RunningHub, serve_test_hub

pytestmark = pytest.mark.enable_socket


@dataclass(frozen=True)
class File:
    """A file that no hub has seen yet."""

    xorb: Xorb
    data: bytes
    shard: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@pytest.fixture
def file() -> File:
    xorb = Xorb((os.urandom(10) * 3000, os.urandom(20_000)), (1, 0))
    data = b"".join(xorb.chunks)
    return File(xorb, data, shard([file_records([(xorb, 0, 2)], hashlib.sha256(data).hexdigest())], [xorb]))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with serve_test_hub(tmp_path_factory.mktemp("hub")) as running:
        owner = running.actor("ada")
        with running.hub.database.write() as db:
            create(db, owner, "model", "open", visibility="public", owner=None)
            create(db, owner, "model", "secret", visibility="private", owner=None)
        yield running


@pytest.fixture
def client(hub: RunningHub) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=hub.url) as made:
        yield made


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def ask(client: httpx.Client, token: str, repo: str = "ada/open", revision: str = "main") -> httpx.Response:
    return client.get(f"/api/models/{repo}/xet-write-token/{revision}", headers=bearer(token))


def grant(hub: RunningHub, client: httpx.Client, who: str = "ada") -> dict[str, str]:
    return bearer(ask(client, hub.person(who), revision="refs%2Fpr%2F1").json()["accessToken"])


def test_token_in_both_forms(hub: RunningHub, client: httpx.Client) -> None:
    """The token stands in the body and in the headers, where the two halves of the client look for it."""
    answer = ask(client, hub.person("ada"))
    body = answer.json()
    assert answer.headers["X-Xet-Access-Token"] == body["accessToken"]
    assert answer.headers["X-Xet-Token-Expiration"] == str(body["exp"])
    assert answer.headers["X-Xet-Cas-Url"] == body["casUrl"] == f"{hub.url}/xet"


def test_who_gets_a_token(hub: RunningHub, client: httpx.Client) -> None:
    """Only who may write gets a token; for a pull request, who may open one."""
    owner, other = hub.person("ada"), hub.person("bob")
    with hub.hub.database.write() as db:
        account_id = hub.actors["ada"].account_id
        assert account_id is not None
        reading = create_token(db, account_id, "reading", scope="read")
    assert ask(client, owner, "ada/secret").status_code == 200
    assert ask(client, other, "ada/secret").status_code == 404
    assert ask(client, other).status_code == 403
    assert ask(client, reading).status_code == 403
    assert client.get("/api/models/ada/open/xet-write-token/main").status_code == 401
    assert ask(client, other, revision="refs%2Fpr%2F1").status_code == 200
    assert ask(client, other, revision="main?create_pr=1").status_code == 200
    assert ask(client, other, "ada/secret", revision="main?create_pr=1").status_code == 404


def test_nothing_without_its_token(hub: RunningHub, client: httpx.Client, file: File) -> None:
    """Neither no token, nor a person's own, nor one for another purpose lets anybody send anything."""
    batch = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": "0" * 64, "size": 1}]}
    large = client.post("/ada/open.git/info/lfs/objects/batch", json=batch, headers=bearer(hub.person("ada")))
    address = large.json()["objects"][0]["actions"]["upload"]["href"]
    tokens = [{}, bearer(hub.person("ada")), bearer(address.rpartition("=")[2])]
    for headers in tokens:
        for path in (f"/xet/v1/xorbs/default/{file.xorb.name}", "/xet/v1/shards", "/xet/v2/shards"):
            assert client.post(path, content=file.xorb.body, headers=headers).status_code == 401
    own = grant(hub, client)["Authorization"].partition(" ")[2]
    assert ask(client, own).status_code == 401, "an upload token is no account's token"


@pytest.mark.parametrize("version", [1, 2])
def test_upload(hub: RunningHub, client: httpx.Client, file: File, version: int) -> None:
    """A xorb and then a shard make a file, by either way of sending shards, also the second time."""
    headers = grant(hub, client)
    for _ in range(2):
        sent = client.post(f"/xet/v1/xorbs/default/{file.xorb.name}", content=file.xorb.body, headers=headers)
        assert sent.json() == {"was_inserted": True}
        done = client.post(f"/xet/v{version}/shards", content=file.shard, headers=headers)
        assert done.status_code == 200
        frames = [json.loads(line) for line in done.text.splitlines()]
        assert frames[-1] == ({"result": 1} if version == 1 else {"type": "result"})
    with hub.hub.blobs.open(file.sha256) as made:
        assert made.read() == file.data


def test_nothing_is_told(hub: RunningHub, client: httpx.Client, file: File) -> None:
    """Nobody learns which chunks or xorbs the hub has, and none is ever sent."""
    headers = grant(hub, client)
    client.post(f"/xet/v1/xorbs/default/{file.xorb.name}", content=file.xorb.body, headers=headers)
    client.post("/xet/v1/shards", content=file.shard, headers=headers)
    for name in (file.xorb.name, "0" * 64):
        for prefix in ("default", "default-merkledb"):
            assert client.get(f"/xet/v1/chunks/{prefix}/{name}", headers=headers).status_code == 404
        assert client.post(f"/xet/v1/xorb-grants/default/{name}", json={}, headers=headers).status_code == 404
        assert client.get(f"/xet/v1/xorbs/default/{name}", headers=headers).status_code == 405
        assert client.get(f"/xet/v1/reconstructions/{name}", headers=headers).status_code == 404
    assert client.post("/v1/telemetry", content=b"anything").status_code == 204
    other = grant(hub, client, "bob")
    again = client.post(f"/xet/v1/xorbs/default/{file.xorb.name}", content=file.xorb.body, headers=other)
    assert again.json() == {"was_inserted": True}, "whether somebody else had sent it is not told"


def test_refusals(hub: RunningHub, client: httpx.Client, file: File) -> None:
    """What cannot be used is refused for good, so that the client does not try for ever, in a sentence."""
    folder = hub.hub.settings.data / "xet"
    before = set(folder.rglob("*"))
    headers = grant(hub, client)
    absent = client.post("/xet/v1/shards", content=file.shard, headers=headers)
    assert absent.status_code == 400
    assert "HF_XET_CACHE" in absent.json()["error"]
    streamed = client.post("/xet/v2/shards", content=file.shard, headers=headers)
    frame = json.loads(streamed.text.splitlines()[-1])
    assert (frame["type"], frame["message"], frame["retryable"]) == ("error", absent.json()["error"], False)
    for content in (b"", b"\1" * 100):
        assert client.post("/xet/v1/shards", content=content, headers=headers).status_code == 400
        xorb = client.post(f"/xet/v1/xorbs/default/{file.xorb.name}", content=content, headers=headers)
        assert xorb.status_code == 400
    for name in ("abc", "..%2F..%2Fhub.sqlite3", file.xorb.name.upper()):
        wrong = client.post(f"/xet/v1/xorbs/default/{name}", content=file.xorb.body, headers=headers)
        assert wrong.status_code == 400
    place = httpx.URL(hub.url)
    with contextlib.closing(http.client.HTTPConnection(place.host, place.port or 80)) as connection:
        connection.putrequest("POST", f"/xet/v1/xorbs/default/{file.xorb.name}")
        for name, value in {**headers, "Content-Length": str(MAX_BODY + 1)}.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == 413
    assert {path for path in set(folder.rglob("*")) - before if path.is_file()} == set()


def test_long_work_keeps_the_connection(
    hub: RunningHub, client: httpx.Client, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While files are rebuilt for longer than a client may be silent, it is told again and again that it goes on."""
    monkeypatch.setattr("hallmarked.web.guard.SECONDS", 0.2)
    monkeypatch.setattr("hallmarked.web.route.xet._REPEAT", 0.1)
    headers = grant(hub, client)
    client.post(f"/xet/v1/xorbs/default/{file.xorb.name}", content=file.xorb.body, headers=headers)
    released = threading.Event()

    def occupy() -> None:
        with hub.hub.database.write():
            held.set()
            released.wait(10)

    held = threading.Event()
    busy = threading.Thread(target=occupy)
    busy.start()
    held.wait()
    threading.Timer(1, released.set).start()
    done = client.post("/xet/v2/shards", content=file.shard, headers=headers)
    busy.join()
    kinds = [json.loads(line)["type"] for line in done.text.splitlines()]
    assert kinds[-1] == "result"
    assert kinds.count("validating") > 4
