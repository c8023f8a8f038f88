"""Downloads by name: what is said about a file, and that nothing remembered outlives a change."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import insert, select, update

from hallmarked.hub.blob.possession import note_arrival
from hallmarked.hub.change.commit import Delete, Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.clock import now
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.schema.account import token
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.gate import access_request
from hallmarked.hub.schema.repository import repository, revision
from hallmarked.web import guard
from tests.hubs import RunningHub, serve_test_hub

pytestmark = pytest.mark.enable_socket

LARGE = bytes(range(256)) * 400
OID = hashlib.sha256(LARGE).hexdigest()
SMALL = b'{"a": 1}'


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with serve_test_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


def make(hub: RunningHub, name: str) -> str:
    """Make a repository of ada's with a small and a large file; its revision is available."""
    ada = hub.actor("ada")
    with hub.hub.blobs.receive() as incoming:
        incoming.write(LARGE)
        stored = incoming.finish()
    note_arrival(hub.hub.database, hub.hub.blobs, stored, ada.account_id)
    with hub.hub.database.write() as db:
        repo = create(db, ada, "model", name)
        made = commit(db, repo, ada, [Put("sub/a.json", SMALL), PutLarge("w.bin", OID)], Message("files"))
        db.execute(update(revision).where(revision.c.repository_id == repo.id).values(state="available"))
    assert made.oid
    return f"/ada/{name}/resolve/main/"


def people(hub: RunningHub, name: str = "") -> httpx.Client:
    headers = {"Authorization": f"Bearer {hub.person(name)}"} if name else {}
    return httpx.Client(base_url=hub.url, headers=headers, timeout=20)


def change(hub: RunningHub, name: str, **values: object) -> None:
    with hub.hub.database.write() as db:
        db.execute(update(repository).where(repository.c.name == name).values(**values))


def test_a_file_says_what_clients_need(hub: RunningHub) -> None:
    """Commit, tag and size are said by HEAD and GET, of small and large files alike."""
    base = make(hub, "said")
    with people(hub) as client:
        for path, data, tag in (("sub/a.json", SMALL, None), ("w.bin", LARGE, OID)):
            head, got = client.head(base + path), client.get(base + path)
            assert got.content == data
            assert head.headers["content-length"] == str(len(data)) == head.headers["x-linked-size"]
            assert len(head.headers["x-repo-commit"]) == 40
            assert (
                head.headers["etag"] == head.headers["x-linked-etag"] == (f'"{tag}"' if tag else head.headers["etag"])
            )
            assert {*head.headers} == {*got.headers}
            assert client.get(base + path, headers={"Range": "bytes=2-4"}).content == data[2:5]


@pytest.mark.parametrize(
    "path", ["nothing", "sub", "sub/", "../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "sub%2fnothing", "%ff"]
)
def test_what_is_not_a_file_is_not_found(hub: RunningHub, path: str) -> None:
    """Folders, absent files and path tricks are 404 with the commit they were looked for in."""
    base = "/ada/absent/resolve/main/"
    with people(hub) as client:
        if client.get(base + "w.bin").status_code != 200:
            make(hub, "absent")
        url = urlsplit(hub.url)
        with socket.create_connection((url.hostname, url.port)) as raw:  # a client library would tidy the path up
            raw.sendall(f"GET {base}{path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: raw.recv(65536), b"")).lower()
    assert answer.startswith(b"http/1.1 404")
    assert b"x-error-code: entrynotfound" in answer
    assert b"x-repo-commit: " in answer


def test_a_right_that_ends_is_gone_at_once(hub: RunningHub) -> None:
    """Made private, gated, held back, a token revoked: the next answer knows, though the last was remembered."""
    base = make(hub, "rights")
    with people(hub) as nobody, people(hub, "bob") as bob, people(hub, "ada") as ada:

        def statuses() -> list[int]:
            return [client.head(base + "w.bin").status_code for client in (nobody, bob, ada)]

        assert statuses() == [200, 200, 200]
        assert statuses() == [200, 200, 200]
        change(hub, "rights", visibility="private")
        assert statuses() == [401, 404, 200]
        change(hub, "rights", visibility="public", gate="manual")
        assert statuses() == [401, 403, 200]
        change(hub, "rights", gate="")
        assert statuses() == [200, 200, 200]
        with hub.hub.database.write() as db:
            db.execute(update(revision).values(state="held"))
        assert statuses() == [403, 403, 200]
        with hub.hub.database.write() as db:
            db.execute(update(revision).values(state="available"))
        before = ada.head(base + "w.bin").headers["x-repo-commit"]
        with hub.hub.database.write() as db:
            db.execute(update(token).where(token.c.account_id == hub.actor("bob").account_id).values(expires=1))
        assert statuses() == [200, 401, 200]
        body = (
            '{"key": "header", "value": {"summary": "x"}}\n{"key": "file", "value": {"path": "n", "content": "eA=="}}\n'
        )
        ada.post("/api/models/ada/rights/commit/main", content=body).raise_for_status()
        assert ada.head(base + "w.bin").headers["x-repo-commit"] != before


def test_a_right_that_ends_by_the_clock_is_not_remembered_longer(hub: RunningHub) -> None:
    """An accepted request for access that runs out ends access without anything being committed."""
    base = make(hub, "clock")
    change(hub, "clock", gate="manual")
    with people(hub, "carl") as carl:
        assert carl.head(base + "w.bin").status_code == 403
        with hub.hub.database.write() as db:
            repo = db.execute(repository.select().where(repository.c.name == "clock")).one()
            row = {"repository_id": repo.id, "account_id": hub.actor("carl").account_id, "status": "accepted"}
            end = now() + 1_500
            db.execute(insert(access_request).values(id=new_id(), created=now(), expires=end, **row))
        assert carl.head(base + "w.bin").status_code == 200
        assert carl.head(base + "w.bin").status_code == 200
        time.sleep((end - now()) / 1000 + 0.01)
        assert carl.head(base + "w.bin").status_code == 403


def test_answers_for_one_are_not_given_to_another(hub: RunningHub) -> None:
    """What was remembered for an owner is not told to strangers, with a false token neither."""
    base = make(hub, "mine")
    change(hub, "mine", visibility="private")
    with people(hub, "ada") as ada, people(hub, "dora") as dora, people(hub) as nobody:
        for _ in range(2):
            assert ada.head(base + "w.bin").status_code == 200
            assert dora.head(base + "w.bin").status_code == 404
            assert nobody.head(base + "w.bin").status_code == 401
            assert nobody.head(base + "w.bin", headers={"Authorization": "Bearer hm_wrong"}).status_code == 401
            assert nobody.head(base + "w.bin", headers={"Cookie": "a=b"}).status_code == 401


def test_who_has_the_file_is_told_so_also_from_memory(hub: RunningHub) -> None:
    """Conditions are part of the question: 304 is not answered to who did not ask for it."""
    base = make(hub, "conditions")
    with people(hub) as client:
        for _ in range(2):
            assert client.head(base + "w.bin", headers={"If-None-Match": f'"{OID}"'}).status_code == 304
            assert client.head(base + "w.bin").status_code == 200


def test_a_download_may_take_longer_than_a_sender_may_pause(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound on clients that send nothing ends with the request's body."""
    monkeypatch.setattr(guard, "SECONDS", 0.2)
    data = bytes(30_000_000)
    with hub.hub.blobs.receive() as incoming:
        incoming.write(data)
        stored = incoming.finish()
    ada = hub.actor("ada")
    note_arrival(hub.hub.database, hub.hub.blobs, stored, ada.account_id)
    with hub.hub.database.write() as db:
        repo = create(db, ada, "model", "slow")
        commit(db, repo, ada, [PutLarge("w.bin", stored.sha256)], Message("files"))
        db.execute(update(revision).values(state="available"))
    with people(hub) as client, client.stream("GET", "/ada/slow/resolve/main/w.bin") as answer:
        pieces = answer.iter_raw()
        received = len(next(pieces))
        time.sleep(0.6)
        received += sum(len(piece) for piece in pieces)
    assert received == len(data)


def supersede(hub: RunningHub, name: str, text: str) -> str:
    """Let a later commit say that the first one was superseded, and return the first one's id."""
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        repo = find_repository(db, "model", f"ada/{name}")
        first = find_revision(db, repo, "main").oid
        commit(db, repo, ada, [Put("superseded.toml", text.replace("FIRST", first).encode())], Message("newer"))
        db.execute(update(revision).where(revision.c.repository_id == repo.id).values(state="available"))
    return first


ENTRY = '[[superseded]]\nrevision = "FIRST"\nby = "main"\nreason = "Rows were removed."\n'


def test_a_superseded_revision_names_its_successor(hub: RunningHub) -> None:
    """Headers of a download say what took the place of the revision and until when it is there; the newest has none."""
    base = make(hub, "older")
    first = supersede(hub, "older", f"{ENTRY}until = 2999-12-31\n")
    with people(hub) as client:
        old = client.head(base.replace("main", first) + "w.bin")
        assert old.status_code == 200
        assert old.headers["x-superseded-by"] == "main"
        assert old.headers["link"] == f'<{hub.url}/ada/older/tree/main>; rel="successor-version"'
        assert old.headers["sunset"] == "Tue, 31 Dec 2999 23:59:59 GMT"
        assert "link" not in client.head(base + "w.bin").headers
        page = client.get(f"/ada/older/tree/{first}", headers={"Accept": "text/html"}).text
        assert "Another revision took the place of this one: main." in page
        assert "Rows were removed." in page
        assert "took the place" not in client.get("/ada/older", headers={"Accept": "text/html"}).text


@pytest.mark.parametrize("text", ["a" + ".a" * 3000 + " = 1\n", "a = " + "9" * 5000 + "\n"])
def test_what_costs_too_much_to_read_supersedes_nothing(hub: RunningHub, text: str) -> None:
    """Keys and numbers that nobody writes are not read, and the pages of the repository come as ever."""
    name = f"costly{len(text)}"
    base = make(hub, name)
    first = supersede(hub, name, text + ENTRY)
    with people(hub) as client:
        old = client.head(base.replace("main", first) + "w.bin")
        assert (old.status_code, "x-superseded-by" in old.headers) == (200, False)


def test_a_superseded_revision_is_gone_after_its_day(hub: RunningHub) -> None:
    """When the day is past, a download is answered with 410 and the successor, and the newest revision still comes."""
    base = make(hub, "gone")
    first = supersede(hub, "gone", f"{ENTRY}until = 2020-01-01\n")
    with people(hub) as client:
        old = client.get(base.replace("main", first) + "w.bin")
        assert old.status_code == 410
        assert old.headers["x-superseded-by"] == "main"
        assert old.headers["x-error-code"] == "Superseded"
        assert "Rows were removed" in old.text
        assert client.get(base + "w.bin").status_code == 200


def test_a_revision_that_is_gone_is_not_had_another_way(hub: RunningHub) -> None:
    """After the day, Git LFS gives no file that only such revisions have, and pages show no lines of them."""
    base = make(hub, "away")
    first = supersede(hub, "away", ENTRY)
    ask = {"operation": "download", "objects": [{"oid": OID, "size": len(LARGE)}]}
    with people(hub) as client:

        def given() -> tuple[bool, bool]:
            (file,) = client.post("/ada/away.git/info/lfs/objects/batch", json=ask).json()["objects"]
            page = client.get(f"/ada/away/blob/{first}/sub/a.json", headers={"Accept": "text/html"})
            assert page.status_code == 200
            return "actions" in file, "&#34;a&#34;" in page.text

        def change(*changes: Put | Delete) -> None:
            with hub.hub.database.write() as db:
                repo = find_repository(db, "model", "ada/away")
                commit(db, repo, hub.actor("ada"), list(changes), Message("change"))
                db.execute(update(revision).where(revision.c.repository_id == repo.id).values(state="available"))

        gone = f"{ENTRY.replace('FIRST', first)}until = 2020-01-01\n"
        assert given() == (True, True)
        change(Put("superseded.toml", gone.encode()))
        assert given() == (True, False)
        change(Delete("w.bin"))
        assert client.get(f"{base}w.bin").status_code == 404
        assert given() == (True, False)  # two revisions between have it, and nobody took those back
        with hub.hub.database.read() as db:
            mine = revision.c.repository_id == find_repository(db, "model", "ada/away").id
            every = [row.oid for row in db.execute(select(revision.c.oid).where(mine))]
        change(Put("superseded.toml", "".join(gone.replace(first, oid) for oid in every).encode()))
        assert given() == (False, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "superseded = 1",
        "[[superseded]]\nrevision = 'FIRST'",
        ENTRY.replace("FIRST", "elsewhere"),
        f"{'a.' * 2_000}a = 1\n{ENTRY}",
    ],
)
def test_what_supersedes_nothing(hub: RunningHub, text: str) -> None:
    """A file that says nothing, or that nobody can read, keeps nobody from downloading."""
    name = f"kept{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    base = make(hub, name)
    first = supersede(hub, name, text)
    with people(hub) as client:
        old = client.head(base.replace("main", first) + "w.bin")
        assert old.status_code == 200
        assert "x-superseded-by" not in old.headers
