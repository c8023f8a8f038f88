"""Large files by Git LFS, against a hub that answers on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import random
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import Connection

from hallmarked.hub.git.object import Entry
from hallmarked.hub.git.tree import read_tree
from hallmarked.hub.repository.repository import change_settings, find_repository
from hallmarked.hub.schema.repository import revision
from hallmarked.hub.setting import Limit, Settings, Storage
from hallmarked.hub.ticket import issue_ticket
from hallmarked.hub.upload import lfs as upload_lfs
from hallmarked.hub.upload import part
from hallmarked.web import keepalive
from tests.hubs import RunningHub, serve_test_hub

pytestmark = pytest.mark.enable_socket

DATA = random.Random(11).randbytes(100_001)
OID = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    folder = tmp_path_factory.mktemp("hub")
    settings = Settings(storage=Storage(data=str(folder / "data")), limit=Limit(whole_mib=0))
    with pytest.MonkeyPatch.context() as patch, serve_test_hub(folder, settings) as running:
        patch.setattr(part, "PART", 40_000)
        yield running


def sign_in(hub: RunningHub, name: str = "ada") -> httpx.Client:
    headers = {"Authorization": f"Bearer {hub.person(name)}"}
    return httpx.Client(base_url=hub.url, headers=headers, timeout=30)


def make(hub: RunningHub, name: str, **options: Any) -> str:
    """Make a repository and return where its batch API is."""
    owner, _, short = name.partition("/")
    with sign_in(hub, owner) as client:
        client.post("/api/repos/create", json={"name": short, **options}).raise_for_status()
    return f"/{name}.git/info/lfs"


def ask(
    client: httpx.Client, lfs: str, data: bytes = DATA, operation: str = "upload", transfers: tuple[str, ...] = ()
) -> dict[str, Any]:
    item = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}
    body = {"operation": operation, "transfers": transfers, "objects": [item], "hash_algo": "sha256"}
    answer = client.post(f"{lfs}/objects/batch", json=body).raise_for_status()
    assert answer.headers["content-type"] == "application/vnd.git-lfs+json"
    [found] = answer.json()["objects"]
    return found  # type: ignore[no-any-return]


def send(client: httpx.Client, lfs: str, data: bytes = DATA) -> None:
    action = ask(client, lfs, data)["actions"]["upload"]
    httpx.put(action["href"], content=data).raise_for_status()


def commit(client: httpx.Client, repo: str, data: bytes, path: str = "weights.bin") -> httpx.Response:
    item = {"path": path, "algo": "sha256", "oid": hashlib.sha256(data).hexdigest(), "size": len(data)}
    lines = [{"key": "header", "value": {"summary": "add", "description": ""}}, {"key": "lfsFile", "value": item}]
    content = "\n".join(json.dumps(line) for line in lines)
    return client.post(f"/api/models/{repo}/commit/main", content=content)


def release(hub: RunningHub, state: str = "available") -> None:
    """Set the state of all revisions, as an audit would."""
    with hub.hub.database.write() as db:
        db.execute(revision.update().values(state=state))


def waiting(hub: RunningHub) -> list[str]:
    return os.listdir(hub.hub.settings.data / "blobs" / "incoming")


def test_a_file_is_sent_verified_committed_and_fetched(hub: RunningHub) -> None:
    """The whole way of a file by the basic transfer; its addresses need no token."""
    lfs = make(hub, "ada/basic")
    with sign_in(hub) as client:
        actions = ask(client, lfs)["actions"]
        item = {"oid": OID, "size": len(DATA)}
        assert client.post(actions["verify"]["href"], json=item).status_code == 400
        assert httpx.put(actions["upload"]["href"], content=DATA).status_code == 200
        assert client.post(actions["verify"]["href"], json=item).status_code == 200
        assert "actions" not in ask(client, lfs), "it need not be sent again"
        commit(client, "ada/basic", DATA).raise_for_status()
        href = ask(client, lfs, operation="download")["actions"]["download"]["href"]
    assert httpx.get(href).content == DATA
    assert httpx.get(href, headers={"Range": "bytes=5-9"}).content == DATA[5:10]


def test_other_bytes_than_announced_are_refused(hub: RunningHub) -> None:
    """Too many, too few or different ones: one sentence, and nothing stays."""
    lfs = make(hub, "ada/wrong")
    other = b"x" * len(DATA)
    with sign_in(hub) as client:
        href = ask(client, lfs, DATA + b"!")["actions"]["upload"]["href"]
    for content, status in ((DATA + b"!!", 413), (DATA, 400), (other + b"!", 400)):
        answer = httpx.put(href, content=content)
        assert answer.status_code == status, answer.text
        assert "." not in answer.json()["error"][:-1]
    assert hub.hub.blobs.size(hashlib.sha256(DATA + b"!").hexdigest()) is None
    assert hub.hub.blobs.size(hashlib.sha256(other + b"!").hexdigest()) is None
    assert waiting(hub) == []


def test_knowing_a_digest_is_not_enough(hub: RunningHub) -> None:
    """A file of somebody else's private repository is neither said to be there, nor committed, nor fetched."""
    secret = DATA + b"secret"
    lfs = make(hub, "ada/private", private=True)
    with sign_in(hub) as client:
        send(client, lfs, secret)
        commit(client, "ada/private", secret).raise_for_status()
    theirs = make(hub, "bob/model")
    with sign_in(hub, "bob") as bob:
        unknown, theirs_too = ask(bob, theirs, b"nobody has this"), ask(bob, theirs, secret)
        assert unknown.keys() == theirs_too.keys()
        assert unknown["actions"].keys() == theirs_too["actions"].keys()
        refused = commit(bob, "bob/model", secret)
        assert refused.status_code == 400
        assert "not uploaded" in refused.json()["error"]
        assert ask(bob, theirs, secret, "download")["error"]["code"] == 404
        assert bob.post(f"{lfs}/objects/batch", json={"operation": "download", "objects": []}).status_code == 404
        send(bob, theirs, secret)  # whoever has the bytes may send them
        commit(bob, "bob/model", secret).raise_for_status()


def test_what_is_being_checked_is_fetched_by_its_owner_only(hub: RunningHub) -> None:
    """The batch API gives the same answer about a revision under check as a download does."""
    data = b"\x80\x04." + DATA
    lfs = make(hub, "ada/checked")
    with sign_in(hub) as client, sign_in(hub, "bob") as bob:
        send(client, lfs, data)
        commit(client, "ada/checked", data).raise_for_status()
        assert "actions" in ask(client, lfs, data, "download")
        assert ask(bob, lfs, data, "download")["error"]["code"] == 404
        release(hub)
        assert "actions" in ask(bob, lfs, data, "download")
        release(hub, "held")
        assert ask(bob, lfs, data, "download")["error"]["code"] == 404


def test_addresses_hold_for_one_purpose_one_file_and_a_while(hub: RunningHub) -> None:
    """A changed, foreign, old or missing ticket is refused before anything is received."""
    lfs = make(hub, "ada/tickets")
    with sign_in(hub) as client:
        href = ask(client, lfs, b"fresh")["actions"]["upload"]["href"]
    ticket = href.partition("ticket=")[2]
    facts = {"sub": "x", "oid": OID, "size": 5}
    old = issue_ticket(hub.hub.secret, "upload", facts, seconds=-1)
    forged = issue_ticket(b"0" * 32, "upload", facts, seconds=60)
    unsigned = "eyJhbGciOiJub25lIn0." + ticket.split(".")[1] + "."
    for wrong in ("", ticket[:-3], ticket + "x", old, forged, unsigned, "x" * 5000):
        assert httpx.put(f"{hub.url}/api/lfs/upload/{OID}?ticket={wrong}", content=b"fresh").status_code == 403
    assert httpx.get(href.replace("/upload/", "/download/")).status_code == 403
    assert httpx.put(f"{hub.url}/api/lfs/upload/{OID}?ticket={ticket}", content=b"fresh").status_code == 400


def test_only_those_who_may_offer_changes_get_addresses_to_send_to(hub: RunningHub) -> None:
    """Strangers may, for their pull requests, but not to a private repository; nobody is told to sign in."""
    lfs = make(hub, "ada/writers")
    body = {"operation": "upload", "objects": [{"oid": OID, "size": 5}]}
    with sign_in(hub, "bob") as bob:
        assert bob.post(f"{lfs}/objects/batch", json=body).status_code == 200
        with hub.hub.database.write() as db:
            change_settings(db, find_repository(db, "model", "ada/writers").id, visibility="private")
        assert bob.post(f"{lfs}/objects/batch", json=body).status_code == 404
    assert httpx.post(f"{hub.url}{lfs}/objects/batch", json=body).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "erase", "objects": []},
        {"operation": "upload"},
        {"operation": "upload", "objects": {}},
        {"operation": "upload", "objects": ["x"]},
        {"operation": "upload", "objects": [{"oid": "../../etc/passwd", "size": 1}]},
        {"operation": "upload", "objects": [{"oid": OID, "size": -1}]},
        {"operation": "upload", "objects": [{"oid": OID, "size": "1"}]},
        {"operation": "upload", "objects": [{"oid": OID, "size": True}]},
        {"operation": "upload", "objects": [{"oid": OID.upper(), "size": 1}]},
        {"operation": "upload", "objects": [], "hash_algo": "md5"},
    ],
    ids=["operation", "none", "no-list", "text", "path", "negative", "words", "boolean", "upper", "algorithm"],
)
def test_nonsense_is_the_callers_mistake(hub: RunningHub, body: dict[str, Any]) -> None:
    """Every malformed question is answered 400 with a sentence."""
    lfs = "/ada/nonsense.git/info/lfs"
    with sign_in(hub) as client:
        client.post("/api/repos/create", json={"name": "nonsense"})
        answer = client.post(f"{lfs}/objects/batch", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_too_much_is_said_to_be(hub: RunningHub) -> None:
    """A file beyond the hub's limit gets an error of its own; too many files refuse the question."""
    lfs = make(hub, "ada/large")
    with sign_in(hub) as client:
        body = {"operation": "upload", "objects": [{"oid": OID, "size": 1 << 50}]}
        [answer] = client.post(f"{lfs}/objects/batch", json=body).json()["objects"]
        assert answer["error"]["code"] == 422
        body["objects"] = [{"oid": OID, "size": 1}] * 1001
        assert client.post(f"{lfs}/objects/batch", json=body).status_code == 413
        files = [{"oid": f"{number:064x}", "size": 400_000_000} for number in range(2)]
        body = {"operation": "upload", "transfers": ["multipart"], "objects": files}
        assert client.post(f"{lfs}/objects/batch", json=body).status_code == 413, "too many parts together"


def test_looking_for_a_file_tells_nothing_of_others(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A digest of somebody else's file costs no more work than one of nobody's; no folder is looked into twice."""
    looked: list[str] = []

    def count(db: Connection, oid: str) -> Mapping[str, Entry]:
        looked.append(oid)
        return read_tree(db, oid)

    monkeypatch.setattr(upload_lfs, "read_tree", count)
    secret, old = DATA + b"elsewhere", DATA + b"old"
    hidden, lfs = make(hub, "ada/elsewhere", private=True), make(hub, "eve/probe")
    with sign_in(hub) as client:
        send(client, hidden, secret)
        commit(client, "ada/elsewhere", secret).raise_for_status()
    with sign_in(hub, "eve") as client:
        for data in (old, DATA + b"new"):
            send(client, lfs, data)
            commit(client, "eve/probe", data, "folder/weights.bin").raise_for_status()
        for data in (secret, DATA + b"nobody has this"):
            assert ask(client, lfs, data, "download")["error"]["code"] == 404
        assert looked == []
        assert "actions" in ask(client, lfs, old, "download")
        assert len(looked) == len(set(looked))


def test_a_file_is_sent_in_parts(hub: RunningHub) -> None:
    """Parts may be sent again; together they are the file; none of them stays."""
    data = DATA * 2
    lfs = make(hub, "ada/parts")
    with sign_in(hub) as client:
        upload = ask(client, lfs, data, transfers=("basic", "multipart"))["actions"]["upload"]
        size, hrefs = int(upload["header"].pop("chunk_size")), upload["header"]
        assert len(hrefs) == -(-len(data) // size)
        before = sum(1 for _ in hub.hub.blobs.list())
        tags = []
        for number in range(1, len(hrefs) + 1):
            content = data[(number - 1) * size : number * size]
            httpx.put(hrefs[str(number)], content=content).raise_for_status()
            tags.append(httpx.put(hrefs[str(number)], content=content).headers["etag"])
        parts = [{"partNumber": number, "etag": tag} for number, tag in enumerate(tags, 1)]
        body = {"oid": hashlib.sha256(data).hexdigest(), "parts": parts}
        for wrong in ({**body, "parts": parts[:-1]}, {"parts": "x"}):
            assert httpx.post(upload["href"], json=wrong).status_code == 400
        shuffled = [
            {"partNumber": 1, "etag": parts[1]["etag"]},
            {"partNumber": 2, "etag": parts[0]["etag"]},
            *parts[2:],
        ]
        assert httpx.post(upload["href"], json={**body, "parts": shuffled}).status_code == 400
        assert httpx.post(upload["href"], json=body).status_code == 200
        assert httpx.post(upload["href"], json=body).status_code == 200, "asking again is fine"
        commit(client, "ada/parts", data).raise_for_status()
    # each part was sent twice: the first copies are left to clean-up
    assert sum(1 for _ in hub.hub.blobs.list()) == before + 1 + len(hrefs)


def test_a_part_is_not_a_way_to_other_peoples_bytes(hub: RunningHub) -> None:
    """A tag that names a blob by its digest, as a sender could make up, is refused."""
    known = DATA + b"known"
    oid = hashlib.sha256(known).hexdigest()
    lfs = make(hub, "ada/victim")
    with sign_in(hub) as client:
        send(client, lfs, known)
    data = DATA * 2
    theirs = make(hub, "bob/parts")
    with sign_in(hub, "bob") as bob:
        upload = ask(bob, theirs, data, transfers=("multipart",))["actions"]["upload"]
    count = len(upload["header"]) - 1
    parts = [{"partNumber": number, "etag": f'"{oid}.{"0" * 64}"'} for number in range(1, count + 1)]
    answer = httpx.post(upload["href"], json={"oid": "x", "parts": parts})
    assert answer.status_code == 400
    assert hub.hub.blobs.size(oid) == len(known)


def test_a_part_of_another_length_is_refused(hub: RunningHub) -> None:
    """Short and long parts are refused where they happen, not at the end."""
    lfs = make(hub, "ada/short")
    with sign_in(hub) as client:
        upload = ask(client, lfs, DATA * 2 + b"short", transfers=("multipart",))["actions"]["upload"]
    assert httpx.put(upload["header"]["1"], content=DATA[:39_999]).status_code == 400
    assert httpx.put(upload["header"]["1"], content=DATA[:40_001]).status_code == 413
    for number in ("0", "7", "-1", "x", "9" * 5_000):
        href = upload["header"]["1"].replace("part=1", f"part={number}")
        assert httpx.put(href, content=DATA[:40_000]).status_code == 400
    for number in ([], {}, None, 1.5):
        body = {"oid": "x", "parts": [{"partNumber": number, "etag": "x"}]}
        assert httpx.post(upload["href"], json=body).status_code == 400


def test_who_waits_hears_something(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a long file is being finished the client gets spaces, and the connection ends early when it fails."""
    monkeypatch.setattr(keepalive, "WAIT", 0.0)
    lfs = make(hub, "ada/patient")
    with sign_in(hub) as client:
        href = ask(client, lfs, b"patient")["actions"]["upload"]["href"]
    answer = httpx.put(href, content=b"patient")
    assert (answer.status_code, answer.text.strip()) == (200, "")
    assert answer.text
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.put(href, content=b"another")


def test_a_connection_that_breaks_leaves_nothing(hub: RunningHub) -> None:
    """A sender that goes away in the middle leaves no blob and no waiting file."""
    lfs = make(hub, "ada/broken")
    with sign_in(hub) as client:
        href = urlsplit(ask(client, lfs, b"y" * 10_000_000)["actions"]["upload"]["href"])
    with socket.create_connection((href.hostname, href.port)) as connection:
        head = f"PUT {href.path}?{href.query} HTTP/1.1\r\nHost: hub\r\nContent-Length: 10000000\r\n\r\n"
        connection.sendall(head.encode() + b"y" * 5_000_000)
        assert len(waiting(hub)) == 1
    for _ in range(200):
        if not waiting(hub):
            break
        threading.Event().wait(0.05)
    assert waiting(hub) == []
    assert hub.hub.blobs.size(hashlib.sha256(b"y" * 10_000_000).hexdigest()) is None


def test_there_are_no_locks(hub: RunningHub) -> None:
    """What git-lfs asks before a push is answered; locking a file is refused plainly."""
    lfs = make(hub, "ada/locks")
    with sign_in(hub) as client:
        assert client.post(f"{lfs}/locks/verify", json={"ref": {"name": "refs/heads/main"}}).json() == {
            "ours": [],
            "theirs": [],
        }
        assert client.get(f"{lfs}/locks").json() == {"locks": []}
        answer = client.post(f"{lfs}/locks", json={"path": "a.bin"})
        assert (answer.status_code, answer.json()["message"]) == (400, "this hub keeps no locks on files")


@pytest.mark.filterwarnings("ignore:Use .content=:DeprecationWarning")
def test_the_client_sends_in_parts(hub: RunningHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ecosystem's own client follows the parts, and gets its file back."""
    hf = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    data = DATA * 3
    api = hf.HfApi(endpoint=hub.url, token=hub.person("ada"))
    api.create_repo("ada/client")
    api.upload_file(path_or_fileobj=data, path_in_repo="model.bin", repo_id="ada/client")
    place = api.hf_hub_download("ada/client", "model.bin", cache_dir=tmp_path)
    assert Path(place).read_bytes() == data
