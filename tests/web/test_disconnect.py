"""A client that goes away in the middle of its request leaves one line in the log, and nothing behind."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from starlette.types import Message

from hallmarked.hub.change.creation import create
from hallmarked.web.app import create_app
from tests.hubs import open_test_hub

HEADER = b'{"key": "header", "value": {"summary": "half", "description": ""}}\n'


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/api/models/ada/m/commit/main", HEADER),
        ("/api/models/ada/m/preupload/main", b'{"files": ['),
        ("/api/repos/create", b'{"name": "half"'),
        ("/ada/m.git/git-upload-pack", b"0032want "),
        ("/ada/m.git/info/lfs/objects/batch", b'{"operation": "upload"'),
    ],
)
def test_a_client_that_goes_away(tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str, part: bytes) -> None:
    """The log has one line about it, without a traceback, and nothing was committed or made."""
    caplog.set_level(logging.INFO)
    with open_test_hub(tmp_path) as running:
        running.person("ada")
        with running.hub.database.write() as db:
            create(db, running.actor("ada"), "model", "m")
        app = create_app(running.hub)
        waiting: list[Message] = [
            {"type": "http.request", "body": part, "more_body": True},
            {"type": "http.disconnect"},
        ]

        async def receive() -> Message:
            return waiting.pop(0)

        async def send(_message: Message) -> None:
            pass

        scope = {
            "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {running.tokens['ada']}".encode())],
            "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 9), "http_version": "1.1",
        }  # fmt: skip
        asyncio.run(app(scope, receive, send))
    lines = [record for record in caplog.records if record.name.startswith(("hallmarked", "uvicorn"))]
    assert [(line.name, line.exc_info) for line in lines] == [("hallmarked.request", None)]
    assert lines[0].__dict__["status"] == 400
