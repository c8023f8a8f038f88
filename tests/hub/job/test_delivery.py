"""Programs elsewhere are told what happens to repositories: signed, again when it fails, only what they may see."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from sqlalchemy import select, update

from hallmarked.core.errors import Forbidden, InputError, NotFound
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.job import delivery
from hallmarked.hub.job.delivery import deliver, deliver_due, pending
from hallmarked.hub.outbound.client import Rules, client, rules_of
from hallmarked.hub.outbound.webhook import (
    Wish,
    create_webhook,
    enable_webhook,
    find_webhook,
    list_webhooks,
)
from hallmarked.hub.repository.repository import change_settings, find_repository
from hallmarked.hub.schema.webhook import webhook, webhook_delivery
from hallmarked.hub.setting import Outbound, Settings, Storage
from tests.hub.outbound.test_client import answer, server, to
from tests.hubs import RunningHub, open_test_hub

pytestmark = pytest.mark.enable_socket
URL = "https://hooks.example/x"


class Receiver:
    """A program that is told things."""

    def __init__(self) -> None:
        self.status, self.got = 200, list[tuple[dict[str, str], bytes]]()
        self.port = 0

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.got.append((headers, handler.rfile.read(int(headers["content-length"]))))
        answer(handler, self.status, Location="http://127.0.0.1:1/") if self.status == 302 else answer(
            handler, self.status
        )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()
    with server(told) as port:
        told.port = port
        yield told


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def hub(tmp_path: Path, receiver: Receiver, request: pytest.FixtureRequest) -> Iterator[RunningHub]:
    allowed = Outbound(hosts=(f"hooks.internal:{receiver.port}",))
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    settings = Settings(storage=Storage(data=str(tmp_path / "data"), database=url), outbound=allowed)
    with open_test_hub(tmp_path, settings) as running:
        running.person("ada")
        running.person("bob")
        with running.hub.database.write() as db:
            create(db, running.actor("ada"), "model", "tiny")
        yield running


def make(hub: RunningHub, receiver: Receiver, person: str = "ada", **wish: object) -> str:
    url = f"http://hooks.internal:{receiver.port}/hook"
    watched = [{"type": "model", "name": "Ada/tiny"}]
    wanted = replace(Wish(url, watched, None, "s3cret"), **wish)  # type: ignore[arg-type]
    with hub.hub.database.write() as db:
        return create_webhook(db, hub.actor(person), wanted, rules_of(hub.hub.settings.outbound)).id


def push(hub: RunningHub, text: str = "x") -> str:
    with hub.hub.database.write() as db:
        repo = find_repository(db, "model", "ada/tiny")
        return commit(db, repo, hub.actor("ada"), [Put("n.txt", text.encode())], Message("a change")).oid


def deliver_all(hub: RunningHub) -> list[bool]:
    with hub.hub.database.read() as db:
        due = pending(db)
    with client(rules_of(hub.hub.settings.outbound), resolver=to("127.0.0.1")) as opened:
        return [deliver(hub.hub, opened, name) for name in due]


def states(hub: RunningHub) -> list[tuple[str, int]]:
    with hub.hub.database.read() as db:
        rows = db.execute(select(webhook_delivery).order_by(webhook_delivery.c.created, webhook_delivery.c.id))
        return [(row.state, row.attempts) for row in rows]


def hurry(hub: RunningHub) -> None:
    """Let what waits for another attempt be due now."""
    with hub.hub.database.write() as db:
        db.execute(update(webhook_delivery).values(due=0))


def test_a_commit_is_told_once_and_signed(hub: RunningHub, receiver: Receiver) -> None:
    """The message names the repository and its new commit; its signature is that of the secret over the very bytes."""
    make(hub, receiver)
    oid = push(hub)
    assert deliver_all(hub) == [True]
    assert deliver_all(hub) == []
    ((headers, body),) = receiver.got
    assert headers["x-webhook-signature"] == "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["x-webhook-secret"] == "s3cret"
    assert headers["host"] == f"hooks.internal:{receiver.port}"
    told = json.loads(body)
    assert told["event"] == {"action": "update", "scope": "repo.content"}
    assert (told["repo"]["type"], told["repo"]["name"], told["repo"]["private"]) == ("model", "ada/tiny", False)
    assert told["updatedRefs"][0]["ref"] == "refs/heads/main"
    assert told["updatedRefs"][0]["newSha"] == oid
    assert told["webhook"]["version"] == 3
    assert states(hub) == [("done", 1)]


def test_what_is_due_is_sent_and_old_messages_are_forgotten(hub: RunningHub, receiver: Receiver) -> None:
    """One call sends all that waits; what became of messages is kept for a while only."""
    make(hub, receiver)
    push(hub, "1")
    push(hub, "2")
    assert deliver_due(hub.hub, resolver=to("127.0.0.1")) == 2
    assert deliver_due(hub.hub, resolver=to("127.0.0.1")) == 0
    assert states(hub) == [("done", 1)] * 2
    with hub.hub.database.write() as db:
        db.execute(update(webhook_delivery).values(created=0))
    push(hub, "3")
    assert deliver_due(hub.hub, resolver=to("127.0.0.1")) == 1
    assert states(hub) == [("done", 1)]


def test_what_was_not_committed_is_not_told(hub: RunningHub, receiver: Receiver) -> None:
    """A message stands or falls with the act it tells of."""
    make(hub, receiver)
    with hub.hub.database.write() as db:
        commit(db, find_repository(db, "model", "ada/tiny"), hub.actor("ada"), [Put("n", b"1")], Message("never"))
        db.rollback()
    assert states(hub) == []


def test_failed_messages_are_sent_again_later_and_given_up_at_last(hub: RunningHub, receiver: Receiver) -> None:
    """Between attempts nothing is sent; a receiver that never answers is switched off in the end."""
    made = make(hub, receiver)
    push(hub)
    receiver.status = 500
    assert deliver_all(hub) == [False]
    assert deliver_all(hub) == []  # not due yet
    receiver.status = 200
    hurry(hub)
    assert deliver_all(hub) == [True]
    assert states(hub) == [("done", 2)]
    receiver.status = 302  # to another host: not followed
    push(hub, "y")
    with hub.hub.database.write() as db:
        db.execute(update(webhook).values(failures=delivery.MOST_FAILURES - 1))
    for _ in range(len(delivery.DELAYS) + 1):
        assert deliver_all(hub) == [False]
        hurry(hub)
    assert deliver_all(hub) == []
    assert sorted(states(hub)) == [("done", 2), ("failed", len(delivery.DELAYS) + 1)]
    with hub.hub.database.read() as db:
        assert find_webhook(db, hub.actor("ada"), made).disabled
    push(hub, "z")
    assert len(states(hub)) == 2


def test_a_crash_between_claim_and_answer_sends_again_later(
    hub: RunningHub, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies while it sends leaves a message that is due again after a pause."""
    make(hub, receiver)
    push(hub)
    monkeypatch.setattr(delivery, "_post", lambda *_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        deliver_all(hub)
    monkeypatch.undo()
    assert states(hub) == [("waiting", 1)]
    assert deliver_all(hub) == []
    hurry(hub)
    assert deliver_all(hub) == [True]


def test_nobody_is_told_of_what_they_may_not_see(hub: RunningHub, receiver: Receiver) -> None:
    """A stranger's webhook hears of public repositories only, also when one became private before it was sent."""
    make(hub, receiver, "bob", watched=[{"type": "user", "name": "ada"}])
    push(hub)
    with hub.hub.database.write() as db:
        change_settings(db, find_repository(db, "model", "ada/tiny").id, visibility="private")
    assert deliver_all(hub) == [False]
    assert states(hub) == [("dropped", 0)]
    push(hub, "y")
    assert states(hub) == [("dropped", 0)]
    assert receiver.got == []


@pytest.mark.parametrize(
    ("wish", "count"),
    [
        ({"watched": [{"type": "user", "name": "ada"}]}, 1),
        ({"watched": [{"type": "org", "name": "ada"}, {"type": "model", "name": "ada/tiny"}]}, 1),
        ({"watched": [{"type": "dataset", "name": "ada/tiny"}]}, 0),
        ({"watched": [{"type": "user", "name": "bob"}]}, 0),
        ({"watched": []}, 0),
        ({"domains": ["discussion"]}, 0),
    ],
    ids=range(6),
)
def test_only_what_is_watched_is_told(hub: RunningHub, receiver: Receiver, wish: dict[str, object], count: int) -> None:
    """Owners, repositories and domains are matched; nothing is told twice."""
    make(hub, receiver, **wish)
    push(hub)
    assert len(states(hub)) == count


def test_webhooks_belong_to_one_account(hub: RunningHub, receiver: Receiver) -> None:
    """Others neither see nor change them; a disabled one is told nothing."""
    made = make(hub, receiver)
    with hub.hub.database.write() as db:
        assert list_webhooks(db, hub.actor("bob")) == []
        with pytest.raises(NotFound):
            enable_webhook(db, hub.actor("bob"), made, enabled=False)
        enable_webhook(db, hub.actor("ada"), made, enabled=False)
    push(hub)
    assert states(hub) == []


@pytest.mark.parametrize(
    "wish",
    [
        Wish(None, []),
        Wish("http://hooks.example/"),
        Wish("https://hooks.example:8443/"),
        Wish("https://u:p@hooks.example/"),
        Wish("https://2130706433/"),
        Wish(URL, [{"type": "model", "name": "tiny"}]),
        Wish(URL, [{"type": "planet", "name": "x"}]),
        Wish(URL, [{"type": "user", "name": "a/b"}]),
        Wish(URL, [{"type": "user", "name": 3}]),
        Wish(URL, [{"type": "user", "name": "a"}] * 101),
        Wish(URL, [], ["repo", "planet"]),
        Wish(URL, [], []),
        Wish(URL, [], None, "x" * 257),
        Wish(URL, [], None, "line\nbreak"),
    ],
    ids=range(14),
)
def test_what_cannot_be_a_webhook_is_refused(hub: RunningHub, wish: Wish) -> None:
    """Addresses that must not be reached, odd names and lists that are too long."""
    with hub.hub.database.write() as db, pytest.raises((InputError, Forbidden)):
        create_webhook(db, hub.actor("ada"), wish, Rules())


def test_an_address_that_leads_inside_is_refused_when_it_is_sent(hub: RunningHub) -> None:
    """A public name that points to this machine by the time of sending gets nothing."""
    with hub.hub.database.write() as db:
        create_webhook(db, hub.actor("ada"), Wish(URL, [{"type": "user", "name": "ada"}]), Rules())
    push(hub)
    assert deliver_all(hub) == [False]
    with hub.hub.database.read() as db:
        assert "which is this machine" in db.execute(select(webhook_delivery.c.answer)).scalar_one()


def test_settings_say_where_requests_may_go() -> None:
    """Ports, plain http and internal hosts are read from the settings; what is none of them is refused."""
    found = rules_of(Outbound(ports=("443", "8443"), plain=True, hosts=("Forge.internal", "[::1]:8000", "10.0.0.1:80")))
    assert found.ports == {443, 8443}
    assert found.schemes == {"http", "https"}
    assert found.internal == {"forge.internal", "::1:8000", "10.0.0.1:80"}
    for bad in (
        Outbound(ports=("x",)),
        Outbound(ports=("0",)),
        Outbound(hosts=("a:b",)),
        Outbound(hosts=("http://a",)),
    ):
        with pytest.raises(InputError):
            rules_of(bad)
    assert sum(delivery.DELAYS, timedelta()) > timedelta(days=1)
