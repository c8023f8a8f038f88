"""Lists of repositories: what one repository says of itself cannot break the list for everybody."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.web.app import create_app
from tests.hubs import open_test_hub

CONFIGS = [
    b'{"model_type": NaN}',
    b'{"auto_map": {"a": [1e999, -1e999]}}',
    b'{"architectures": ["\\ud800"]}',
    b'{"auto_map": {"\\udc00": "a\\u0000b"}}',
    b'{"model_type": "' + b"x" * 100_000 + b'"}',
]
CARDS = ['license: "\\uD800"', 'tags: ["a\\0b", "\\uDC00"]', '"\\uD800": 1', "pretty_name: [.nan, .inf, {a: .nan}]"]


def test_one_repository_cannot_break_the_list(tmp_path: Path) -> None:
    """Numbers and texts that JSON cannot say, in a configuration or a card, are left out or written in another way."""
    with open_test_hub(tmp_path) as running, TestClient(create_app(running.hub), base_url="http://localhost") as client:
        ada = running.actor("ada")
        with running.hub.database.write() as db:
            for number, data in enumerate(CONFIGS):
                repo = create(db, ada, "model", f"config-{number}")
                commit(db, repo, ada, [Put("config.json", data)], Message("add"))
            for number, text in enumerate(CARDS):
                repo = create(db, ada, "model", f"card-{number}")
                commit(db, repo, ada, [Put("README.md", f"---\n{text}\n---\n".encode())], Message("add"))
        answer = client.get("/api/models", params={"full": True, "config": True, "cardData": True})
        assert answer.status_code == 200
        assert len(answer.json()) == len(CONFIGS) + len(CARDS)
        assert len(answer.content) < 50_000
        for item in answer.json():
            assert client.get(f"/api/models/{item['id']}").status_code == 200
            assert client.get(f"/{item['id']}", headers={"Accept": "text/html"}).status_code == 200
            assert client.get(f"/{item['id']}.json").status_code == 200
