"""Pull requests: changes offered to a branch, and taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hallmarked.core.errors import Forbidden, InputError
from hallmarked.hub.access import Action, Actor, require
from hallmarked.hub.change.commit import Change, Delete, Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.change.history import list_steps, squash
from hallmarked.hub.community.discussion import Discussion, change_status, find_discussion, list_events
from hallmarked.hub.community.pull import commit_to, list_conflicts, merge_pull, open_pull, require_commit
from hallmarked.hub.error import Conflict
from hallmarked.hub.repository.diff import compare, write_diff
from hallmarked.hub.repository.repository import MAIN, Repository
from hallmarked.hub.repository.revision import find_entry, find_revision, list_files, read_text
from hallmarked.hub.setting import Settings, Storage
from tests.hubs import RunningHub, open_test_hub


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def hub(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RunningHub]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    with open_test_hub(tmp_path, Settings(storage=Storage(data=str(tmp_path / "data"), database=url))) as running:
        running.person("ada")
        running.person("bob")
        yield running


def start(db: Connection, ada: Actor) -> Repository:
    repo = create(db, ada, "model", "model")
    files: list[Change] = [Put("a.txt", b"1\n2\n3\n"), Put("sub/b.txt", b"b\n"), Put("c.txt", b"c\n")]
    commit(db, repo, ada, files, Message("start"))
    return repo


def offer(db: Connection, repo: Repository, who: Actor, *changes: Change) -> Discussion:
    pull = open_pull(db, repo, who, Message("Better"), MAIN)
    commit_to(db, repo, who, changes, Message("Better"), branch=pull.branch)
    return pull


def content(db: Connection, repo: Repository, path: str, at: str = MAIN) -> bytes:
    return read_text(db, find_entry(db, find_revision(db, repo, at), path))


def test_merge_joins_what_both_did(hub: RunningHub) -> None:
    """Changes of the pull request are added to what happened on the branch since; history says who offered them."""
    ada, bob = hub.actor("ada"), hub.actor("bob")
    with hub.hub.database.write() as db:
        repo = start(db, ada)
        pull = offer(db, repo, bob, Put("sub/new.txt", b"new\n"), Delete("c.txt"))
        commit(db, repo, ada, [Put("a.txt", b"changed\n")], Message("meanwhile"))
        assert list_conflicts(db, repo, pull) == []
        made = merge_pull(db, repo, pull.number, ada)
        names = [entry.path for entry in list_files(db, find_revision(db, repo, MAIN))]
        assert names == [".gitattributes", "a.txt", "sub/b.txt", "sub/new.txt"]
        assert content(db, repo, "a.txt") == b"changed\n"
        found = find_discussion(db, repo, pull.number)
        assert (found.status, found.merged) == ("merged", made.oid)
        step = list_steps(db, repo, made.oid, 1)[0]
        assert step.title == f"Better (#{pull.number})"
        assert "bob" in step.description
        assert [event.kind for event in list_events(db, repo, pull.number)] == ["comment", "commit", "status-change"]
        with pytest.raises(Conflict):
            merge_pull(db, repo, pull.number, ada)


def test_conflicts_are_listed_and_refused(hub: RunningHub) -> None:
    """Files that both sides changed differently are named, and nothing is merged."""
    ada, bob = hub.actor("ada"), hub.actor("bob")
    with hub.hub.database.write() as db:
        repo = start(db, ada)
        pull = offer(db, repo, bob, Put("a.txt", b"bob\n"), Delete("sub/b.txt"), Put("c.txt", b"same\n"))
        commit(
            db, repo, ada, [Put("a.txt", b"ada\n"), Put("sub/b.txt", b"x\n"), Put("c.txt", b"same\n")], Message("mine")
        )
        assert list_conflicts(db, repo, pull) == ["a.txt", "sub/b.txt"]
        with pytest.raises(Conflict, match=r"a\.txt, sub/b\.txt"):
            merge_pull(db, repo, pull.number, ada)
        assert content(db, repo, "a.txt") == b"ada\n"


def test_only_its_author_adds_to_it(hub: RunningHub) -> None:
    """Strangers cannot add to somebody's pull request, and nobody to a closed one."""
    ada, bob = hub.actor("ada"), hub.actor("bob")
    hub.person("eve")
    with hub.hub.database.write() as db:
        repo = start(db, ada)
        pull = offer(db, repo, bob, Put("x", b"x"))
        require(db, hub.actor("eve"), Action.DISCUSS, repo.scope)
        with pytest.raises(Forbidden):
            require_commit(db, repo, pull.number, hub.actor("eve"))
        require_commit(db, repo, pull.number, ada)
        change_status(db, repo, pull.number, bob, "closed")
        with pytest.raises(Conflict):
            require_commit(db, repo, pull.number, bob)
        with pytest.raises(InputError):
            open_pull(db, repo, bob, Message("x"), "refs/pr/1")


def test_squash_keeps_files_and_drops_history(hub: RunningHub) -> None:
    """After a squash the branch has one commit of the same files; the old commits are still there by id."""
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        repo = start(db, ada)
        before = find_revision(db, repo, MAIN)
        made = squash(db, repo, ada, MAIN, Message("all"))
        assert made.tree == before.tree
        assert [step.title for step in list_steps(db, repo, made.oid, 10)] == ["all"]
        assert [step.title for step in list_steps(db, repo, before.oid, 10)] == ["start", "initial commit"]
        assert len(list_steps(db, repo, before.oid, 1)) == 1


def test_difference_names_kinds_and_lines(hub: RunningHub) -> None:
    """Added, removed, changed and renamed files are told apart; lines are shown only to whom the files may be."""
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        repo = start(db, ada)
        old = find_revision(db, repo, MAIN)
        changes = [
            Put("a.txt", b"1\ntwo\n3\n"), Delete("c.txt"), Put("moved/c.txt", b"c\n"), Delete("sub"), Put("z", b"\0")
        ]  # fmt: skip
        new = commit(db, repo, ada, changes, Message("much"))
        found = compare(db, old.tree, new.tree)
        assert [(change.kind, change.path) for change in found.changes] == [
            ("changed", "a.txt"),
            ("renamed", "moved/c.txt"),
            ("removed", "sub/b.txt"),
            ("added", "z"),
        ]
        text = write_diff(db, found, lambda change: True)
        assert "-2\n+two\n" in text
        assert "rename from c.txt\nrename to moved/c.txt\n" in text
        assert "Binary files /dev/null and b/z differ" in text
        hidden = write_diff(db, found, lambda change: False)
        assert "two" not in hidden
        assert "a/a.txt b/a.txt" in hidden
