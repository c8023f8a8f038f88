"""The ecosystem's own client managing webhooks on a hub."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from hallmarked.hub.account.token import create_token
from tests.hubs import serve_test_hub

hf = pytest.importorskip("huggingface_hub")
errors = pytest.importorskip("huggingface_hub.errors")

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:huggingface_hub"),
]


def test_webhooks_through_the_client(tmp_path: Path) -> None:
    """Make, list, show, change, switch off and on, and delete; others see none of it."""
    with serve_test_hub(tmp_path) as hub:
        api = hf.HfApi(endpoint=hub.url, token=hub.person("ada"))
        made = api.create_webhook(
            url="https://hooks.example/x",
            watched=[{"type": "user", "name": "ada"}, {"type": "model", "name": "ada/tiny"}],
            domains=["repo", "discussion"],
            secret="s3cret",
        )
        assert (made.url, made.secret, made.disabled, made.job) == ("https://hooks.example/x", "s3cret", False, None)
        assert [(item.type, item.name) for item in made.watched] == [("user", "ada"), ("model", "ada/tiny")]
        assert [item.id for item in api.list_webhooks()] == [made.id]
        assert api.get_webhook(made.id) == made
        changed = api.update_webhook(made.id, url="https://hooks.example/y", watched=[], domains=["repo"], secret="new")
        assert (changed.url, changed.watched, changed.domains, changed.secret) == (
            "https://hooks.example/y",
            [],
            ["repo"],
            "new",
        )
        assert api.disable_webhook(made.id).disabled
        assert not api.enable_webhook(made.id).disabled
        other = hf.HfApi(endpoint=hub.url, token=hub.person("bob"))
        assert other.list_webhooks() == []
        for call in (other.get_webhook, other.delete_webhook, other.disable_webhook):
            with pytest.raises(errors.HfHubHTTPError, match="you have no such webhook"):
                call(made.id)
        with pytest.raises(errors.HfHubHTTPError, match="not accepted here"):
            api.create_webhook(url="http://127.0.0.1/", watched=[])
        api.delete_webhook(made.id)
        assert api.list_webhooks() == []


def test_reading_tokens_and_nobody_change_nothing(tmp_path: Path) -> None:
    """A token that only reads lists webhooks and makes none; nobody does neither; nonsense is refused."""
    with serve_test_hub(tmp_path) as hub:
        hub.person("ada")
        with hub.hub.database.write() as db:
            reading = create_token(db, str(hub.actor("ada").account_id), "r", scope="read")
        with httpx.Client(base_url=hub.url, trust_env=False) as client:
            path, good = "/api/settings/webhooks", {"url": "https://hooks.example/", "watched": []}
            bearer = {"Authorization": f"Bearer {reading}"}
            assert client.get(path, headers=bearer).json() == []
            assert client.post(path, headers=bearer, json=good).status_code == 403
            assert client.get(path).status_code == 401
            assert client.post(path, json=good).status_code == 401
            writing = {"Authorization": f"Bearer {hub.tokens['ada']}"}
            for bad in ({}, {"jobSourceId": "x"}, {"url": 3}, {**good, "watched": "x"}, {**good, "domains": [1]}):
                assert client.post(path, headers=writing, json=bad).status_code == 400
