"""Downloads: the bytes of a file of a revision."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hallmarked.hub.access import Action, Bytes, require
from hallmarked.hub.error import EntryNotFound
from hallmarked.hub.review import is_lenient
from hallmarked.hub.revision import find_entry, find_revision, read_text
from hallmarked.web.address import param, repo_routes
from hallmarked.web.request import hub_of, target
from hallmarked.web.transfer import File, send_blob, send_bytes


def resolve(request: Request, kind: str) -> Response:
    """Send a file, or describe it."""
    hub = hub_of(request)
    path = param(request, "path")
    with hub.database.read() as db:
        actor, repo = target(request, db, kind)
        at = find_revision(db, repo, param(request, "revision"))
        entry = find_entry(db, at, path)
        if entry.folder:
            raise EntryNotFound(f"{path[:200]} is a folder", at.oid)
        wanted = Bytes(at.state, is_lenient(hub.settings.policy, entry), at.reason)
        require(db, actor, Action.READ, repo.scope, wanted)
        small = None if entry.large else (b"" if request.method == "HEAD" else read_text(db, entry))
    tag = entry.sha256 if entry.large else entry.oid
    headers = {"X-Repo-Commit": at.oid, "X-Linked-Size": str(entry.size), "X-Linked-Etag": f'"{tag}"'}
    file = File(path, entry.size, tag, headers)
    if small is not None:
        return send_bytes(request, small, file)
    return send_blob(request, hub.blobs, entry.sha256, file, accelerate=hub.settings.server.accelerate)


ROUTES = repo_routes("/resolve/{revision}/{path:path}", resolve, methods=["GET", "HEAD"])
