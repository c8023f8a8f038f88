"""Large files through a hub whose storage is elsewhere, full, or slow to be reached."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from hallmarked.hub.setting import Limit, Policy, Settings, Storage
from hallmarked.web import transfer
from tests.hubs import RunningHub, serve_test_hub

pytestmark = pytest.mark.enable_socket


def offer(hub: RunningHub, size: int, oid: str = "0" * 64) -> str:
    """Make a repository and return the address for a file of so many bytes."""
    headers = {"Authorization": f"Bearer {hub.person('ada')}"}
    httpx.post(f"{hub.url}/api/repos/create", json={"name": "m"}, headers=headers).raise_for_status()
    body = {"operation": "upload", "objects": [{"oid": oid, "size": size}]}
    answer = httpx.post(f"{hub.url}/ada/m.git/info/lfs/objects/batch", json=body, headers=headers)
    return str(answer.raise_for_status().json()["objects"][0]["actions"]["upload"]["href"])


def begin(href: str, size: int) -> socket.socket:
    """Send the head of an upload and a little of its body."""
    url = urlsplit(href)
    connection = socket.create_connection((url.hostname, url.port), timeout=20)
    head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {size}\r\n\r\n"
    connection.sendall(head.encode() + b"some of it")
    return connection


@pytest.mark.filterwarnings("ignore:Use .content=:DeprecationWarning")
def test_the_client_fetches_from_object_storage(tmp_path: Path, s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pushed file lies in the bucket, and the ecosystem's client follows the redirect with the hub's metadata."""
    hf = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    place = s3_url.format(prefix=secrets.token_hex(8))
    data = os.urandom(3_000_000)
    settings = Settings(storage=Storage(data=str(tmp_path / "data"), blobs=place), policy=Policy(while_checked="all"))
    with serve_test_hub(tmp_path, settings) as hub:
        api = hf.HfApi(endpoint=hub.url, token=hub.person("ada"))
        api.create_repo("ada/remote")
        made = api.upload_file(path_or_fileobj=data, path_in_repo="model.bin", repo_id="ada/remote")
        assert [(size, digest) for digest, size, _ in hub.hub.blobs.list()] == [
            (len(data), hashlib.sha256(data).hexdigest())
        ]
        for token in (hub.person("ada"), False):
            found = api.hf_hub_download("ada/remote", "model.bin", cache_dir=tmp_path / str(token), token=token)
            assert Path(found).read_bytes() == data
            assert made.oid in found
        answer = httpx.get(f"{hub.url}/ada/remote/resolve/main/model.bin")
        assert answer.status_code == 302
        assert answer.headers["x-linked-size"] == str(len(data))


def test_a_file_that_cannot_fit_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    """The answer comes although hardly anything of the body was sent, and says what is the matter."""
    size = 1 << 58
    settings = Settings(storage=Storage(data=str(tmp_path / "data")), limit=Limit(file_gib=1 << 30))
    with serve_test_hub(tmp_path, settings) as hub, begin(offer(hub, size), size) as connection:
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 507")
        assert b"storage is full, so nothing was kept" in answer
        assert os.listdir(hub.hub.settings.data / "blobs" / "incoming") == []


def test_a_sender_that_stalls_is_answered_and_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that sends nothing more does not hold a file open for ever."""
    monkeypatch.setattr(transfer, "USUAL", transfer.Pace(idle=0.3))
    with serve_test_hub(tmp_path) as hub, begin(offer(hub, 1_000_000), 1_000_000) as connection:
        answer = b"".join(iter(lambda: connection.recv(65536), b""))  # ends when the hub closes the connection
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"too slowly" in answer
        assert os.listdir(hub.hub.settings.data / "blobs" / "incoming") == []
