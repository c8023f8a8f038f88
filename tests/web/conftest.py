"""One hub for the tests of pages: made once, visited without a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from hallmarked.hub.repository.revision import Revision
from hallmarked.web import limit
from hallmarked.web.app import create_app
from tests.hubs import RunningHub, open_test_hub
from tests.web import example


@pytest.fixture(autouse=True)
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no minute end in the middle of a test: requests are counted anew with each."""
    monkeypatch.setattr(limit, "time", SimpleNamespace(monotonic=lambda: 1.0))


@dataclass
class Visit:
    """A hub and the revisions of its model."""

    running: RunningHub
    client: TestClient
    revisions: dict[str, Revision]

    sessions: dict[str, str] = field(default_factory=dict)

    def session(self, user: str) -> str:
        """Return the cookie of a browser in which somebody is signed in."""
        if user not in self.sessions:
            self.sessions[user] = example.sign_in(self.running, user)
        return self.sessions[user]

    def get(self, path: str, *, user: str = "", language: str = "en", document: bool = True) -> tuple[int, str]:
        """Return status and body of a page."""
        headers = {"Accept": "text/html" if document else "application/json", "Accept-Language": language}
        if user:
            headers["Cookie"] = f"hm_session={self.session(user)}"
        answer = self.client.get(path, headers=headers)
        return answer.status_code, answer.text


@pytest.fixture(scope="session")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    folder = tmp_path_factory.mktemp("hub")
    with open_test_hub(folder) as running:
        revisions = example.fill(running)
        with TestClient(create_app(running.hub), base_url="http://127.0.0.1") as client:
            yield Visit(running, client, revisions)
