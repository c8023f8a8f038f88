"""What those who run a hub ask it: is it alive, is it ready, what does it count."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from hallmarked.hub.log import JsonFormatter
from hallmarked.hub.setting import Server, Settings, Storage
from hallmarked.web.app import create_app
from tests.hubs import RunningHub, open_test_hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    folder = tmp_path_factory.mktemp("hub")
    settings = Settings(storage=Storage(data=str(folder / "data")), server=Server(metrics_token="a secret"))
    with open_test_hub(folder, settings) as running:
        yield running


@pytest.fixture
def client(hub: RunningHub) -> TestClient:
    return TestClient(create_app(hub.hub), base_url="http://localhost", client=("127.0.0.1", 5000))


def test_alive_and_ready(client: TestClient) -> None:
    """A hub that works says so."""
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").text == "ready\n"


def test_not_ready_when_the_database_is_gone(tmp_path: Path) -> None:
    """Without its database a hub is alive, not ready, and says why in a sentence."""
    with open_test_hub(tmp_path) as hub:
        client = TestClient(create_app(hub.hub), base_url="http://localhost", client=("127.0.0.1", 5000))
        _lose_database(hub, client)


def _lose_database(hub: RunningHub, client: TestClient) -> None:
    hub.hub.database.close()
    for path in Path(hub.hub.settings.data).glob("hub.sqlite3*"):
        path.unlink()
    Path(hub.hub.settings.data, "hub.sqlite3").mkdir()
    assert client.get("/health/live").status_code == 200
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.text.startswith("not ready: the database")


def test_requests_are_counted_by_route(client: TestClient) -> None:
    """Counters name routes, never what was asked for."""
    client.get("/api/models/ada/private-name%2F")
    client.get("/api/models/ada/private-name")
    client.get("/models?search=private-name")
    text = client.get("/metrics").text
    assert 'hallmarked_requests_total{method="GET",route="repository.info",status="401"} 2' in text
    assert 'hallmarked_requests_total{method="GET",route="listing.show_listing",status="200"} 1' in text
    assert "hallmarked_audits_waiting 0" in text
    assert "hallmarked_up 1" in text
    assert "private-name" not in text
    assert 'le="+Inf"' in text


@pytest.mark.parametrize(
    ("near", "headers", "status"),
    [
        (True, {}, 200),
        (True, {"X-Forwarded-For": "198.51.100.7"}, 403),
        (False, {}, 403),
        (False, {"Authorization": "Bearer wrong"}, 403),
        (False, {"Authorization": "Bearer a secret"}, 200),
    ],
)
def test_counters_are_not_for_everybody(hub: RunningHub, near: bool, headers: dict[str, str], status: int) -> None:
    """They are for this machine, not for what a proxy on it passes on, and for whoever has the token."""
    address = "127.0.0.1" if near else "203.0.113.9"
    client = TestClient(create_app(hub.hub), base_url="http://localhost", client=(address, 5000))
    assert client.get("/metrics", headers=headers).status_code == status


def test_each_request_has_an_id_and_a_line(client: TestClient) -> None:
    """The id in the answer is the one in the log; the line holds no name, address or token."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("hallmarked.request")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        answer = client.get("/api/models/ada/private-name?token=hm_secret")
    finally:
        logger.removeHandler(handler)
    line = json.loads(stream.getvalue())
    assert line["request"] == answer.headers["X-Request-Id"]
    assert (line["method"], line["status"]) == ("GET", 401)
    assert "private-name" not in stream.getvalue()
    assert "hm_secret" not in stream.getvalue()
