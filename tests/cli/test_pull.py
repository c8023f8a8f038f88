"""Importing a repository through the command line, from one hub of ours into another."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import httpx
import pytest

from hallmarked.hub.account.account import create_account, find_account
from hallmarked.hub.account.token import create_token
from hallmarked.hub.blob.possession import add_blob
from hallmarked.hub.change.commit import Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.hub import open_hub
from hallmarked.hub.repository.repository import change_settings, find_repository
from hallmarked.hub.repository.revision import find_revision, list_files
from hallmarked.hub.setting import Settings, Storage
from tests.artifacts.remote.endpoint import Endpoint, served
from tests.cli.support import Shell
from tests.hubs import RunningHub, serve_test_hub

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def data(tmp_path: Path, shell: Shell) -> Path:
    """Make a hub of ada's to import into."""
    shell.set(HF_TOKEN=None, HF_ENDPOINT=None, HF_HOME=str(tmp_path / "hf"))
    folder = tmp_path / "ours"
    with open_hub(Settings(storage=Storage(data=str(folder)))) as hub, hub.database.write() as db:
        create_account(db, "ada")
    return folder


def publish(hub: RunningHub, *, private: bool = False) -> bytes:
    """Publish a model with a large file on another hub."""
    weights = os.urandom(500_000)
    actor = hub.actor("ada")
    with hub.hub.blobs.receive() as incoming:
        incoming.write(weights)
        stored = incoming.finish()
    with hub.hub.database.write() as db:
        add_blob(db, stored.sha256, stored.size, passive=True, account_id=actor.account_id)
        repo = create(db, actor, "model", "tiny", visibility="private" if private else "public")
        changes = [Put("README.md", b"---\nlicense: mit\n---\n# Tiny\n"), PutLarge("model.bin", stored.sha256)]
        commit(db, repo, actor, changes, Message("files"))
    return weights


def test_pull_from_one_hub_into_another(shell: Shell, data: Path, tmp_path: Path) -> None:
    """What was published there can be downloaded here; a second pull has nothing to do."""
    with serve_test_hub(tmp_path / "theirs") as theirs:
        weights = publish(theirs, private=True)
        refused = shell("pull", "ada/tiny", "--from", theirs.url, "--data", data).refused()
        assert "has no model ada/tiny, or it needs a token" in refused
        shell.set(HF_TOKEN=theirs.tokens["ada"])
        done = shell("pull", "hf://ada/tiny", "--from", theirs.url, "--data", data, "--public")
        assert done.status == 0, done
        assert "Imported 3 files of revision" in done.out
        again = shell("pull", "hf://ada/tiny", "--from", theirs.url, "--data", data)
        assert "has all of revision" in again.out
    settings = Settings(storage=Storage(data=str(data)))
    with serve_test_hub(tmp_path, settings) as ours, httpx.Client(base_url=ours.url, trust_env=False) as client:
        headers = {"Authorization": f"Bearer {_token(ours)}"}
        answer = client.get("/ada/tiny/resolve/main/model.bin", headers=headers)
        assert answer.content == weights
        listed = client.get("/api/models/ada/tiny/tree/main", headers=headers)
        assert not any(name.startswith("x-xet") for name in (*answer.headers, *listed.headers))
        assert not any("xetHash" in entry for entry in listed.json())


def _token(hub: RunningHub) -> str:
    with hub.hub.database.write() as db:
        return create_token(db, find_account(db, "ada").id, "test")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ada/tiny", "--data", "nowhere"), "there is no hub in nowhere"),
        (("tiny",), "--as OWNER/NAME"),
        (("bob/tiny",), "no account bob"),
        (("a/b/c",), "names no repository"),
        (("ada/tiny", "--from", "ftp://x"), "is not the address of a hub"),
    ],
    ids=range(5),
)
def test_what_cannot_be_imported_is_one_sentence(
    shell: Shell, data: Path, arguments: tuple[str, ...], words: str
) -> None:
    """Missing hubs, owners and repositories end with status 2 and change nothing."""
    given = arguments if "--data" in arguments else (*arguments, "--data", data)
    assert words in shell("pull", "--from", "http://127.0.0.1:9", *given).refused()


def test_held_back_and_missing_revisions(shell: Shell, data: Path, tmp_path: Path) -> None:
    """The other hub's refusal is passed on in one sentence, and nothing half-imported becomes visible."""
    with serve_test_hub(tmp_path / "theirs") as theirs:
        publish(theirs)
        assert "has no revision v9" in shell("pull", "ada/tiny@v9", "--from", theirs.url, "--data", data).refused()
        with theirs.hub.database.write() as db:
            change_settings(db, find_repository(db, "model", "ada/tiny").id, gate="manual")
        gated = shell("pull", "ada/tiny", "--from", theirs.url, "--data", data).refused()
        assert "ada/tiny is gated: ask for access at" in gated


@pytest.mark.parametrize("kind", ["model", "dataset", "system"])
def test_pull_into_a_hub_that_runs_elsewhere(shell: Shell, tmp_path: Path, kind: str) -> None:
    """Through its interface, with a token of its own: whole, again without work, and later only what changed."""
    weights = os.urandom(300_000)
    files: dict[str, bytes | Path] = {
        "README.md": b"# Tiny\n",
        "a/b.txt": b"deep",
        "empty.txt": b"",
        "model.bin": weights,
    }
    spelt = {"model": "", "dataset": "datasets/", "system": "spaces/"}[kind]
    shell.set(HF_TOKEN=None, HF_ENDPOINT=None, HF_HOME=str(tmp_path / "hf"))
    source = Endpoint(files, kind={"system": "space"}.get(kind, kind), large=100_000)
    with served(source), serve_test_hub(tmp_path) as target:
        arguments = ("pull", f"hf://{spelt}acme/tiny", "--from", source.url, "--to", target.url, "--as", "ada/tiny")
        assert "wants a token that may write" in shell(*arguments).refused()
        shell.set(HALLMARKED_TOKEN=target.person("ada"))
        assert "Imported 4 files" in shell(*arguments, "--public").out
        source.sent = 0
        assert "has all of revision" in shell(*arguments).out
        assert source.sent == 0
        files["a"] = b"now a file"
        files["copy.bin"] = weights
        del files["a/b.txt"]
        assert "Imported 5 files" in shell(*arguments).out
        assert source.sent == len(b"now a file")
        with target.hub.database.read() as db:
            repo = find_repository(db, kind, "ada/tiny")
            at = find_revision(db, repo, "main")
            found = {entry.path: entry.sha256 for entry in list_files(db, at)}
        assert found == {
            path: hashlib.sha256(content).hexdigest() for path, content in files.items() if isinstance(content, bytes)
        }
        assert not repo.scope.private
        source.swap["README.md"] = b"# Evil\n"
        files["README.md"] = b"# Tidy\n"
        assert "holds other bytes" in shell(*arguments).refused()
        with target.hub.database.read() as db:
            assert find_revision(db, repo, "main") == at
