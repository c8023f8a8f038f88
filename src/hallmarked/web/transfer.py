"""Bytes out and in: how a file is sent, and how a body is received, both in flat memory.

A file is sent without compression, so that a client can go on where it was cut off. On Linux a piece that is in memory
already is read at once, without the detour through a thread that would cost more than the read itself; a piece that
has to come from the disk is read in a thread, so that nobody else waits for the disk.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import BinaryIO, Protocol

from anyio import CancelScope, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from hallmarked.core.errors import BackendError, NotFound
from hallmarked.hub.blob.presign import disposition
from hallmarked.hub.blob.store import BlobStore
from hallmarked.hub.error import Interrupted, TooLarge, TooSlow
from hallmarked.web.range import Part, choose_part

CHUNK = 256 * 1024
"""Bytes read and sent at a time: what a slow reader keeps in memory is one or two of these."""
BATCH = 512 * 1024
"""Bytes received before they are hashed and written together."""
LINK = timedelta(minutes=15)
"""How long an address at the object storage holds: time to begin a download, not to finish it."""
_NOWAIT = getattr(os, "RWF_NOWAIT", 0)
# Pictures and sound that pages show; browsers run nothing in these. All else is bytes to them.
_SHOWN = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "mp4": "video/mp4",
}


@dataclass(frozen=True, slots=True)
class File:
    """What is to be sent, apart from the bytes."""

    name: str
    """Under which a browser saves it; of a path the last part counts."""
    size: int
    """Bytes."""
    tag: str
    """Digest of the bytes; the entity tag without its quotes."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What else the answer says, also when it says that nothing changed."""

    @property
    def all_headers(self) -> dict[str, str]:
        """What every answer about the file says."""
        return {
            "ETag": f'"{self.tag}"',
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",  # may be kept, but whether one may have it is asked each time
            "Content-Disposition": disposition(self.name),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            **self.headers,
        }

    @property
    def media_type(self) -> str:
        """What a browser may take it for: pictures and sound, else bytes."""
        return _SHOWN.get(self.name.rpartition(".")[2].lower(), "application/octet-stream")


def send_bytes(request: Request, data: bytes, file: File) -> Response:
    """Answer with bytes that are in memory, or the part of them that was asked for."""
    return _respond(request, BytesIO(data), file)


def send_blob(request: Request, blobs: BlobStore, sha256: str, file: File, *, accelerate: str = "") -> Response:
    """Answer with a blob, by the shortest way there is. Blocks: call it in a thread.

    Args:
        request: What was asked.
        blobs: Where the blob lies.
        sha256: Which blob.
        file: What it is sent as.
        accelerate: Location under which a proxy in front of this server finds the store's folder; it then sends the
            bytes (``X-Accel-Redirect``) and takes care of ranges.

    Raises:
        BackendError: When the blob is missing or the storage fails.
    """
    if request.method == "HEAD":
        return _respond(request, BytesIO(), file)
    if blobs.path(sha256) is not None:
        part = choose_part(request.method, request.headers, size=file.size, etag=f'"{file.tag}"')
        if accelerate and part.status in (200, 206, 416):
            place = f"{accelerate.rstrip('/')}/{sha256[:2]}/{sha256[2:4]}/{sha256}"
            headers = {**file.all_headers, "X-Accel-Redirect": place}
            del headers["Accept-Ranges"]  # the proxy says so itself
            return Response(headers=headers, media_type=file.media_type)
    elif (url := blobs.url(sha256, expires=LINK, filename=file.name)) is not None:
        return RedirectResponse(url, 302, {**file.all_headers, "Cache-Control": "no-store"})
    try:
        return _respond(request, blobs.open(sha256), file)
    except NotFound as error:
        raise BackendError(f"the bytes of {file.name} are missing from the hub's storage") from error


def _respond(request: Request, source: BinaryIO, file: File) -> Response:
    part = choose_part(request.method, request.headers, size=file.size, etag=f'"{file.tag}"')
    if part.status in (200, 206):
        return FilePart(source, file, part)
    source.close()
    headers = file.all_headers | ({"Content-Range": f"bytes */{file.size}"} if part.status == 416 else {})
    return Response(status_code=part.status, headers=headers)


class FilePart(Response):
    """An answer with bytes of a file, read while they are sent.

    Args:
        source: Positioned anywhere; closed at the end.
        file: What is sent.
        part: Which bytes of it.
    """

    def __init__(self, source: BinaryIO, file: File, part: Part) -> None:
        self.source, self.part, self.name = source, part, file.name
        headers = file.all_headers | {"Content-Length": str(part.length)}
        if part.status == 206:
            headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{file.size}"
        self.status_code, self.background, self.body = part.status, None, b""
        self.media_type = file.media_type
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send.

        Raises:
            BackendError: When the file is shorter than it should be; the client sees the connection end early.
        """
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] == "HEAD" or not self.part.length:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            else:
                gone = asyncio.ensure_future(_disconnected(receive))
                try:
                    await self._send_part(send, gone)
                finally:
                    gone.cancel()
        finally:
            self.source.close()

    async def _send_part(self, send: Send, gone: asyncio.Future[None]) -> None:
        at, end = self.part.start, self.part.end
        while at < end and not gone.done():
            piece = await _read(self.source, at, min(CHUNK, end - at))
            if not piece:
                raise BackendError(f"the bytes of {self.name} end too early in the hub's storage")
            at += len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": at < end})
            await asyncio.sleep(0)  # a reader as fast as we are would otherwise keep everybody else waiting


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(source: BinaryIO, at: int, length: int) -> bytes | bytearray | memoryview:
    """Read some bytes at a place, at most ``length``; none at the end of the file."""
    if isinstance(source, BytesIO):
        return _seek_and_read(source, at, length)
    try:
        descriptor = source.fileno()
    except OSError:  # not a file of this machine
        return await to_thread.run_sync(_seek_and_read, source, at, length)
    if _NOWAIT:
        piece = bytearray(length)
        try:
            count = os.preadv(descriptor, [piece], at, _NOWAIT)
        except OSError:  # not in memory, or a file system that cannot tell
            pass
        else:
            return piece if count == length else memoryview(piece)[:count]
    return await to_thread.run_sync(os.pread, descriptor, length, at)


def _seek_and_read(source: BinaryIO, at: int, length: int) -> bytes:
    source.seek(at)
    return source.read(length)


@dataclass(frozen=True, slots=True)
class Pace:
    """How slowly a sender may send. Only time spent waiting for the sender counts."""

    idle: float = 60.0
    """Seconds without a byte."""
    grace: float = 60.0
    """Seconds in which nothing is expected yet."""
    rate: float = 8 * 1024
    """Bytes per second on average, after that."""


class Sink(Protocol):
    """What takes bytes as they come: a blob that is being received, or a file."""

    def write(self, data: bytes, /) -> object:
        """Take some.

        Raises:
            Error: When they are not accepted, or cannot be written.
        """


USUAL = Pace()


async def receive_body(request: Request, incoming: Sink, limit: int, pace: Pace | None = None) -> int:
    """Write a request's body to where it goes, and return how many bytes it had.

    One batch is hashed and written in a thread while the next arrives; when writing is slower, the sender has to wait.

    Args:
        request: Whose body.
        incoming: Where the bytes go.
        limit: The most bytes that are accepted.
        pace: How slowly they may come; None for the usual.

    Raises:
        TooLarge: When more is announced or arrives.
        TooSlow: When the sender keeps us waiting.
        Interrupted: When the connection ends before the body does.
        BackendError: When the bytes cannot be written.
    """
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or len(announced) > 19 or int(announced) > limit:
        raise TooLarge(f"at most {limit:,} bytes are accepted here")
    body = _Body(request, limit, pace or USUAL)
    writing: asyncio.Task[None] | None = None
    try:
        while batch := await body.batch():
            if writing is not None:
                await writing
            writing = asyncio.create_task(run_in_threadpool(_write, incoming, batch))
        if writing is not None:
            await writing
    finally:
        if writing is not None and not writing.done():
            # The thread must have let go of the file before it is closed.
            with CancelScope(shield=True):
                await asyncio.wait([writing])
    return body.received


def _write(incoming: Sink, batch: list[bytes]) -> None:
    for piece in batch:
        incoming.write(piece)


@dataclass(slots=True)
class _Body:
    """A body as it arrives."""

    request: Request
    limit: int
    pace: Pace
    received: int = 0
    waited: float = 0.0
    ended: bool = False

    async def batch(self) -> list[bytes]:
        """Return the next pieces, about ``BATCH`` bytes; none at the end."""
        pieces: list[bytes] = []
        size = 0
        while size < BATCH and not self.ended:
            piece = await self._piece()
            size += len(piece)
            if piece:
                pieces.append(piece)
        return pieces

    async def _piece(self) -> bytes:
        allowed = min(self.pace.idle, self.pace.grace + self.received / self.pace.rate - self.waited)
        began = time.monotonic()
        try:
            async with asyncio.timeout(allowed):
                message = await self.request.receive()
        except TimeoutError as error:
            raise TooSlow("the bytes came too slowly, so nothing was kept; try again") from error
        self.waited += time.monotonic() - began
        if message["type"] == "http.disconnect":
            raise Interrupted("the connection ended before the file was whole, so nothing was kept")
        piece: bytes = message.get("body", b"")
        self.received += len(piece)
        self.ended = not message.get("more_body", False)
        if self.received > self.limit:
            raise TooLarge(f"at most {self.limit:,} bytes are accepted here, so nothing was kept")
        return piece
