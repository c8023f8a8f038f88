"""Large files of a repository, for those who look after it: list, share, remove for good."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Action
from hallmarked.hub.change.rewrite import forget_large
from hallmarked.hub.clock import to_text
from hallmarked.hub.repository.repository import open_repository
from hallmarked.hub.repository.revision import HEADS
from hallmarked.hub.repository.usage import list_large
from hallmarked.hub.upload.share import share
from hallmarked.web.address import limit_of
from hallmarked.web.link import page_response
from hallmarked.web.request import hub_of, target, text_of, with_json
from hallmarked.web.route.repository import kind_of

PAGE, MOST = 1_000, 1_000
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def browse(request: Request) -> Response:
    """List the large files of a repository, with a place where each is found."""
    size = limit_of(request, PAGE, MOST)
    with hub_of(request).database.read() as db:
        _, repo = target(request, db, request.path_params["kind"], Action.WRITE)
        found = list_large(db, repo, after=request.query_params.get("cursor", ""), count=size)
    items = [
        {
            "fileOid": item.sha256,
            "oid": item.sha256,
            "filename": item.path,
            "pushedAt": to_text(item.created),
            "size": item.size,
            **({"ref": item.ref.removeprefix(HEADS)} if item.ref else {}),
        }
        for item in found
    ]
    return page_response(request, items, **({"cursor": found[-1].sha256} if len(found) == size else {}))


def remove(request: Request, body: dict[str, Any]) -> Response:
    """Remove large files from every commit."""
    deletions = body.get("deletions")
    digests = deletions.get("sha") if isinstance(deletions, dict) else None
    if not isinstance(digests, list) or len(digests) > MOST or not all(_is_digest(digest) for digest in digests):
        raise InputError(f"deletions.sha has to be a list of at most {MOST:,} SHA-256 digests")
    if isinstance(deletions, dict) and deletions.get("rewriteHistory") is False:
        raise InputError("files are removed from the history too, or not at all: set rewriteHistory")
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.MANAGE)
        count = forget_large(db, repo, actor, set(digests))
    return JSONResponse({"rewritten": count})


def lend(request: Request, body: dict[str, Any]) -> Response:
    """Let another repository use large files of this one, without sending them again."""
    files, aim = body.get("files"), body.get("target")
    if not isinstance(files, list) or len(files) > MOST or not all(isinstance(file, dict) for file in files):
        raise InputError(f"files has to be a list of at most {MOST:,} files")
    if not isinstance(aim, dict):
        raise InputError("target has to say the type and the name of a repository")
    hub = hub_of(request)
    with hub.database.write() as db:
        actor, repo = target(request, db, request.path_params["kind"], Action.READ)
        other = open_repository(db, actor, kind_of(aim), text_of(aim, "name"), Action.WRITE)
        digests = [text_of(file, "sha256") for file in files]
        done = share(db, actor, repo, other, digests, hub.settings.policy)
    failed = [{"sha256": digest, "error": "this file is not yours to copy"} for digest in digests if digest not in done]
    return JSONResponse({"succeeded": [{"sha256": digest} for digest in done], "failed": failed})


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.match(value) is not None


_BASE = "/api/{kind:kind}/{owner}/{name}/lfs-files"
ROUTES = [
    Route(_BASE, browse),
    Route(f"{_BASE}/batch", with_json(remove), methods=["POST"]),
    Route(f"{_BASE}/duplicate", with_json(lend), methods=["POST"]),
]
