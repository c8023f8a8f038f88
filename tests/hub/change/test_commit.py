"""Commits: git's ids, all or nothing, one winner."""

from __future__ import annotations

import hashlib
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import Forbidden, InputError
from hallmarked.hub.blob.possession import add_blob
from hallmarked.hub.change.commit import Change, Copy, Delete, Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.community.pull import open_pull
from hallmarked.hub.error import EntryNotFound, Outdated, RevisionNotFound
from hallmarked.hub.git.object import read_object
from hallmarked.hub.git.pointer import encode_pointer, parse_pointer
from hallmarked.hub.repository.repository import MAIN, Repository, change_settings, find_repository
from hallmarked.hub.repository.revision import (
    Revision,
    create_ref,
    find_entry,
    find_revision,
    list_entries,
    list_files,
    list_history,
    read_text,
)
from hallmarked.hub.review.status import set_state
from tests.hubs import RunningHub


def start(hub: RunningHub, name: str = "model") -> Repository:
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        return create(db, ada, "model", name)


def push(
    hub: RunningHub, repo: Repository, *changes: Change, title: str = "change", parent: str | None = None
) -> Revision:
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        return commit(db, repo, ada, changes, Message(title), parent=parent)


def files(hub: RunningHub, repo: Repository, name: str = MAIN) -> dict[str, bytes]:
    with hub.hub.database.read() as db:
        at = find_revision(db, repo, name)
        return {entry.path: read_text(db, entry) for entry in list_files(db, at) if entry.path != ".gitattributes"}


def git(folder: Path, *command: str, data: bytes | None = None) -> str:
    done = subprocess.run(["git", "-C", folder, *command], input=data, capture_output=True, check=True)
    return done.stdout.decode().strip()


NAMES = st.sampled_from(["a", "b", "a.b", "a-b", "A", "é", "lib", "z z"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(PATHS, st.none() | st.binary(max_size=8), max_size=4), max_size=4))
def test_ids_are_gits(hub: RunningHub, tmp_path: Path, batches: list[dict[str, bytes | None]]) -> None:
    """Whatever is written and deleted, trees and commits have the ids git itself computes for the same files."""
    name = hashlib.sha256(repr(batches).encode()).hexdigest()[:20]
    folder = tmp_path / name
    if folder.exists():
        return
    repo = start(hub, name)
    folder.mkdir()
    git(folder, "init", "-q")
    for batch in batches:
        changes: list[Change] = [Delete(path) if data is None else Put(path, data) for path, data in batch.items()]
        before = files(hub, repo)
        try:
            at = push(hub, repo, *changes)
        except (InputError, EntryNotFound):
            assert files(hub, repo) == before
            continue
        here = files(hub, repo)
        assert {path: data for path, data in batch.items() if data is not None}.items() <= here.items()
        git(folder, "rm", "-rq", "--cached", "--ignore-unmatch", ".")
        with hub.hub.database.read() as db:
            here[".gitattributes"] = read_text(db, find_entry(db, at, ".gitattributes"))
            body = read_object(db, at.oid)[1]
        for path, data in here.items():
            oid = git(folder, "hash-object", "-w", "--stdin", data=data)
            git(folder, "update-index", "--add", "--cacheinfo", f"100644,{oid},{path}")
        assert git(folder, "write-tree") == at.tree
        assert git(folder, "hash-object", "-t", "commit", "-w", "--stdin", data=body) == at.oid


def test_history_and_names(hub: RunningHub) -> None:
    """Revisions are found by branch, tag, full and short id; unknown names and commits of others are not."""
    repo, other = start(hub), start(hub, "other")
    first = push(hub, repo, Put("a", b"1"), title="one")
    second = push(hub, repo, Put("a", b"2"), title="two")
    with hub.hub.database.write() as db:
        create_ref(db, repo, "refs/tags/v1", first.oid)
    with hub.hub.database.read() as db:
        assert [at.title for at in list_history(db, repo, second)] == ["two", "one", "initial commit"]
        for name, oid in {"main": second.oid, "v1": first.oid, first.oid: first.oid, first.oid[:10]: first.oid}.items():
            assert find_revision(db, repo, name).oid == oid
        for name in ("nothing", "0" * 40, "refs/heads/nothing", ""):
            with pytest.raises(RevisionNotFound):
                find_revision(db, repo, name)
        with pytest.raises(RevisionNotFound):
            find_revision(db, other, first.oid)
    assert files(hub, repo, "v1") == {"a": b"1"}


def test_listing(hub: RunningHub) -> None:
    """A folder lists its own entries, or all below it; a file is no folder."""
    repo = start(hub)
    at = push(hub, repo, Put("a/b/c", b""), Put("a/d", b"12"), Put("e", b"3"))
    with hub.hub.database.read() as db:
        assert [entry.path for entry in list_entries(db, at)] == [".gitattributes", "a", "a/b", "a/b/c", "a/d", "e"]
        assert [(entry.path, entry.folder, entry.size) for entry in list_entries(db, at, "a", recursive=False)] == [
            ("a/b", True, 0),
            ("a/d", False, 2),
        ]
        for path in ("e", "nothing", "a/d/x"):
            with pytest.raises(EntryNotFound):
                list_entries(db, at, path)


def test_outdated_parent(hub: RunningHub) -> None:
    """A commit on a parent that is not the head any more changes nothing."""
    repo = start(hub)
    first = push(hub, repo, Put("a", b"1"))
    push(hub, repo, Put("a", b"2"), parent=first.oid)
    with pytest.raises(Outdated):
        push(hub, repo, Put("a", b"3"), parent=first.oid)
    assert files(hub, repo) == {"a": b"2"}


def test_writers_take_turns(hub: RunningHub) -> None:
    """Of many writers that start from one head exactly one wins; without a parent all get in, one after another."""
    repo = start(hub)
    head = push(hub, repo, Put("a", b""))

    def attempt(number: int) -> bool:
        try:
            push(hub, repo, Put("a", b"%d" % number), parent=head.oid)
        except Outdated:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1
        list(pool.map(lambda number: push(hub, repo, Put(f"n{number}", b"%d" % number)), range(16)))
    assert len(files(hub, repo)) == 17
    with hub.hub.database.read() as db:
        assert len(list(list_history(db, repo, find_revision(db, repo, MAIN)))) == 19


def test_nothing_changed(hub: RunningHub) -> None:
    """Sending what is there already makes no commit."""
    repo = start(hub)
    first = push(hub, repo, Put("a", b"1"))
    assert push(hub, repo, Put("a", b"1")) == first


@pytest.mark.parametrize(
    "changes",
    [
        [Put("a/b", b"")],
        [Put("folder", b"")],
        [Delete("nothing")],
        [Delete("folder/nothing")],
        [Put("../x", b"")],
        [Put("x", b""), Put(".git/config", b"")],
        [PutLarge("x", "0" * 64)],
        [Copy("x", "folder", MAIN)],
    ],
    ids=lambda changes: changes[-1].path.replace("/", "-"),
)
def test_refused_changes_leave_nothing(hub: RunningHub, changes: list[Change]) -> None:
    """A change that cannot be made refuses the whole commit."""
    repo = start(hub)
    push(hub, repo, Put("a", b"1"), Put("folder/file", b"2"))
    with pytest.raises((InputError, EntryNotFound)):
        push(hub, repo, Put("new", b""), *changes)
    assert files(hub, repo) == {"a": b"1", "folder/file": b"2"}


@pytest.mark.parametrize("kept", ["gated", "held", "checking"])
def test_only_what_one_may_get_is_copied(hub: RunningHub, kept: str) -> None:
    """Who may only offer changes does not get at a file by copying it to where everybody reads it, as a card."""
    repo, ada, bob = start(hub), hub.actor("ada"), hub.actor("bob")
    at = push(hub, repo, Put("notes.txt", b"not for everybody"))
    copy = [Copy("README.md", "notes.txt", MAIN)]
    with hub.hub.database.write() as db:
        set_state(db, repo.id, at.oid, "available" if kept == "gated" else kept, "why")
        change_settings(db, repo.id, gate="manual" if kept == "gated" else "")
        repo = find_repository(db, "model", "ada/model")
        pull = open_pull(db, repo, bob, Message("offer"), MAIN)
        with pytest.raises(Forbidden):
            commit(db, repo, bob, copy, Message("copy"), branch=pull.branch)
        commit(db, repo, ada, copy, Message("copy"), branch=pull.branch)


def test_large_files_belong_to_who_sent_them(hub: RunningHub) -> None:
    """Knowing the digest of somebody else's file is not enough to put it into an own repository."""
    repo = start(hub)
    digest = hashlib.sha256(b"weights").hexdigest()
    ada, bob = hub.actor("ada"), hub.actor("bob")
    with hub.hub.database.write() as db:
        add_blob(db, digest, 7, passive=False, account_id=ada.account_id)
    at = push(hub, repo, PutLarge("w.bin", digest))
    with hub.hub.database.read() as db:
        entry = find_entry(db, at, "w.bin")
        assert (entry.large, entry.size, entry.sha256) == (True, 7, digest)
        assert read_text(db, entry) == encode_pointer(digest, 7)
        assert parse_pointer(read_text(db, entry)) == (digest, 7)
    with hub.hub.database.write() as db:
        theirs = create(db, bob, "model", "mine")
    with pytest.raises(InputError, match="not uploaded"), hub.hub.database.write() as db:
        commit(db, theirs, bob, [PutLarge("stolen", digest)], Message("x"))


def test_a_pointer_is_worth_no_more_than_the_digest_in_it(hub: RunningHub) -> None:
    """Whoever writes the pointer of a large file as a text gets neither the file nor into its way."""
    repo = start(hub)
    digest, later = (hashlib.sha256(data).hexdigest() for data in (b"weights", b"not sent yet"))
    ada, bob = hub.actor("ada"), hub.actor("bob")
    with hub.hub.database.write() as db:
        add_blob(db, digest, 7, passive=False, account_id=ada.account_id)
        theirs = create(db, bob, "model", "mine")
    push(hub, repo, PutLarge("w.bin", digest))
    for text in (encode_pointer(digest, 7), encode_pointer(later, 12)):
        with pytest.raises(InputError, match="not uploaded"), hub.hub.database.write() as db:
            commit(db, theirs, bob, [Put("w.bin", text)], Message("x"))
    with pytest.raises(InputError, match="not uploaded"):
        push(hub, repo, Put("wrong size.bin", encode_pointer(digest, 8)))
    with hub.hub.database.write() as db:
        add_blob(db, later, 12, passive=False, account_id=ada.account_id)
    at = push(hub, repo, PutLarge("later.bin", later), Put("same.bin", encode_pointer(digest, 7)))
    with hub.hub.database.read() as db:
        entries = [find_entry(db, at, path) for path in ("later.bin", "same.bin")]
    assert [(entry.large, entry.sha256) for entry in entries] == [(True, later), (True, digest)]


def test_card_is_read(hub: RunningHub) -> None:
    """The front matter of the main branch's README is what the hub knows of a repository, whatever it holds."""
    repo = start(hub)
    for text, card in {
        "---\nlicense: mit\nwhen: 2026-01-02\nn: 1.5\nbad: .nan\n---\n# X": {
            "license": "mit", "when": "2026-01-02", "n": 1.5, "bad": "nan",
        },
        "---\n- a list\n---\n": {},
        "no front matter": {},
        "---\nnever: closed": {},
    }.items():  # fmt: skip
        push(hub, repo, Put("README.md", text.encode()))
        with hub.hub.database.read() as db:
            assert find_repository(db, "model", "ada/model").card == card


@given(st.binary(max_size=200))
def test_pointers(data: bytes) -> None:
    """Only what is written as a pointer is read as one."""
    parsed = parse_pointer(data)
    assert parsed is None or encode_pointer(*parsed) == data
