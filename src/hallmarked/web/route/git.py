"""Reading with git itself: ``git clone`` and ``git fetch`` over HTTP; large files come as LFS pointers.

Source: https://git-scm.com/docs/http-protocol.
"""

from __future__ import annotations

import zlib
from typing import NoReturn

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hallmarked.core.errors import Error, Forbidden, InputError
from hallmarked.hub.access import Action, Actor
from hallmarked.hub.error import HeldBack, NotSignedIn, TooLarge
from hallmarked.hub.fetch.graph import Reader
from hallmarked.hub.fetch.negotiation import SERVICE, advertise, negotiate, send
from hallmarked.hub.fetch.packet import packet, read_wants
from hallmarked.hub.repository.repository import Repository
from hallmarked.web.address import repo_routes
from hallmarked.web.request import base_url, hub_of, read_body, target

MOST_REQUEST = 8 << 20
"""Bytes of what a client says it has and wants."""
NO_CACHE = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}
NO_PUSH = "this hub takes no git push, since it checks what it is given first: use hf upload, or commit on its pages"


def refs(request: Request, kind: str) -> Response:
    """Say which branches and tags there are."""
    request.state.speaks_git = True
    service = request.query_params.get("service", "")
    if service == "git-receive-pack":
        raise Forbidden(NO_PUSH)
    if service != SERVICE:
        raise Forbidden("this hub speaks git's smart protocol only; a newer git can read it")
    hub = hub_of(request)
    with hub.database.read() as db:
        try:
            reader, _ = _reader(request, db, kind)
            body = advertise(reader)
        except Forbidden as error:
            raise _refusal(request, error) from error
    return Response(body, headers=NO_CACHE, media_type=f"application/x-{SERVICE}-advertisement")


async def fetch(request: Request, kind: str) -> Response:
    """Send a pack, or go on negotiating."""
    request.state.speaks_git = True
    body = await read_body(request, MOST_REQUEST)
    return await run_in_threadpool(_fetch, request, kind, _unpack(request, body))


def _fetch(request: Request, kind: str, body: bytes) -> Response:
    hub, media = hub_of(request), f"application/x-{SERVICE}-result"
    with hub.database.read() as db:
        reader, repo = _reader(request, db, kind)
        try:
            wants = read_wants(body)
            if not wants.wants:  # a client that has everything says so with nothing
                return Response(b"", headers=NO_CACHE, media_type=media)
            answer = negotiate(db, repo, reader, wants)
        except Error as error:
            said = _refusal(request, error)
            if isinstance(said, NotSignedIn):
                raise said from error
            return Response(packet(f"ERR {said}\n"), headers=NO_CACHE, media_type=media)
    parts = send(answer, hub.database.read, banding="side-band-64k" in wants.capabilities)
    return StreamingResponse(parts, headers=NO_CACHE, media_type=media)


def push(request: Request, kind: str) -> NoReturn:
    """Refuse a push."""
    request.state.speaks_git = True
    raise Forbidden(NO_PUSH)


def _reader(request: Request, db: Connection, kind: str) -> tuple[Reader, Repository]:
    actor, repo = target(request, db, kind, Action.READ)
    return Reader(db, actor, repo, hub_of(request).settings.policy), repo


def _refusal(request: Request, error: Error) -> Error:
    """Return how to refuse: nobody is asked first who they are, since git keeps its password until it is asked for it.

    NOTE: git shows nothing of an answer that asks for a password. Most people who are refused a held revision have
    none; so only the address that ends in ``.git`` asks for one then, and the other one says why, and says so.
    """
    actor = getattr(request.state, "actor", None)
    if not isinstance(error, Forbidden) or (isinstance(actor, Actor) and actor.known):
        return error
    address = request.url.path.rpartition("/info/refs")[0] or request.url.path.rpartition("/git-upload-pack")[0]
    if address.endswith(".git") or not isinstance(error, HeldBack):
        return NotSignedIn(str(error))
    return HeldBack(f"{error}; who may have it clones {base_url(request)}{address}.git, which asks for name and token")


def _unpack(request: Request, body: bytes) -> bytes:
    """Undo the compression that git applies to long requests.

    Raises:
        InputError: When it cannot be undone.
        TooLarge: When it unfolds to too much.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding == "identity":
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise InputError(f"{encoding[:40]} is not understood here")
    expander = zlib.decompressobj(31)
    try:
        data = expander.decompress(body, MOST_REQUEST)
    except zlib.error as error:
        raise InputError("what git sent is damaged") from error
    if expander.unconsumed_tail:
        raise TooLarge(f"at most {MOST_REQUEST:,} bytes are accepted here")
    if not expander.eof:
        raise InputError("what git sent is cut off")
    return data


ROUTES = [
    route
    for suffix in (".git", "")
    for route in (
        *repo_routes(f"{suffix}/info/refs", refs, name=f"git_refs{suffix}"),
        *repo_routes(f"{suffix}/git-upload-pack", fetch, methods=["POST"], name=f"git_fetch{suffix}"),
        *repo_routes(f"{suffix}/git-receive-pack", push, methods=["POST"], name=f"git_push{suffix}"),
    )
]
