"""nginx, configured as the documentation says, in front of a hub: it sends the files that the hub allows."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from hallmarked.hub.setting import Policy, Server, Settings, Storage
from tests.hub.programs import Pusher, free_port, make_people
from tests.hubs import RunningHub, serve_test_hub

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx"),
]
DOCUMENT = Path(__file__).parents[2] / "docs" / "how-to" / "run-a-hub.md"


@pytest.fixture
def front(tmp_path: Path) -> Iterator[tuple[RunningHub, str]]:
    """A hub, and the address of the nginx before it."""
    port = free_port()
    settings = Settings(
        storage=Storage(data=str(tmp_path / "data"), blobs=str(tmp_path / "blobs")),
        server=Server(url=f"http://127.0.0.1:{port}", accelerate="/blobs/"),
        policy=replace(Policy(), while_checked="all"),
    )
    with serve_test_hub(tmp_path, settings) as running:
        found = re.search(r"```nginx\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
        assert found is not None
        text = re.sub(r"(?m)^ *ssl_certificate.*\n", "", found[1])
        for old, new in (
            ("listen 443 ssl;", f"listen 127.0.0.1:{port};"),
            ("127.0.0.1:8474", running.url.removeprefix("http://")),
            ("/srv/hallmarked-blobs/", f"{tmp_path}/blobs/"),
        ):
            assert old in text
            text = text.replace(old, new)
        user = "" if os.geteuid() else "user root;"  # else it may not enter the tests' folder
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{kind}_temp_path {tmp_path};" for kind in kinds)
        around = f"{user} daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error; events {{}}"
        whole = f"{around} http {{ access_log off; {places} {text} }}"
        (tmp_path / "nginx.conf").write_text(whole)
        with subprocess.Popen(["nginx", "-e", tmp_path / "error", "-c", tmp_path / "nginx.conf"]) as nginx:
            try:
                for _ in range(100):
                    time.sleep(0.1)
                    with contextlib.suppress(httpx.ConnectError):
                        if httpx.get(f"http://127.0.0.1:{port}/health/live").is_success:
                            break
                yield running, f"http://127.0.0.1:{port}"
            finally:
                nginx.terminate()


def test_files_go_by_nginx(front: tuple[RunningHub, str]) -> None:
    """Pushed and downloaded through it; whole, in ranges, with the hub's tag and headers; not past the hub."""
    running, url = front
    pusher = Pusher(url, "ada", make_people(running, ("ada",))["ada"], random.Random(1))
    for number in range(2):
        pusher.push(number)
    path = "/ada/m/resolve/main/0.bin"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {pusher.token}"}) as client:
        digest = client.get("/ada/m/resolve/main/0.txt").text
        head, got = client.head(path), client.get(path)
        assert hashlib.sha256(got.content).hexdigest() == digest
        assert head.headers["content-length"] == str(len(got.content))
        for name in ("etag", "x-repo-commit", "x-linked-etag", "content-security-policy", "x-content-type-options"):
            assert got.headers[name] == head.headers[name], name
        assert got.headers["accept-ranges"] == "bytes"
        part = client.get(path, headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, got.content[100:200])
        assert part.headers["content-range"] == f"bytes 100-199/{len(got.content)}"
        assert client.get(path, headers={"Range": "bytes=-7"}).content == got.content[-7:]
        assert client.get(path, headers={"Range": "bytes=9000000-"}).status_code == 416
        assert client.get(path, headers={"If-None-Match": got.headers["etag"]}).status_code == 304
        assert client.get(f"/blobs/{digest[:2]}/{digest[2:4]}/{digest}").status_code == 404
        assert client.get("/ada/m/resolve/main/absent.bin").status_code == 404
    with running.hub.database.write() as db:
        db.exec_driver_sql("UPDATE repository SET visibility = 'private'")
    assert httpx.get(url + path).status_code == 401
