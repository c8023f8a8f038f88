"""How files are sent and bodies received."""

from __future__ import annotations

import asyncio
import hashlib
import random
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hallmarked.core.errors import BackendError
from hallmarked.hub.blob.local import LocalBlobs
from hallmarked.hub.blob.place import open_blobs
from hallmarked.hub.blob.store import BlobStore
from hallmarked.hub.error import Interrupted, TooLarge, TooSlow
from hallmarked.web.transfer import BATCH, CHUNK, File, Pace, receive_body, send_blob, send_bytes

DATA = random.Random(5).randbytes(2 * CHUNK + 77)
DIGEST = hashlib.sha256(DATA).hexdigest()
FILE = File('dir/né"w.bin', len(DATA), DIGEST, {"X-Repo-Commit": "c0ffee"})
USUAL = Pace()


def stored(place: str) -> BlobStore:
    store = open_blobs(place)
    with store.receive() as incoming:
        incoming.write(DATA)
        incoming.finish()
    return store


def ask(endpoint: Callable[[Request], Response], method: str = "GET", **headers: str) -> httpx.Response:
    async def run() -> httpx.Response:
        app = Starlette(routes=[Route("/", endpoint, methods=["GET", "HEAD"])])
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            return await client.request(method, "/", headers=headers)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> BlobStore:
    return stored(str(tmp_path_factory.mktemp("blobs")))


@settings(max_examples=30)
@given(first=st.integers(0, len(DATA) + 2), length=st.integers(1, len(DATA)))
def test_a_range_of_a_blob_is_the_slice(blobs: BlobStore, first: int, length: int) -> None:
    """Whatever part is asked for arrives, with its place and length said."""
    last = first + length - 1
    answer = ask(lambda request: send_blob(request, blobs, DIGEST, FILE), Range=f"bytes={first}-{last}")
    if first >= len(DATA):
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{len(DATA)}"
    else:
        wanted = DATA[first : last + 1]
        assert (answer.status_code, answer.content) == (206, wanted)
        assert answer.headers["content-length"] == str(len(wanted))
        assert answer.headers["content-range"] == f"bytes {first}-{first + len(wanted) - 1}/{len(DATA)}"


def test_a_whole_file_says_what_clients_and_browsers_need(blobs: BlobStore) -> None:
    """Length, entity tag, ranges, name, and that nothing in it may run."""
    answer = ask(lambda request: send_blob(request, blobs, DIGEST, FILE))
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["etag"] == f'"{DIGEST}"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-repo-commit"] == "c0ffee"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"].startswith('attachment; filename="n__w.bin"; filename*=')
    assert "content-encoding" not in answer.headers


def test_head_says_the_same_without_bytes(blobs: BlobStore) -> None:
    """Same headers, no body, no file opened."""
    whole = ask(lambda request: send_blob(request, blobs, DIGEST, FILE))
    head = ask(lambda request: send_blob(request, blobs, DIGEST, FILE), "HEAD")
    assert head.content == b""
    assert head.headers == whole.headers


def test_who_has_the_file_is_told_so(blobs: BlobStore) -> None:
    """304 with the tag and without a body."""
    answer = ask(lambda request: send_blob(request, blobs, DIGEST, FILE), **{"If-None-Match": f'"{DIGEST}"'})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", f'"{DIGEST}"')


def test_small_files_from_memory_answer_alike() -> None:
    """Ranges and an empty file work without a blob too."""
    answer = ask(lambda request: send_bytes(request, b"0123456789", File("a.txt", 10, "t")), Range="bytes=-3")
    assert (answer.status_code, answer.content) == (206, b"789")
    answer = ask(lambda request: send_bytes(request, b"", File("a.txt", 0, "t")))
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.png", "image/png"), ("a.svg", "application/octet-stream"), ("index.html", "application/octet-stream")],
)
def test_only_pictures_and_sound_are_called_what_they_are(name: str, kind: str) -> None:
    """Nothing that a browser could run is labelled as such."""
    assert ask(lambda request: send_bytes(request, b"x", File(name, 1, "t"))).headers["content-type"] == kind


def test_a_proxy_in_front_is_told_where_the_file_lies(blobs: BlobStore) -> None:
    """With the setting, the answer names the place below the proxy's internal location and has no body."""
    answer = ask(lambda request: send_blob(request, blobs, DIGEST, FILE, accelerate="/blobs/"))
    assert answer.headers["x-accel-redirect"] == f"/blobs/{DIGEST[:2]}/{DIGEST[2:4]}/{DIGEST}"
    assert answer.content == b""


def test_a_missing_blob_is_our_failure_not_an_absent_page(tmp_path: Path) -> None:
    """The caller learns that the storage lost the bytes before any header is sent."""
    request = Request({"type": "http", "method": "GET", "headers": []})
    with pytest.raises(BackendError, match="missing from the hub's storage"):
        send_blob(request, LocalBlobs(tmp_path), DIGEST, FILE)


@pytest.mark.enable_socket
def test_object_storage_is_redirected_to(s3_url: str) -> None:
    """A GET is sent to a presigned address with the metadata on the redirect; a HEAD is answered here."""
    store = stored(s3_url.format(prefix=secrets.token_hex(8)))
    answer = ask(lambda request: send_blob(request, store, DIGEST, FILE))
    assert answer.status_code == 302
    assert answer.headers["x-repo-commit"] == "c0ffee"
    assert answer.headers["etag"] == f'"{DIGEST}"'
    assert answer.headers["cache-control"] == "no-store"
    assert httpx.get(answer.headers["location"]).content == DATA
    head = ask(lambda request: send_blob(request, store, DIGEST, FILE), "HEAD")
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(DATA)))


def test_object_storage_without_addresses_is_read_through(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no address can be given, the bytes come through this server, ranges too."""
    store = stored(s3_url.format(prefix=secrets.token_hex(8)))
    monkeypatch.setattr(store, "url", lambda *_, **__: None)
    answer = ask(lambda request: send_blob(request, store, DIGEST, FILE), Range="bytes=100-")
    assert (answer.status_code, answer.content) == (206, DATA[100:])


def body(pieces: Iterable[bytes | None], **headers: str) -> Request:
    """Make a request whose body comes in pieces; None is a connection that ends."""
    waiting = iter(pieces)

    async def receive() -> dict[str, Any]:
        piece = next(waiting, b"")
        if piece is None:
            return {"type": "http.disconnect"}
        if piece == b"stall":
            await asyncio.sleep(60)
        return {"type": "http.request", "body": piece, "more_body": piece != b""}

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "PUT", "headers": raw}, receive)


def take(folder: Path, request: Request, limit: int = 10 * BATCH, pace: Pace = USUAL) -> tuple[int, str]:
    async def run() -> tuple[int, str]:
        with LocalBlobs(folder).receive() as incoming:
            return await receive_body(request, incoming, limit, pace), incoming.finish().sha256

    return asyncio.run(run())


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@settings(max_examples=20)
@given(st.lists(st.binary(min_size=1, max_size=5000), max_size=20), st.integers(1, 200))
def test_a_body_arrives_in_order_however_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], times: int
) -> None:
    """Many small pieces, few large ones, none: what is stored is what was sent."""
    data = [piece * times for piece in pieces]
    size, digest = take(tmp_path_factory.mktemp("b"), body(data))
    assert (size, digest) == (len(b"".join(data)), hashlib.sha256(b"".join(data)).hexdigest())


def test_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    """At once when it is announced, in the middle when it is not; nothing stays."""
    with pytest.raises(TooLarge):
        take(tmp_path, body([None], **{"Content-Length": "11"}), limit=10)
    with pytest.raises(TooLarge):
        take(tmp_path, body([b"x" * BATCH] * 9), limit=3 * BATCH)
    assert files(tmp_path) == []


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 30, ""])
def test_a_length_that_is_no_number_is_refused(tmp_path: Path, length: str) -> None:
    """Nothing is received for a length that cannot be."""
    with pytest.raises(TooLarge):
        take(tmp_path, body([b"x"], **{"Content-Length": length}))


def test_a_connection_that_ends_leaves_nothing(tmp_path: Path) -> None:
    """A sender that goes away in the middle leaves no file, also while a batch is being written."""
    with pytest.raises(Interrupted):
        take(tmp_path, body([b"x" * BATCH, b"y" * BATCH, None]))
    assert files(tmp_path) == []


def test_a_sender_that_stalls_is_let_go(tmp_path: Path) -> None:
    """No byte for the allowed time ends the upload."""
    with pytest.raises(TooSlow):
        take(tmp_path, body([b"x" * BATCH, b"stall"]), pace=Pace(idle=0.05))
    assert files(tmp_path) == []


def test_a_sender_that_drips_is_let_go(tmp_path: Path) -> None:
    """Single bytes, each in time, do not keep a connection open for ever."""

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    request = Request({"type": "http", "method": "PUT", "headers": []}, receive)
    with pytest.raises(TooSlow):
        take(tmp_path, request, pace=Pace(idle=1, grace=0.1, rate=1000))
    assert files(tmp_path) == []


def test_a_failing_disk_ends_the_upload(tmp_path: Path) -> None:
    """What writing raises in its thread reaches the caller."""

    class Full:
        def write(self, data: bytes | bytearray | memoryview) -> None:
            raise BackendError("the hub's storage is full")

        def finish(self, sha256: str | None = None, size: int | None = None) -> Any:
            raise AssertionError

    with pytest.raises(BackendError, match="full"):
        asyncio.run(receive_body(body([b"x" * BATCH] * 3), Full(), 10 * BATCH))
