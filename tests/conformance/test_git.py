"""The real git against a hub: clone, fetch, and what it is refused."""

from __future__ import annotations

import contextlib
import gzip
import os
import subprocess
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from hallmarked.core.errors import NotFound
from hallmarked.hub.access import Role
from hallmarked.hub.account.token import create_token
from hallmarked.hub.blob.possession import add_blob
from hallmarked.hub.change.commit import Delete, Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.fetch.graph import Reader
from hallmarked.hub.fetch.negotiation import negotiate, send
from hallmarked.hub.fetch.packet import Wants
from hallmarked.hub.git.pointer import parse_pointer
from hallmarked.hub.repository.repository import change_settings, delete_repository, find_repository
from hallmarked.hub.repository.revision import HEADS, Revision, create_ref, find_revision
from hallmarked.hub.schema.repository import collaborator, revision
from hallmarked.hub.setting import Settings, Storage
from tests.hubs import RunningHub, serve_test_hub
from tests.postgres import database

pytestmark = pytest.mark.enable_socket


@dataclass
class Git:
    """Runs git without the user's settings."""

    folder: Path
    protocol: str = "2"

    def __call__(self, *arguments: str | Path, fails: bool = False) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "LC_ALL": "C",
        }
        command = ["git", "-c", f"protocol.version={self.protocol}", *map(str, arguments)]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def running(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[RunningHub]:
    folder = tmp_path_factory.mktemp("hub")
    with contextlib.ExitStack() as stack:
        url = ""
        if request.param == "postgresql":
            url = stack.enter_context(database(request.getfixturevalue("postgres_server")))
        settings = Settings(storage=Storage(data=str(folder / "data"), database=url))
        found = stack.enter_context(serve_test_hub(folder, settings))
        for person in ("ada", "bob", "eve"):
            found.person(person)
        yield found


@pytest.fixture
def hub(running: RunningHub) -> RunningHub:
    """Give a hub in which ada/tiny is new."""
    with running.hub.database.write() as db:
        for kind, name in (("model", "tiny"), ("model", "other"), ("dataset", "other"), ("system", "other")):
            with contextlib.suppress(NotFound):
                delete_repository(db, find_repository(db, kind, f"ada/{name}").id)
        create(db, running.actor("ada"), "model", "tiny")
    return running


def push(
    hub: RunningHub, *changes: Put | PutLarge | Delete, state: str = "available", branch: str = "main"
) -> Revision:
    """Commit, and let the audit have come to ``state``."""
    with hub.hub.database.write() as db:
        repo = find_repository(db, "model", "ada/tiny")
        made = commit(db, repo, hub.actor("ada"), changes, Message("a change"), branch=HEADS + branch)
        judge(hub, made.oid, state, db=db)
    return made


def judge(hub: RunningHub, oid: str, state: str, *, db: object = None) -> None:
    values = update(revision).where(revision.c.oid == oid).values(state=state, reason="a file runs code")
    if db is None:
        with hub.hub.database.write() as own:
            own.execute(values)
    else:
        db.execute(values)  # type: ignore[attr-defined]


def large(hub: RunningHub, data: bytes) -> str:
    with hub.hub.blobs.receive() as incoming:
        incoming.write(data)
        stored = incoming.finish()
    with hub.hub.database.write() as db:
        add_blob(db, stored.sha256, stored.size, passive=True, account_id=hub.actor("ada").account_id)
    return stored.sha256


def address(hub: RunningHub, person: str = "", path: str = "ada/tiny") -> str:
    login = f"{person}:{hub.tokens[person]}@" if person else ""
    return f"{hub.url.replace('://', f'://{login}')}/{path}"


@pytest.mark.parametrize("protocol", ["0", "1", "2"])
@pytest.mark.parametrize("suffix", ["", ".git"])
def test_clone_and_fetch(hub: RunningHub, git: Git, protocol: str, suffix: str) -> None:
    """A clone has every file, its history verifies, and a later fetch brings the new commit only."""
    git.protocol = protocol
    sha256 = large(hub, b"\0" * 3000)
    push(hub, Put("README.md", b"# Tiny\n"), Put("a/b/c.txt", b"deep"), PutLarge("model.bin", sha256))
    git("clone", address(hub, path=f"ada/tiny{suffix}"), "clone")
    clone = git.folder / "clone"
    assert (clone / "README.md").read_bytes() == b"# Tiny\n"
    assert (clone / "a/b/c.txt").read_bytes() == b"deep"
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize 3000\n"
    assert (clone / "model.bin").read_text() == pointer
    git("-C", clone, "fsck", "--strict")
    new = push(hub, Put("README.md", b"# Larger\n"), Delete("a"))
    git("-C", clone, "pull")
    assert git("-C", clone, "rev-parse", "HEAD").strip() == new.oid
    assert (clone / "README.md").read_bytes() == b"# Larger\n"
    assert not (clone / "a").exists()
    git("-C", clone, "fsck", "--strict")
    assert "Already up to date" in git("-C", clone, "pull")


def test_many_commits_branches_and_tags(hub: RunningHub, git: Git) -> None:
    """Branches and tags come along; a fetch after many commits finds what both sides have."""
    first = push(hub, Put("n.txt", b"0"))
    git("clone", address(hub), "clone")
    clone = git.folder / "clone"
    for number in range(70):
        last = push(hub, Put("n.txt", b"%d" % number), Put(f"d{number}/f.txt", b"%d" % number))
    with hub.hub.database.write() as db:
        repo = find_repository(db, "model", "ada/tiny")
        create_ref(db, repo, "refs/heads/old", first.oid)
        create_ref(db, repo, "refs/tags/v1", last.oid, "one")
    side = push(hub, Put("side.txt", b"side"), branch="old")
    git("-C", clone, "fetch", "--tags")
    assert git("-C", clone, "rev-parse", "origin/main", "origin/old", "v1").split() == [last.oid, side.oid, last.oid]
    git("-C", clone, "fsck", "--strict")
    # Commits that only the client has do not confuse what is common.
    git("-C", clone, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "--allow-empty", "-m", "mine")
    newest = push(hub, Put("n.txt", b"end"))
    git("-C", clone, "fetch")
    assert git("-C", clone, "rev-parse", "origin/main").strip() == newest.oid


def test_shallow_clones_can_be_deepened(hub: RunningHub, git: Git) -> None:
    """A part of the history is sent, then more of it, then all."""
    for number in range(6):
        push(hub, Put("n.txt", b"%d" % number))
    git("clone", "--depth", "2", address(hub), "clone")
    clone = git.folder / "clone"
    count = ("-C", clone, "rev-list", "--count", "HEAD")
    assert git(*count).strip() == "2"
    push(hub, Put("n.txt", b"new"))
    git("-C", clone, "pull")
    assert git(*count).strip() == "3"
    git("-C", clone, "fetch", "--depth", "5")
    assert git(*count).strip() == "5"
    git("-C", clone, "fetch", "--unshallow")
    assert git(*count).strip() == "8"
    git("-C", clone, "fsck", "--strict")


@pytest.mark.parametrize(("kind", "prefix"), [("dataset", "datasets/"), ("system", "spaces/")])
def test_other_kinds_have_their_prefix(hub: RunningHub, git: Git, kind: str, prefix: str) -> None:
    """Data sets and systems are cloned from the addresses that clients know."""
    with hub.hub.database.write() as db:
        create(db, hub.actor("ada"), kind, "other")
    git("clone", address(hub, path=f"{prefix}ada/other"), "clone")
    assert (git.folder / "clone" / ".gitattributes").is_file()


def test_private_repositories_need_a_token(hub: RunningHub, git: Git) -> None:
    """Nobody without a token learns that it is there; with one, git's password is the token."""
    push(hub, Put("README.md", b"secret"))
    with hub.hub.database.write() as db:
        change_settings(db, find_repository(db, "model", "ada/tiny").id, visibility="private")
    for path in ("ada/tiny", "ada/none"):
        assert "could not read Username" in git("clone", address(hub, path=path), "clone", fails=True)
        assert "not found" in git("clone", address(hub, "bob", path), "clone", fails=True)
    hub.tokens["wrong"] = "hm_wrong"
    assert "Authentication failed" in git("clone", address(hub, "wrong"), "clone", fails=True)
    git("clone", address(hub, "ada"), "clone")
    header = f"http.extraHeader=Authorization: Bearer {hub.tokens['ada']}"
    git("-c", header, "clone", address(hub), "again")
    assert (git.folder / "again" / "README.md").read_bytes() == b"secret"


def test_gated_repositories_are_not_cloned_without_access(hub: RunningHub, git: Git) -> None:
    """Whoever was not given access gets one sentence instead of files."""
    push(hub, Put("README.md", b"gated"))
    with hub.hub.database.write() as db:
        change_settings(db, find_repository(db, "model", "ada/tiny").id, gate="manual")
    assert "Access to model ada/tiny is restricted" in git("clone", address(hub, "bob"), "clone", fails=True)
    git("clone", address(hub, "ada"), "clone")


def test_what_is_held_back_stays_here(hub: RunningHub, git: Git) -> None:
    """A stranger gets neither a held revision nor a history that holds one; its owner and an auditor do."""
    with hub.hub.database.write() as db:
        repo = find_repository(db, "model", "ada/tiny")
        eve = {"repository_id": repo.id, "account_id": hub.actor("eve").account_id, "role": Role.AUDITOR, "created": 0}
        db.execute(collaborator.insert().values(eve))
    first = push(hub, Put("README.md", b"fine"))
    git("clone", address(hub), "early")
    held = push(hub, Put("evil.pkl", b"boo"), state="held")
    assert "is held back: a file runs code" in git("clone", address(hub, "bob"), "clone", fails=True)
    for protocol in ("0", "2"):
        git.protocol = protocol
        for stranger in ("clone", address(hub), "clone"), ("-C", git.folder / "early", "pull"):
            said = git(*stranger, fails=True)
            assert "remote: this revision of ada/tiny is held back: a file runs code; who may have it" in said
            assert f"{address(hub)}.git" in said
    assert "could not read Username" in git("clone", f"{address(hub)}.git", "clone", fails=True)
    for person in ("ada", "eve"):
        git("clone", f"{address(hub, person)}.git", person)
        assert (git.folder / person / "evil.pkl").read_bytes() == b"boo"
    new = push(hub, Delete("evil.pkl"))
    refused = git("clone", address(hub, "bob"), "clone", fails=True)
    assert "is held back" in refused
    assert "git clone --depth 1" in refused
    for stranger in ("clone", address(hub), "clone"), ("-C", git.folder / "early", "pull"):
        assert "git clone --depth 1" in git(*stranger, fails=True)
    git("clone", f"{address(hub, 'ada')}.git", "whole")
    git("clone", "--depth", "10", address(hub, "bob"), "shallow")
    assert git("-C", git.folder / "shallow", "rev-list", "HEAD").split() == [new.oid]
    missing = git("-C", git.folder / "shallow", "cat-file", "-t", held.oid, fails=True)
    assert "could not get object info" in missing or "bad file" in missing
    # The history before it is not reached by a longer arm either.
    git("-C", git.folder / "shallow", "fetch", "--unshallow", fails=False)
    assert git("-C", git.folder / "shallow", "rev-list", "HEAD").split() == [new.oid]
    assert first.oid != new.oid


def test_unchecked_revisions_are_given_as_policy_says(hub: RunningHub, git: Git) -> None:
    """While the audit runs, text is given out and code is not."""
    push(hub, Put("README.md", b"# Text\n"), state="checking")
    git("clone", address(hub), "text")
    push(hub, Put("run.py", b"print()\n"), state="checking")
    assert "is being checked" in git("clone", address(hub, "bob"), "code", fails=True)


def test_other_refs_stay_when_one_is_held(hub: RunningHub, git: Git) -> None:
    """A held branch is not shown, the others are."""
    with hub.hub.database.write() as db:
        repo = find_repository(db, "model", "ada/tiny")
        create_ref(db, repo, "refs/heads/side", find_revision(db, repo, "main").oid)
    push(hub, Put("evil.pkl", b"boo"), state="held", branch="side")
    assert "side" not in git("ls-remote", address(hub))
    header = f"http.extraHeader=Authorization: Bearer {hub.tokens['ada']}"
    assert "refs/heads/side" in git("-c", header, "ls-remote", address(hub))


def test_pushing_is_refused_in_one_sentence(hub: RunningHub, git: Git) -> None:
    """A push says why, and what to use instead."""
    git("clone", address(hub, "ada"), "clone")
    clone = git.folder / "clone"
    git("-C", clone, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "--allow-empty", "-m", "mine")
    assert "takes no git push" in git("-C", clone, "push", fails=True)


def test_commits_that_are_not_offered_are_refused(hub: RunningHub, git: Git) -> None:
    """A commit of another repository, or one that no branch ends in, cannot be asked for by its id."""
    old = push(hub, Put("README.md", b"1"))
    push(hub, Put("README.md", b"2"))
    with hub.hub.database.write() as db:
        create(db, hub.actor("ada"), "model", "other", visibility="private")
        repo = find_repository(db, "model", "ada/other")
        hidden = commit(db, repo, hub.actor("ada"), [Put("secret.txt", b"s")], Message("hidden"))
    git("clone", address(hub), "clone")
    for oid in (hidden.oid, old.oid):
        git.protocol = "0"
        refused = git("-C", git.folder / "clone", "fetch", "origin", oid, fails=oid == hidden.oid)
        assert oid != hidden.oid or "not" in refused


def test_a_read_token_is_enough(hub: RunningHub, git: Git) -> None:
    """Reading with git needs no right to write."""
    with hub.hub.database.write() as db:
        hub.tokens["reader"] = create_token(db, str(hub.actor("ada").account_id), "r", scope="read")
        change_settings(db, find_repository(db, "model", "ada/tiny").id, visibility="private")
    git("clone", address(hub, "reader"), "clone")


def test_damaged_and_oversized_requests_are_refused(hub: RunningHub) -> None:
    """Bytes that are no request, a compression bomb and an unknown encoding end in a status below 500."""
    bomb = gzip.compress(b"0" * (64 << 20))
    with httpx.Client(base_url=f"{hub.url}/ada/tiny.git", trust_env=False) as client:
        damaged = client.post("/git-upload-pack", content=b"zzzz")
        assert (damaged.status_code, damaged.content[4:8]) == (200, b"ERR ")
        for body, encoding, status in ((bomb, "gzip", 413), (b"x", "gzip", 400), (b"x", "br", 400)):
            assert (
                client.post("/git-upload-pack", content=body, headers={"Content-Encoding": encoding}).status_code
                == status
            )
        assert client.post("/git-receive-pack").status_code == 403
        assert "smart protocol only" in client.get("/info/refs").text
        assert client.get("/info/refs?service=git-upload-pack", headers={"Authorization": "Basic x"}).status_code == 401


def test_a_long_list_of_what_the_client_has_is_understood(hub: RunningHub, git: Git) -> None:
    """Many commits of the client's own make its request long enough to be compressed, in several rounds."""
    push(hub, Put("n.txt", b"0"))
    git("clone", address(hub), "clone")
    clone = git.folder / "clone"
    for _ in range(150):
        git("-C", clone, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-q", "--allow-empty", "-m", "mine")
    new = push(hub, Put("n.txt", b"1"))
    git("-C", clone, "fetch")
    assert git("-C", clone, "rev-parse", "origin/main").strip() == new.oid


def test_large_files_come_through_lfs(hub: RunningHub, git: Git) -> None:
    """The pointers in a clone are enough to get the bytes from the batch API, as git-lfs asks for them."""
    data = os.urandom(100_000)
    push(hub, PutLarge("model.bin", large(hub, data)))
    git("clone", address(hub), "clone")
    parsed = parse_pointer((git.folder / "clone" / "model.bin").read_bytes())
    assert parsed is not None
    wanted = {"operation": "download", "transfers": ["basic"], "objects": [{"oid": parsed[0], "size": parsed[1]}]}
    with httpx.Client(trust_env=False) as client:
        told = client.post(f"{address(hub)}.git/info/lfs/objects/batch", json=wanted).raise_for_status().json()
        assert client.get(told["objects"][0]["actions"]["download"]["href"]).content == data


@pytest.mark.slow
def test_a_large_history_is_sent_in_little_memory(hub: RunningHub, git: Git) -> None:
    """Small files of 60 MB altogether are sent without being held at once."""
    for number in range(6):
        push(hub, *(Put(f"{number}/{part}.txt", os.urandom(1_000_000)) for part in range(10)))
    with hub.hub.database.read() as db:
        repo = find_repository(db, "model", "ada/tiny")
        tip = find_revision(db, repo, "main").oid
        reader = Reader(db, hub.actor("ada"), repo, hub.hub.settings.policy)
        answer = negotiate(db, repo, reader, Wants((tip,), (), frozenset(), 0, True, frozenset({"side-band-64k"})))
    tracemalloc.start()
    try:
        size = sum(map(len, send(answer, hub.hub.database.read, banding=True)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 60_000_000
    assert peak < 30_000_000
    git("clone", address(hub), "clone")
    git("-C", git.folder / "clone", "fsck", "--strict")
