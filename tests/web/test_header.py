"""A browser may do nothing with a response, unless it is a page of ours."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from hallmarked.web.header import ALWAYS, BYTES_POLICY, PAGE_POLICY, HeaderMiddleware
from hallmarked.web.render import respond


def get(url: str) -> httpx.Response:
    app = Starlette(
        routes=[
            Route("/bytes", lambda request: PlainTextResponse("<script>alert(1)</script>")),
            Route("/page", lambda request: respond("<p>")),
        ]
    )
    with_headers = HeaderMiddleware(app)

    async def fetch() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(with_headers)) as client:
            return await client.get(url)

    return asyncio.run(fetch())


@pytest.mark.parametrize("path", ["/bytes", "/page", "/missing"])
def test_every_response_has_the_headers(path: str) -> None:
    """Sniffing, framing, foreign windows and sensors are off for everything, errors too."""
    answer = get(f"http://hub{path}")
    for name, value in ALWAYS.items():
        if name != "Content-Security-Policy":
            assert answer.headers[name] == value


def test_policy() -> None:
    """Uploaded bytes get a sandbox; our pages may use our own script and style sheet, and nothing else."""
    assert get("http://hub/bytes").headers["Content-Security-Policy"] == BYTES_POLICY
    assert "sandbox" in BYTES_POLICY
    policy = get("http://hub/page").headers["Content-Security-Policy"]
    assert policy == PAGE_POLICY
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "*" not in policy


def test_strict_transport() -> None:
    """A hub reached by https is remembered as such; one reached by http is not."""
    assert "Strict-Transport-Security" not in get("http://hub/page").headers
    assert "max-age=31536000" in get("https://hub/page").headers["Strict-Transport-Security"]
