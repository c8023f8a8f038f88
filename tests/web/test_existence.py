"""Nothing tells that a private repository exists or what it is called; a token tells of its own ones only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from hallmarked.hub.account.token import create_token
from hallmarked.hub.change.creation import create
from hallmarked.hub.repository.repository import move_repository
from hallmarked.web.app import create_app
from tests.hubs import RunningHub, open_test_hub


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as opened:
        yield opened


@pytest.fixture
def client(running: RunningHub) -> Iterator[TestClient]:
    with TestClient(create_app(running.hub), base_url="http://localhost") as made:
        yield made


def bearer(running: RunningHub, name: str, **options: object) -> dict[str, str]:
    """Return the header with a new token of somebody."""
    who = running.actor(name).account_id or ""
    with running.hub.database.write() as db:
        text = create_token(db, who, "one", **options)  # type: ignore[arg-type]
    return {"Authorization": f"Bearer {text}"}


def test_a_refusal_names_nothing_that_was_not_asked_for(running: RunningHub, client: TestClient) -> None:
    """Whoever asks by a former name, or in other letters, reads the same sentence as about what never was."""
    ada, eve = running.actor("ada"), running.actor("eve")
    with running.hub.database.write() as db:
        repo = create(db, ada, "model", "plan", visibility="private")
        move_repository(db, ada, repo, "ada/Merger")
    for headers in ({}, bearer(running, eve.name)):
        for accept in ("text/html", "application/json"):
            told = set()
            for name in ("plan", "mERGEr", "nothing"):
                answer = client.get(f"/ada/{name}", headers={**headers, "Accept": accept})
                assert "ada/Merger" not in answer.text
                told.add(answer.text.replace(answer.headers["x-request-id"], "").replace(name, ""))
            assert len(told) == 1


def test_a_token_for_some_repositories_lists_no_others(running: RunningHub, client: TestClient) -> None:
    """Lists, the room repositories take, messages and webhooks say nothing of what a token is not for."""
    ada = running.actor("ada")
    with running.hub.database.write() as db:
        only = create(db, ada, "model", "mine", visibility="private")
        create(db, ada, "model", "other", visibility="private")
    narrow = bearer(running, "ada", repositories=[only.id])
    for address in ("/api/models?full=true", "/api/settings/repositories", "/models.json", "/ada.json"):
        answer = client.get(address, headers=narrow)
        assert answer.status_code == 200
        assert "ada/mine" in answer.text
        assert "ada/other" not in answer.text
    for address in ("notices", "access-requests", "tokens", "sessions"):
        assert client.get(f"/api/hallmarked/{address}", headers=narrow).status_code == 403
    assert client.get("/api/settings/webhooks", headers=narrow).status_code == 403


def test_the_secret_of_a_webhook_is_told_to_who_may_change_it(running: RunningHub, client: TestClient) -> None:
    """With a token that only reads nobody learns what messages are signed with."""
    writes, reads = bearer(running, "ada"), bearer(running, "ada", scope="read")
    body = {"url": "https://hooks.example/", "watched": [], "secret": "of ada"}
    made = client.post("/api/settings/webhooks", headers=writes, json=body).json()["webhook"]
    for headers, told in ((writes, "of ada"), (reads, None)):
        assert client.get("/api/settings/webhooks", headers=headers).json()[0]["secret"] == told
        one = client.get(f"/api/settings/webhooks/{made['id']}", headers=headers).json()
        assert one["webhook"]["secret"] == told
