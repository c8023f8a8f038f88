"""Downloads: the bytes of a file of a revision."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from hallmarked.core.errors import BackendError
from hallmarked.hub.access import Action, Bytes, require
from hallmarked.hub.error import EntryNotFound
from hallmarked.hub.review import is_lenient
from hallmarked.hub.revision import find_entry, find_revision, read_text
from hallmarked.web.address import param, repo_routes
from hallmarked.web.request import hub_of, target


def resolve(request: Request, kind: str) -> Response:
    """Send a file."""
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
        small = None if entry.large else read_text(db, entry)
    headers = {"X-Repo-Commit": at.oid, "ETag": f'"{entry.sha256 if entry.large else entry.oid}"'}
    if small is not None:
        return Response(small, headers=headers, media_type="application/octet-stream")
    file = hub.blobs.path(entry.sha256)
    if file is None:
        raise BackendError(f"the bytes of {path} are missing from the store")
    return FileResponse(
        file, headers={**headers, "X-Linked-Size": str(entry.size)}, media_type="application/octet-stream"
    )


ROUTES = repo_routes("/resolve/{revision}/{path:path}", resolve)
