"""Large files by Git LFS's batch API.

Source: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
"""

from __future__ import annotations

from functools import partial
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import Forbidden, InputError
from hallmarked.formats.blob import Blob
from hallmarked.hub.access import Action
from hallmarked.hub.clock import now
from hallmarked.hub.commit import add_blob, is_passive
from hallmarked.web.address import param, repo_routes
from hallmarked.web.request import hub_of, target, text_of, with_json

MEDIA_TYPE = "application/vnd.git-lfs+json"
SECONDS = 3600


def batch(request: Request, body: dict[str, Any], kind: str) -> Response:
    """Say for each large file where its bytes go."""
    if text_of(body, "operation") != "upload":
        raise InputError("only uploads are offered")
    hub = hub_of(request)
    with hub.database.read() as db:
        actor, _ = target(request, db, kind, Action.WRITE)
    answers = []
    for item in body.get("objects", []):
        oid, size = text_of(item, "oid"), item["size"]
        claims = {"sub": actor.account_id, "oid": oid, "size": size, "exp": now() // 1000 + SECONDS}
        token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(hub.secret))
        href = f"{str(request.base_url).rstrip('/')}/api/lfs/{oid}?token={token}"
        answers.append({"oid": oid, "size": size, "actions": {"upload": {"href": href}}})
    return JSONResponse({"transfer": "basic", "objects": answers}, media_type=MEDIA_TYPE)


async def put(request: Request) -> Response:
    """Take the bytes of a large file."""
    hub = hub_of(request)
    oid = param(request, "oid")
    try:
        claims = jwt.decode(request.query_params.get("token", ""), OctKey.import_key(hub.secret)).claims
    except (JoseError, ValueError) as error:
        raise Forbidden("this upload address is not valid") from error
    if claims.get("oid") != oid or claims.get("exp", 0) < now() // 1000:
        raise Forbidden("this upload address is not valid any more")
    with hub.blobs.receive() as incoming:
        async for part in request.stream():
            await run_in_threadpool(incoming.write, part)
        stored = await run_in_threadpool(incoming.finish, oid, claims["size"])
    await run_in_threadpool(_note, hub, stored.sha256, stored.size, claims["sub"])
    return Response(status_code=200)


def _note(hub: Any, sha256: str, size: int, account_id: str) -> None:
    passive = is_passive(Blob(sha256, size, partial(hub.blobs.open, sha256)))
    with hub.database.write() as db:
        add_blob(db, sha256, size, passive=passive, account_id=account_id)


ROUTES = [
    *repo_routes(".git/info/lfs/objects/batch", with_json(batch), methods=["POST"], name="lfs_batch"),
    Route("/api/lfs/{oid}", put, methods=["PUT"]),
]
