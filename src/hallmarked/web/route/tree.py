"""Which files a revision has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import InputError
from hallmarked.hub.change.last import find_last_changes
from hallmarked.hub.clock import to_text
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Entry, Revision, find_entries, find_revision, list_entries
from hallmarked.hub.review.status import file_status
from hallmarked.web.address import flag, limit_of, param
from hallmarked.web.description import large_part
from hallmarked.web.link import page_response
from hallmarked.web.request import JSON_LIMIT, hub_of, parse_object, read_body, target

PAGE, PAGE_EXPANDED = 1_000, 50
"""Entries of a page; fewer when more is wanted of each."""
MAX_PATHS = 10_000


def tree(request: Request) -> Response:
    """List the files and folders at a path."""
    path = param(request, "path").strip("/") if "path" in request.path_params else ""
    expand = flag(request, "expand")
    size = limit_of(request, PAGE_EXPANDED if expand else PAGE, PAGE_EXPANDED if expand else PAGE)
    # NOTE: the pages of one listing are of one commit, also when the branch moves in between
    commit, _, after = request.query_params.get("cursor", "").partition("/")
    with hub_of(request).database.read() as db:
        _, repo = target(request, db, request.path_params["kind"])
        at = find_revision(db, repo, commit or param(request, "revision"))
        entries = list_entries(db, at, path, recursive=flag(request, "recursive"), after=after, count=size + 1)
        page = entries[:size]
        more = _expanded(db, repo, at, page) if expand else {}
    items = [{**write_entry(entry), **more.get(entry.path, {})} for entry in page]
    return page_response(request, items, **({"cursor": f"{at.oid}/{page[-1].path}"} if len(entries) > size else {}))


async def paths(request: Request) -> Response:
    """Describe the files and folders that the caller names; those that are not there are left out."""
    data = await read_body(request, JSON_LIMIT)
    if request.headers.get("content-type", "").startswith("application/json"):
        wanted = parse_object(data).get("paths", [])
    else:
        wanted = parse_qs(data.decode("utf-8", "replace"), max_num_fields=MAX_PATHS + 10).get("paths", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    expand = _wants_more(request, data)
    if not isinstance(wanted, list) or len(wanted) > MAX_PATHS or not all(isinstance(path, str) for path in wanted):
        raise InputError(f"paths has to be a list of at most {MAX_PATHS:,} texts")
    return await run_in_threadpool(_paths, request, wanted, expand)


def _wants_more(request: Request, data: bytes) -> bool:
    """Whether the body, or the address, asks for what is shown of expanded entries."""
    if request.headers.get("content-type", "").startswith("application/json"):
        return parse_object(data).get("expand") is True
    fields = parse_qs(data.decode("utf-8", "replace"), max_num_fields=MAX_PATHS + 10)
    return flag(request, "expand") or fields.get("expand", [""])[-1].lower() in ("true", "1")


def _paths(request: Request, wanted: list[str], expand: bool) -> Response:
    with hub_of(request).database.read() as db:
        _, repo = target(request, db, request.path_params["kind"])
        at = find_revision(db, repo, param(request, "revision"))
        asked = [path.strip("/") for path in wanted]
        known = find_entries(db, at, asked)
        found = [known[path] for path in asked if path in known]
        more = _expanded(db, repo, at, found[:PAGE]) if expand else {}
    return JSONResponse([{**write_entry(entry), **more.get(entry.path, {})} for entry in found])


def _expanded(db: Connection, repo: Repository, at: Revision, page: Sequence[Entry]) -> dict[str, dict[str, Any]]:
    """Add to entries the commit that last changed them, and to files what the audit of the revision says of them."""
    more: dict[str, dict[str, Any]] = {entry.path: {} for entry in page}
    for path, step in find_last_changes(db, repo, at, list(more)).items():
        more[path]["lastCommit"] = {"id": step.oid, "title": step.title, "date": to_text(step.created)}
    files = [entry.path for entry in page if not entry.folder]
    for path, status in file_status(db, repo.id, at, files).items():
        more[path]["securityFileStatus"] = dict(status)
    return more


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
