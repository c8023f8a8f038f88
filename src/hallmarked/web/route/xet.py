"""Large files by Xet, as the ecosystem's current clients send them.

Only uploads are answered. Whether the hub has some chunk is never told, and chunks are never sent: files are downloaded
as such.

https://huggingface.co/docs/xet/api
"""

from __future__ import annotations

import asyncio
import json
import mmap
import time
from collections.abc import AsyncIterator, Iterator
from tempfile import TemporaryFile
from typing import IO

from anyio import CancelScope
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from hallmarked.core.errors import BackendError, Error, InputError, NotFound
from hallmarked.formats.xet.shard import MAX_SHARD
from hallmarked.formats.xet.xorb import MAX_BODY
from hallmarked.hub.access import Action
from hallmarked.hub.clock import now
from hallmarked.hub.hub import Hub
from hallmarked.hub.upload.xet.body import Received, bodies_of
from hallmarked.hub.upload.xet.grant import SECONDS, Grant, decode_grant, encode_grant
from hallmarked.hub.upload.xet.known import add_xorb
from hallmarked.hub.upload.xet.rebuild import Progress, rebuild
from hallmarked.web.address import flag, param
from hallmarked.web.request import base_url, hub_of, target
from hallmarked.web.transfer import receive_body

_PULLS = "refs/pr/"
_STEP = 0.5
"""Seconds of work between two lines of progress."""
_REPEAT = 15.0
"""Seconds after which a line is repeated, so that nobody thinks the connection is dead."""
_FRAMES = "application/x-ndjson"


def write_token(request: Request) -> Response:
    """Give a token with which xorbs and shards can be sent."""
    hub = hub_of(request)
    proposes = flag(request, "create_pr") or param(request, "revision").startswith(_PULLS)
    with hub.database.read() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.DISCUSS if proposes else Action.WRITE)
    assert actor.account_id is not None  # nobody else may do either
    expires = now() // 1000 + SECONDS
    token = encode_grant(hub.secret, Grant(actor.account_id, repo.id, expires))
    url = f"{base_url(request)}/xet"
    headers = {"X-Xet-Access-Token": token, "X-Xet-Token-Expiration": str(expires), "X-Xet-Cas-Url": url}
    return JSONResponse({"accessToken": token, "exp": expires, "casUrl": url}, headers=headers)


async def post_xorb(request: Request) -> Response:
    """Take a xorb in."""
    hub, grant = hub_of(request), _grant(request)
    with bodies_of(hub).receive(param(request, "hash")) as incoming:
        await receive_body(request, incoming, MAX_BODY)
        received = await run_in_threadpool(incoming.finish)
    await run_in_threadpool(_note, hub, received, grant.account_id)
    return JSONResponse({"was_inserted": True})  # always: whether somebody else had sent it is not told


async def post_shard(request: Request) -> Response:
    """Rebuild the files of a shard, and answer when they are there."""
    with TemporaryFile() as body:
        steps = await _receive_shard(request, body)
        await run_in_threadpool(_exhaust, steps)
    return JSONResponse({"result": 1})


async def post_shard_with_progress(request: Request) -> Response:
    """Rebuild the files of a shard, and tell meanwhile how far it is."""
    with TemporaryFile() as body:
        steps = await _receive_shard(request, body)
    return StreamingResponse(_frames(steps), media_type=_FRAMES)


def absent(request: Request) -> Response:
    """Say that the hub does not have a chunk, whether it does or not."""
    raise NotFound("this hub does not say which chunks it has")


def ignore(request: Request) -> Response:
    """Take no notice of what a client would like to tell about itself."""
    return Response(status_code=204)


def _grant(request: Request) -> Grant:
    return decode_grant(hub_of(request).secret, request.headers.get("authorization", "").partition(" ")[2].strip())


def _note(hub: Hub, received: Received, account_id: str) -> None:
    with hub.database.write() as db:
        add_xorb(db, received, account_id)


async def _receive_shard(request: Request, body: IO[bytes]) -> Iterator[Progress]:
    hub, grant = hub_of(request), _grant(request)
    size = await receive_body(request, body, MAX_SHARD)
    if not size:
        raise InputError("an empty body is not a shard")
    await run_in_threadpool(body.flush)
    data = mmap.mmap(body.fileno(), size, access=mmap.ACCESS_READ)  # lives as long as somebody reads it
    return rebuild(hub, bodies_of(hub), memoryview(data), grant.account_id)


def _exhaust(steps: Iterator[Progress]) -> None:
    for _ in steps:
        pass


def _advance(steps: Iterator[Progress]) -> Progress | None:
    """Work for a moment, and return how far it is; None when it is done."""
    ends = time.monotonic() + _STEP
    for step in steps:
        if time.monotonic() >= ends:
            return step
    return None


async def _frames(steps: Iterator[Progress]) -> AsyncIterator[bytes]:
    latest: Progress | None = Progress(0, 0)
    work = None
    try:
        while latest is not None:
            yield _frame(type="validating", verified=latest.done, total=latest.total)
            work = asyncio.ensure_future(run_in_threadpool(_advance, steps))
            while not (await asyncio.wait([work], timeout=_REPEAT))[0]:
                yield _frame(type="validating", verified=latest.done, total=latest.total)
            latest = work.result()
        yield _frame(type="result")
    except Error as error:
        yield _frame(type="error", message=str(error), retryable=isinstance(error, BackendError))
    finally:
        if work is not None and not work.done():
            with CancelScope(shield=True):  # who is cut off lets the thread come to the end of its step
                await asyncio.wait([work])


def _frame(**members: object) -> bytes:
    return json.dumps(members).encode() + b"\n"


ROUTES = [
    Route("/api/{kind:kind}/{owner}/{name}/xet-write-token/{revision}", write_token),
    Route("/xet/v1/xorbs/{prefix}/{hash}", post_xorb, methods=["POST"]),
    Route("/xet/v1/shards", post_shard, methods=["POST"]),
    Route("/xet/v2/shards", post_shard_with_progress, methods=["POST"]),
    Route("/xet/v1/chunks/{prefix}/{hash}", absent),
    Route("/xet/v1/xorb-grants/{prefix}/{hash}", absent, methods=["POST"]),
    Route("/v1/telemetry", ignore, methods=["POST"]),
]
