"""The thread that tells programs elsewhere: a receiver gets signed messages, again after it failed, not for ever."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from sqlalchemy import select, update

from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.job import delivery as module
from hallmarked.hub.job.delivery import delivering
from hallmarked.hub.outbound.client import rules_of
from hallmarked.hub.outbound.webhook import Wish, create_webhook, find_webhook
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.schema.webhook import webhook, webhook_delivery
from hallmarked.hub.setting import Outbound, Settings, Storage
from tests.hub.outbound.test_client import answer, server
from tests.hubs import RunningHub, open_test_hub

pytestmark = pytest.mark.enable_socket
OFTEN = 0.05
"""Seconds between two looks, so that a test need not wait."""


class Receiver:
    """A program that is told things, and answers as it is told to."""

    def __init__(self) -> None:
        self.status, self.port = 200, 0
        self.got: list[tuple[dict[str, str], bytes]] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.got.append((headers, handler.rfile.read(int(headers["content-length"]))))
        answer(handler, self.status)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()
    with server(told) as port:
        told.port = port
        yield told


@pytest.fixture
def running(tmp_path: Path, receiver: Receiver) -> Iterator[RunningHub]:
    allowed = Outbound(hosts=(f"127.0.0.1:{receiver.port}",))
    with open_test_hub(tmp_path, Settings(storage=Storage(data=str(tmp_path / "data")), outbound=allowed)) as hub:
        ada = hub.actor("ada")
        with hub.hub.database.write() as db:
            create(db, ada, "model", "tiny")
            wish = Wish(f"http://127.0.0.1:{receiver.port}/hook", [{"type": "user", "name": "ada"}], None, "s3cret")
            create_webhook(db, ada, wish, rules_of(allowed))
        yield hub


def push(running: RunningHub, text: str) -> None:
    ada = running.actor("ada")
    with running.hub.database.write() as db:
        repo = find_repository(db, "model", "ada/tiny")
        commit(db, repo, ada, [Put("n.txt", text.encode())], Message(text))


def wait_until(running: RunningHub, done: Callable[[list[tuple[str, int]]], bool]) -> None:
    """Wait until the states and attempts of all messages are as they should be."""
    for _ in range(400):
        with running.hub.database.read() as db:
            table = webhook_delivery.c
            seen = db.execute(select(table.state, table.attempts, table.answer)).all()
        rows = [(row.state, row.attempts if row.answer else 0) for row in seen]  # an attempt counts when it has ended
        if done(rows):
            return
        threading.Event().wait(OFTEN)
    raise AssertionError(rows)


def hurry(running: RunningHub) -> None:
    """Let what waits for another attempt be due now."""
    with running.hub.database.write() as db:
        db.execute(update(webhook_delivery).where(webhook_delivery.c.state == "waiting").values(due=0))


def test_a_message_arrives_signed(running: RunningHub, receiver: Receiver) -> None:
    """What happens while the thread runs reaches the receiver, signed with the webhook's secret."""
    with delivering(running.hub, OFTEN):
        push(running, "x")
        wait_until(running, lambda rows: rows == [("done", 1)])
    ((headers, body),) = receiver.got
    assert headers["x-webhook-signature"] == "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert json.loads(body)["repo"]["name"] == "ada/tiny"


def test_a_failure_is_tried_again_later_with_the_same_id(running: RunningHub, receiver: Receiver) -> None:
    """After an error the message waits; then it comes again, and its id tells that it is the same."""
    receiver.status = 503
    with delivering(running.hub, OFTEN):
        push(running, "x")
        wait_until(running, lambda rows: rows == [("waiting", 1)])
        receiver.status = 204
        assert len(receiver.got) == 1
        hurry(running)
        wait_until(running, lambda rows: rows == [("done", 2)])
    assert len({headers["x-webhook-delivery"] for headers, _ in receiver.got}) == 1
    assert receiver.got[0][1] == receiver.got[1][1]


def test_a_receiver_that_never_answers_is_given_up(running: RunningHub, receiver: Receiver) -> None:
    """After the last attempt a message fails for good; after many such messages the webhook is switched off."""
    receiver.status = 500
    with running.hub.database.write() as db:
        db.execute(update(webhook).values(failures=module.MOST_FAILURES - 1))
    most = len(module.DELAYS) + 1
    with delivering(running.hub, OFTEN):
        push(running, "x")
        for number in range(1, most):
            wait_until(running, lambda rows, number=number: rows == [("waiting", number)])  # type: ignore[misc]
            hurry(running)
        wait_until(running, lambda rows: rows == [("failed", most)])
    assert len(receiver.got) == most
    with running.hub.database.read() as db:
        (made,) = db.execute(select(webhook.c.id)).scalars()
        assert find_webhook(db, running.actor("ada"), made).disabled


def test_what_waited_while_nothing_ran_is_sent_afterwards(running: RunningHub, receiver: Receiver) -> None:
    """A message written down before a process ended is sent by the next one; leaving stops sending."""
    push(running, "before")
    with delivering(running.hub, OFTEN):
        wait_until(running, lambda rows: rows == [("done", 1)])
    push(running, "after")
    assert len(receiver.got) == 1
