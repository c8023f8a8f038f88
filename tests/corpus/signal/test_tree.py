"""Snapshots in files, and with the rows of data sets."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from hallmarked.core.errors import FormatError
from hallmarked.corpus.signal.model import Decision
from hallmarked.corpus.signal.row import SignalColumns, host_of, read_sites, row_verdict
from hallmarked.corpus.signal.tree import evaluate_tree, parse_snapshot, read_snapshots
from tests.support import MemoryArtifact

WEB = {
    "free.example/robots.txt": "User-agent: *\nAllow: /\nContent-Usage: train-ai=y",
    "free.example/index.html": "<html><head></head><body>",
    "free.example/photo.jpg.c2pa.json": json.dumps(
        {"manifests": [{"assertions": [{"label": "c2pa.training-mining", "data": {"entries": {"x": {"use": "no"}}}}]}]}
    ),
    "free.example/private.html": '<meta name="robots" content="NOAI">',
    "free.example/song": "",
    "free.example/song.headers": "HTTP/1.1 200 OK\nX-Robots-Tag: noai",
    "free.example/text.txt": "words",
    "free.example/text.txt.licence": "CC-BY-NC-4.0",
    "gone.example/robots.txt.headers": "HTTP/1.1 404 Not Found",
    "gone.example/index.html": "",
    "down.example/robots.txt.headers": "HTTP/2 503",
    "down.example/robots.txt": "User-agent: *\nAllow: /",
    "down.example/index.html": "",
    "press.example/.well-known/tdmrep.json": '[{"location": "/news/", "tdm-reservation": 1}]',
    "press.example/ai.txt": "User-Agent: *\nDisallow: *.pdf",
    "press.example/news/today.html": "",
    "press.example/about.html": "",
    "press.example/report.pdf": "",
}
EXPECTED = {
    "https://free.example/index.html": "allowed",
    "https://free.example/photo.jpg": "denied",
    "https://free.example/private.html": "denied",
    "https://free.example/song": "denied",
    "https://free.example/text.txt": "unknown",
    "https://gone.example/index.html": "allowed",
    "https://down.example/index.html": "unknown",
    "https://press.example/news/today.html": "denied",
    "https://press.example/about.html": "allowed",
    "https://press.example/report.pdf": "denied",
}


def decisions(files: dict[str, str]) -> dict[str, str]:
    rows = json.loads(evaluate_tree(MemoryArtifact(files), {}, {}))
    return {row["url"]: row["decision"] for row in rows}


def test_web_tree() -> None:
    """A tree of sites as they were fetched gives the verdict of each page and file."""
    assert decisions(WEB) == EXPECTED


def test_pages_without_any_source() -> None:
    """A file about which nothing was looked for is unknown."""
    assert decisions({"x.example/data.bin": "1"}) == {"https://x.example/data.bin": "unknown"}


def test_media_that_cannot_be_read() -> None:
    """A file whose content credentials cannot be read is unknown."""
    assert decisions({"x.example/a.png": "no picture", "x.example/robots.txt": ""}) == {
        "https://x.example/a.png": "unknown"
    }


def test_lists() -> None:
    """Snapshots may come as JSON, one or many in a file."""
    sources = [
        {"kind": "robots.txt", "text": "User-agent: *\nAllow: /"},
        {"kind": "headers", "base64": base64.b64encode(b"X-Robots-Tag: noai").decode()},
    ]
    one = {"url": "https://a.example/", "sources": sources[:1]}
    two = {"url": "https://b.example/", "sources": sources, "media": "text"}
    assert decisions({"list.json": json.dumps([one, two])}) == {one["url"]: "allowed", two["url"]: "denied"}
    (snapshot,) = read_snapshots(MemoryArtifact({"one.json": json.dumps(two)}))
    assert snapshot == parse_snapshot(two)


@pytest.mark.parametrize(
    "written",
    [
        1,
        {},
        {"url": "x"},
        {"url": "x", "sources": [{"kind": "?", "text": ""}]},
        {"url": "x", "sources": [{"kind": "html"}]},
        {"url": "x", "sources": [{"kind": "html", "base64": "?"}]},
        {"url": "x", "sources": [{"kind": "html", "text": 1}]},
    ],
)
def test_lists_that_are_none(written: Any) -> None:
    """What is no snapshot is refused."""
    with pytest.raises(FormatError):
        parse_snapshot(written)
    with pytest.raises(FormatError):
        list(read_snapshots(MemoryArtifact({"a.json": json.dumps([written])})))


def test_rows() -> None:
    """Signals that are kept with a row count together with those of its site; a row without any has no verdict."""
    data = MemoryArtifact(
        {"signals/Press.example/robots.txt": "User-agent: *\nDisallow: /news", "signals/x": "", "a.csv": ""}
    )
    sites = read_sites(data)
    columns = SignalColumns()

    def of(row: dict[str, Any]) -> Decision | None:
        verdict = row_verdict(row, columns, sites)
        return None if verdict is None else verdict.decision

    assert of({"url": "https://press.example/news/1"}) is Decision.DENIED
    assert of({"url": "https://PRESS.example./about"}) is Decision.ALLOWED
    assert of({"url": "https://other.example/"}) is None
    assert of({"text": "x"}) is None
    for headers in (
        "X-Robots-Tag: noai",
        {"X-Robots-Tag": ["all", "noai"]},
        [("x-robots-tag", "noai")],
        b"x-robots-tag:noai",
    ):
        assert of({"url": "https://other.example/", "http_headers": headers}) is Decision.DENIED
    assert of({"licence": "CC0-1.0"}) is Decision.ALLOWED
    assert of({"url": None, "robots_txt": "User-agent: *\nDisallow: /"}) is Decision.DENIED
    assert columns.present(["text", "http_headers"])
    assert not columns.present(["text", "url", "licence"])
    assert host_of("http://[") == ""
