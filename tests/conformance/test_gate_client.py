"""Gates with the ecosystem's own client, unmodified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hubs import RunningHub, serve_test_hub

hf = pytest.importorskip("huggingface_hub")
errors = pytest.importorskip("huggingface_hub.errors")
httpx = pytest.importorskip("httpx")

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:huggingface_hub"),
    pytest.mark.filterwarnings("ignore:Use .content=:DeprecationWarning"),
]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with serve_test_hub(tmp_path) as running:
        yield running


def test_gated_repository(hub: RunningHub, tmp_path: Path) -> None:
    """Refused before, served after, refused after it was taken back; with the client's own calls and errors."""
    owner = hf.HfApi(endpoint=hub.url, token=hub.person("ada"))
    other = hf.HfApi(endpoint=hub.url, token=hub.person("bob"))
    owner.create_repo("ada/m")
    owner.upload_file(path_or_fileobj=b'{"a": 1}', path_in_repo="config.json", repo_id="ada/m")
    with pytest.raises(errors.BadRequestError, match="does not have to be asked for"):
        owner.accept_access_request("ada/m", user="bob")
    owner.update_repo_settings("ada/m", gated="manual")

    def fetch(number: int) -> str:
        return Path(other.hf_hub_download("ada/m", "config.json", cache_dir=tmp_path / str(number))).read_text()

    with pytest.raises(errors.GatedRepoError):
        fetch(1)
    assert other.model_info("ada/m").gated == "manual"  # what it is stays visible
    with pytest.raises(errors.HfHubHTTPError, match="you may not review"):
        list(other.list_pending_access_requests("ada/m"))
    asked = httpx.post(
        f"{hub.url}/ada/m/ask-access", json={}, headers={"Authorization": f"Bearer {hub.person('bob')}"}, timeout=30
    )
    assert asked.json() == {"status": "pending"}
    pending = list(owner.list_pending_access_requests("ada/m"))
    assert [(item.username, item.email, item.status) for item in pending] == [("bob", "bob@example.org", "pending")]
    owner.accept_access_request("ada/m", user="bob")
    assert fetch(2) == '{"a": 1}'
    with pytest.raises(errors.HfHubHTTPError, match="accepted already"):
        owner.accept_access_request("ada/m", user="bob")
    owner.cancel_access_request("ada/m", user="bob")
    with pytest.raises(errors.GatedRepoError):
        fetch(3)
    owner.reject_access_request("ada/m", request_id=pending[0].request_id, rejection_reason="no")
    assert [item.username for item in owner.list_rejected_access_requests("ada/m")] == ["bob"]
    owner.grant_access("ada/m", user="bob")
    assert [item.username for item in owner.list_accepted_access_requests("ada/m")] == ["bob"]
    assert fetch(4) == '{"a": 1}'
    with pytest.raises(errors.BadRequestError, match="has access"):
        owner.grant_access("ada/m", user="bob")
    with pytest.raises(errors.HfHubHTTPError, match="there is no user"):
        owner.grant_access("ada/m", user="nobody-there")
