"""What is told of each thing that happens, as the ecosystem's own receiver reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import delete, select

from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.change.duplicate import Copy, duplicate
from hallmarked.hub.change.history import squash
from hallmarked.hub.community.discussion import (
    Opening,
    add_comment,
    change_status,
    edit_comment,
    hide_comment,
    open_discussion,
    rename,
)
from hallmarked.hub.community.pull import merge_pull
from hallmarked.hub.outbound.announcement import with_addresses
from hallmarked.hub.outbound.client import Rules
from hallmarked.hub.outbound.webhook import Wish, create_webhook
from hallmarked.hub.repository.repository import (
    MAIN,
    Repository,
    change_settings,
    delete_repository,
    find_repository,
    move_repository,
    restore_repository,
)
from hallmarked.hub.repository.revision import create_ref, delete_ref, find_revision
from hallmarked.hub.schema.webhook import webhook_delivery
from hallmarked.hub.setting import Policy
from tests.hubs import RunningHub

payload = pytest.importorskip("huggingface_hub").WebhookPayload
URL = "https://hooks.example/x"


@dataclass
class Told:
    """Somebody who hears what happens to what ada has."""

    running: RunningHub

    @property
    def repo(self) -> Repository:
        with self.running.hub.database.read() as db:
            return find_repository(db, "model", "ada/tiny")

    def news(self) -> list[dict[str, Any]]:
        """Return what has to be told since the last call, each a message that the client's own class accepts."""
        with self.running.hub.database.write() as db:
            table = webhook_delivery
            rows = db.execute(select(table.c.payload).order_by(table.c.created, table.c.id)).scalars().all()
            db.execute(delete(table))
        told = [with_addresses(row, "https://hub.example") for row in rows]
        for each in told:
            payload.model_validate(each)
        return told


@pytest.fixture
def told(hub: RunningHub) -> Told:
    watched, ada = [{"type": "user", "name": "Ada"}], hub.actor("ada")
    with hub.hub.database.write() as db:
        create_webhook(db, ada, Wish(URL, watched), Rules())
        create(db, ada, "model", "tiny")
    return Told(hub)


def events(news: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["event"]["action"], each["event"]["scope"]) for each in news]


def test_a_life_of_a_repository(told: Told) -> None:
    """Made, changed, moved, deleted and restored; who watches by the old name hears where it went."""
    hub, ada = told.running.hub, told.running.actor("ada")
    made = told.news()
    assert events(made) == [("create", "repo"), ("update", "repo.content")]
    assert made[0]["repo"]["url"] == {
        "web": "https://hub.example/ada/tiny",
        "api": "https://hub.example/api/models/ada/tiny",
    }
    repo = told.repo
    with hub.database.write() as db:
        change_settings(db, repo.id, visibility="private", gate="manual", by=ada)
        change_settings(db, repo.id, visibility="private", by=ada)  # nothing changes
    (changed,) = told.news()
    assert (changed["event"]["scope"], changed["updatedConfig"], changed["repo"]["private"]) == (
        "repo.config",
        {"private": True},
        True,
    )
    repo = told.repo
    with hub.database.write() as db:
        move_repository(db, ada, repo, "ada/small")
    (went,) = told.news()
    assert (went["event"]["action"], went["repo"]["name"], went["movedTo"]["name"]) == ("move", "ada/tiny", "ada/small")
    with hub.database.write() as db:
        delete_repository(db, repo.id, by=ada)
        restore_repository(db, repo.id, by=ada)
        duplicate(db, ada, find_repository(db, "model", "ada/small"), Copy("again"), Policy())
    assert events(told.news())[:3] == [("delete", "repo"), ("create", "repo"), ("create", "repo")]


def test_moves_to_somebody_else_are_told_on_both_sides(told: Told) -> None:
    """Who watches the old owner and who watches the new one both hear of it, once each."""
    hub, bob = told.running.hub, told.running.actor("bob")
    with hub.database.write() as db:
        watched = [{"type": "user", "name": "bob"}, {"type": "model", "name": "ada/tiny"}]
        create_webhook(db, bob, Wish(URL, watched), Rules())
    told.news()
    told.running.person("root", administrator=True)
    root = told.running.actor("root")
    with hub.database.write() as db:
        move_repository(db, root, find_repository(db, "model", "ada/tiny"), "bob/tiny")
    assert [(each["movedTo"]["name"], each["repo"]["owner"]["id"]) for each in told.news()] == [
        ("bob/tiny", bob.account_id)
    ] * 2


def test_branches_tags_and_squashes(told: Told) -> None:
    """Each name that leads elsewhere is told with where it led before."""
    hub, ada, repo = told.running.hub, told.running.actor("ada"), told.repo
    told.news()
    with hub.database.write() as db:
        old = find_revision(db, repo, MAIN).oid
        create_ref(db, repo, "refs/heads/dev", old)
        delete_ref(db, repo, "refs/heads/dev")
        new = squash(db, repo, ada, MAIN, Message("one")).oid
    assert [each["updatedRefs"][0] for each in told.news()] == [
        {"ref": "refs/heads/dev", "oldSha": None, "newSha": old},
        {"ref": "refs/heads/dev", "oldSha": old, "newSha": None},
        {"ref": MAIN, "oldSha": old, "newSha": new},
    ]


def test_a_discussion(told: Told) -> None:
    """Opened, answered, edited, hidden, renamed and closed; what was hidden is not repeated."""
    hub, ada, repo = told.running.hub, told.running.actor("ada"), told.repo
    told.news()
    with hub.database.write() as db:
        number = open_discussion(db, repo, ada, Opening("A title", "First words")).number
        comment = add_comment(db, repo, number, ada, "An answer")
        edit_comment(db, repo, number, comment.id, ada, "Another")
        hide_comment(db, repo, number, comment.id, ada)
        rename(db, repo, number, ada, "New title")
        change_status(db, repo, number, ada, "closed")
    news = told.news()
    assert events(news) == [
        ("create", "discussion"),
        ("create", "discussion.comment"),
        ("update", "discussion.comment"),
        ("update", "discussion.comment"),
        ("update", "discussion"),
        ("update", "discussion"),
    ]
    assert news[0]["comment"]["content"] == "First words"
    assert news[0]["discussion"]["url"]["web"] == f"https://hub.example/ada/tiny/discussions/{number}"
    assert news[1]["comment"]["url"]["web"].endswith(f"/discussions/{number}#event-{comment.id}")
    assert [each["comment"].get("content") for each in news[1:4]] == ["An answer", "Another", None]
    assert news[3]["comment"]["hidden"] is True
    assert (news[4]["discussion"]["title"], news[5]["discussion"]["status"]) == ("New title", "closed")


def test_a_pull_request(told: Told) -> None:
    """Merging tells of the branch that moved and of the pull request with its commit."""
    hub, ada, repo = told.running.hub, told.running.actor("ada"), told.repo
    told.news()
    with hub.database.write() as db:
        pull = open_discussion(db, repo, ada, Opening("Offer", pull_request=True))
        commit(db, repo, ada, [Put("n.txt", b"x")], Message("add"), branch=pull.branch)
        made = merge_pull(db, repo, pull.number, ada)
    news = told.news()
    assert events(news) == [
        ("create", "discussion"),
        ("update", "repo.content"),
        ("update", "repo.content"),
        ("update", "discussion"),
    ]
    assert (news[0]["discussion"]["isPullRequest"], news[0]["discussion"]["status"]) == (True, "open")
    assert news[3]["discussion"]["status"] == "merged"
    assert news[3]["discussion"]["changes"] == {"base": MAIN, "mergeCommitId": made.oid}


def test_strangers_hear_nothing_private(told: Told) -> None:
    """Not of a private repository, nor that one was made private, nor of its end; who may see it hears all of that."""
    hub, ada, bob, repo = told.running.hub, told.running.actor("ada"), told.running.actor("bob"), told.repo
    told.news()
    with hub.database.write() as db:
        theirs = create_webhook(db, bob, Wish(URL, [{"type": "user", "name": "ada"}]), Rules()).id
        change_settings(db, repo.id, visibility="private")
        open_discussion(db, find_repository(db, "model", "ada/tiny"), ada, Opening("Secret"))
        delete_repository(db, repo.id)
    news = told.news()
    assert events(news) == [("update", "repo.config"), ("create", "discussion"), ("delete", "repo")]
    assert theirs not in {each["webhook"]["id"] for each in news}
