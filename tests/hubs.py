"""Real hubs for tests: one in a folder, and one that answers on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from hallmarked.hub.access import Actor
from hallmarked.hub.account.account import create_account
from hallmarked.hub.account.session import begin_session
from hallmarked.hub.account.token import create_token
from hallmarked.hub.hub import Hub, open_hub
from hallmarked.hub.job.audit import audit_revision
from hallmarked.hub.job.queue import auditing
from hallmarked.hub.job.waiting import count_waiting, list_new
from hallmarked.hub.setting import Settings, Storage
from hallmarked.web.app import create_app
from hallmarked.web.session import HEADER, SESSION, form_token


@dataclass
class RunningHub:
    """A hub with people in it."""

    hub: Hub
    url: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)

    def person(self, name: str, **options: bool) -> str:
        """Make an account, once, and return a token of it."""
        if name not in self.tokens:
            with self.hub.database.write() as db:
                made = create_account(db, name, email=f"{name}@example.org", **options)
                self.tokens[name] = create_token(db, made.id, "test")
                self.actors[name] = Actor(made.id, name, made.administrator)
        return self.tokens[name]

    def browser(self, name: str) -> dict[str, str]:
        """Sign somebody in, and return the headers with which their browser changes things."""
        who = self.actor(name).account_id
        assert who is not None
        with self.hub.database.write() as db:
            cookie = begin_session(db, who)
        return {"Cookie": f"{SESSION}={cookie}", HEADER: form_token(self.hub.secret, cookie)}

    def actor(self, name: str) -> Actor:
        """Return somebody as the hub's functions know them."""
        self.person(name)
        return self.actors[name]

    def audit_all(self) -> None:
        """Audit whatever waits, here and now."""
        while True:
            with self.hub.database.read() as db:
                waiting = list_new(db, 100)
            if not waiting:
                return
            for item in waiting:
                audit_revision(self.hub, item.task)

    def await_audits(self) -> None:
        """Wait until every revision is audited; some other thread or process does it."""
        for _ in range(600):
            with self.hub.database.read() as db:
                if not count_waiting(db):
                    return
            threading.Event().wait(0.2)
        raise AssertionError("the audits do not come to an end")


@contextlib.contextmanager
def open_test_hub(folder: Path, settings: Settings | None = None) -> Iterator[RunningHub]:
    """Open a hub in a folder; unless the settings say otherwise it answers to any name."""
    chosen = settings or Settings(storage=Storage(data=str(folder / "data")))
    named = replace(chosen.server, hosts=chosen.server.hosts or ("*",))
    with open_hub(replace(chosen, server=named)) as hub:
        yield RunningHub(hub)


@contextlib.contextmanager
def serve_test_hub(
    folder: Path,
    settings: Settings | None = None,
    *,
    audits: bool = False,
    wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app,
) -> Iterator[RunningHub]:
    """Open a hub in a folder and answer on a free port of this machine until the context is left.

    With ``audits`` it audits what is pushed, in threads of this process: see :meth:`RunningHub.await_audits`.
    ``wrap`` puts something around the application.
    """
    with (
        open_test_hub(folder, settings) as running,
        auditing(running.hub) if audits else contextlib.nullcontext(),
        socket.socket() as listener,
    ):
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(wrap(create_app(running.hub)), log_level="warning", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            threading.Event().wait(0.01)
        running.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            yield running
        finally:
            server.should_exit = True
            thread.join()
