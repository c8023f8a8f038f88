"""The hub's log over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from hallmarked.hub.change.creation import ATTRIBUTES
from hallmarked.ledger.checkpoint import read_checkpoint
from hallmarked.ledger.merkle import leaf_hash
from hallmarked.ledger.note import open_note, read_note_key
from hallmarked.ledger.tile import TileTree, list_tiles, read_entries, tile_path
from hallmarked.ledger.trust import load_trust
from hallmarked.ledger.verify import MEDIA_TYPE, verify_bundle
from hallmarked.web.app import create_app
from tests.hub.evidence import any_statement, attest, push, write_files
from tests.hubs import RunningHub, open_test_hub


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as made:
        yield made


@pytest.fixture
def client(running: RunningHub) -> TestClient:
    return TestClient(create_app(running.hub))


def bearer(running: RunningHub, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {running.person(name)}"}


def test_log_as_tiles(running: RunningHub, client: TestClient) -> None:
    """The tiles give the root of the checkpoint, and have the types and cache rules of the specification."""
    for start in range(0, 300, 100):
        running.hub.journal.attest([any_statement(number) for number in range(start, start + 100)])
    answer = client.get("/ledger/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=2"
    key = read_note_key(client.get("/ledger/key").text.removesuffix("\n"))
    text, signed = open_note(answer.content.decode(), [key])
    stated = read_checkpoint(text)
    assert (stated.size, list(signed)) == (300, [key])

    def fetch(level: int, index: int) -> bytes:
        width = min(256, (stated.size >> 8 * level) - index * 256)
        tile = client.get(f"/ledger/{tile_path(level, index, width)}")
        assert tile.headers["content-type"] == "application/octet-stream"
        assert "immutable" in tile.headers["cache-control"]
        assert "content-encoding" not in tile.headers
        return tile.content

    assert TileTree(300, fetch).root() == stated.root
    bundles = [client.get(f"/ledger/{tile_path(None, index, width)}") for index, width in ((0, 256), (1, 44))]
    hashes = [leaf_hash(entry) for bundle in bundles for entry in read_entries(bundle.content)]
    assert b"".join(hashes) == fetch(0, 0) + fetch(0, 1)
    assert len(list(list_tiles(300))) == 3
    # A partial tile of an earlier checkpoint is served although the log has grown.
    assert client.get("/ledger/tile/0/000.p/200").content == fetch(0, 0)[: 200 * 32]


def test_what_is_not_there(running: RunningHub, client: TestClient) -> None:
    """Tiles the log does not have, or under another path than their own, are not found."""
    running.hub.journal.attest([any_statement(0), any_statement(1)])
    for path in (
        *("tile/0/001", "tile/0/000.p/3", "tile/0/000.p/0", "tile/0/000.p/256", "tile/00/000.p/1", "tile/64/000"),
        *("tile/0/0", "tile/0/x000/000", "tile/0/1000", "tile/entries/000", "tile/-1/000", "tile/0/000/", "tile/0"),
        *("tile/0/..%2F..%2Fcheckpoint", "entries/2", "entries/x", "entries/99999999999999999999999"),
    ):
        assert client.get(f"/ledger/{path}").status_code == 404, path


def test_entries(running: RunningHub, client: TestClient) -> None:
    """A public entry's statement can be read; a hidden one's and an erased one's cannot."""
    running.hub.journal.attest([any_statement(0), any_statement(1)])
    running.hub.journal.attest([any_statement(2)], hidden=True)
    running.hub.journal.erase(1)
    assert json.loads(client.get("/ledger/entries/0").content)["payloadType"] == "application/vnd.in-toto+json"
    assert client.get("/ledger/entries/1").status_code == 404
    assert "erased" in client.get("/ledger/entries/1").json()["error"]
    assert client.get("/ledger/entries/2").status_code == 403


def test_evidence_of_a_revision(running: RunningHub, client: TestClient, tmp_path: Path) -> None:
    """One request gives all evidence about a revision, and it verifies under the hub's keys."""
    commit = push(running)
    folder = write_files(tmp_path / "m", ATTRIBUTES.encode())
    attest(running, commit, folder)
    for name in ("main", commit, commit[:10], "refs%2Fheads%2Fmain"):
        answer = client.get(f"/ada/model/evidence/{name}.json")
        assert answer.status_code == 200
        assert answer.headers["x-repo-commit"] == commit
        assert answer.headers["content-type"] == MEDIA_TYPE
    trust = load_trust(client.get("/ledger/trust.json").content)
    assert verify_bundle(answer.content, trust).trusted
    assert len(verify_bundle(answer.content).entries) == 2


def test_who_may_have_the_evidence(running: RunningHub, client: TestClient, tmp_path: Path) -> None:
    """Evidence of a private repository is for its people; others learn not even that it exists."""
    commit = push(running, "ada/secret", visibility="private")
    attest(running, commit, write_files(tmp_path / "m", ATTRIBUTES.encode()), name="ada/secret", hidden=True)
    url = "/ada/secret/evidence/main.json"
    assert client.get(url).status_code == 401
    assert client.get(url, headers=bearer(running, "bob")).status_code == 404
    assert client.get(url, headers=bearer(running, "ada")).status_code == 200
    assert client.get("/ledger/entries/0").status_code == 403


def test_evidence_of_the_same_commit_elsewhere(running: RunningHub, client: TestClient, tmp_path: Path) -> None:
    """What was stated about a commit as part of a private repository is not told to readers of a public one."""
    commit, folder = push(running), write_files(tmp_path / "m", ATTRIBUTES.encode())
    attest(running, commit, folder)
    push(running, "ada/secret", visibility="private")
    attest(running, commit, folder, name="ada/secret", hidden=True)
    verified = verify_bundle(client.get("/ada/model/evidence/main.json").content)
    names = {subject["name"] for entry in verified.entries for subject in entry.statement["subject"]}
    assert names == {"ada/model"}


def test_revision_without_evidence(running: RunningHub, client: TestClient) -> None:
    """A revision that is being checked has no evidence yet, and one that is not there is not found."""
    push(running)
    answer = client.get("/ada/model/evidence/main.json")
    assert (answer.status_code, "being checked" in answer.json()["error"]) == (404, True)
    missing = client.get("/ada/model/evidence/nothing.json")
    assert missing.headers["x-error-code"] == "RevisionNotFound"


def test_head(client: TestClient) -> None:
    """Whoever only asks for headers gets them."""
    answer: httpx.Response = client.head("/ledger/checkpoint")
    assert (answer.status_code, answer.content) == (200, b"")
