"""Which files a revision has."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import InputError
from hallmarked.hub.error import EntryNotFound
from hallmarked.hub.revision import Entry, find_entry, find_revision, list_entries
from hallmarked.web.address import flag, limit_of, param
from hallmarked.web.describe import large_part
from hallmarked.web.request import JSON_LIMIT, hub_of, parse_object, read_body, target

PAGE = 1000
MAX_PATHS = 10_000


def tree(request: Request) -> Response:
    """List the files and folders at a path."""
    path = param(request, "path").strip("/") if "path" in request.path_params else ""
    size = limit_of(request, PAGE, PAGE)
    after = request.query_params.get("cursor", "")
    with hub_of(request).database.read() as db:
        _, repo = target(request, db, request.path_params["kind"])
        at = find_revision(db, repo, param(request, "revision"))
        entries = list_entries(db, at, path, recursive=flag(request, "recursive"))
    start = next((n + 1 for n, entry in enumerate(entries) if entry.path == after), 0) if after else 0
    page = entries[start : start + size]
    response = JSONResponse([write_entry(entry) for entry in page])
    if start + size < len(entries):
        following = request.url.include_query_params(cursor=page[-1].path)
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


async def paths(request: Request) -> Response:
    """Describe the files and folders that the caller names; those that are not there are left out."""
    data = await read_body(request, JSON_LIMIT)
    if request.headers.get("content-type", "").startswith("application/json"):
        wanted = parse_object(data).get("paths", [])
    else:
        wanted = parse_qs(data.decode("utf-8", "replace"), max_num_fields=MAX_PATHS + 10).get("paths", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(wanted, list) or len(wanted) > MAX_PATHS or not all(isinstance(path, str) for path in wanted):
        raise InputError(f"paths has to be a list of at most {MAX_PATHS:,} texts")
    return await run_in_threadpool(_paths, request, wanted)


def _paths(request: Request, wanted: list[str]) -> Response:
    found = []
    with hub_of(request).database.read() as db:
        _, repo = target(request, db, request.path_params["kind"])
        at = find_revision(db, repo, param(request, "revision"))
        for path in wanted:
            try:
                found.append(find_entry(db, at, path.strip("/")))
            except EntryNotFound:
                continue
    return JSONResponse([write_entry(entry) for entry in found])


def write_entry(entry: Entry) -> dict[str, Any]:
    """Write a file or folder as clients read it."""
    kind = "directory" if entry.folder else "file"
    return {"type": kind, "path": entry.path, "oid": entry.oid, "size": entry.size, **large_part(entry, "oid")}


_BASE = "/api/{kind:kind}/{owner}/{name}"
ROUTES = [
    Route(f"{_BASE}/tree/{{revision}}", tree),
    Route(f"{_BASE}/tree/{{revision}}/{{path:path}}", tree),
    Route(f"{_BASE}/paths-info/{{revision}}", paths, methods=["POST"]),
]
