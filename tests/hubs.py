"""Real hubs for tests: one in a folder, and one that answers on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from hallmarked.hub.access import Actor
from hallmarked.hub.account import create_account
from hallmarked.hub.hub import Hub, open_hub
from hallmarked.hub.setting import Settings, Storage
from hallmarked.hub.token import create_token
from hallmarked.web.app import create_app


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

    def actor(self, name: str) -> Actor:
        """Return somebody as the hub's functions know them."""
        self.person(name)
        return self.actors[name]


@contextlib.contextmanager
def open_test_hub(folder: Path, settings: Settings | None = None) -> Iterator[RunningHub]:
    """Open a hub in a folder."""
    with open_hub(settings or Settings(storage=Storage(data=str(folder / "data")))) as hub:
        yield RunningHub(hub)


@contextlib.contextmanager
def serve_test_hub(folder: Path, settings: Settings | None = None) -> Iterator[RunningHub]:
    """Open a hub in a folder and answer on a free port of this machine until the context is left."""
    with open_test_hub(folder, settings) as running, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(running.hub), log_level="warning", access_log=False)
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
