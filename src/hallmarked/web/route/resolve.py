"""Downloads: the bytes of a file of a revision.

The most frequent question of all, so that what the answer depends on is remembered while nothing is committed: see
:mod:`hallmarked.hub.memory`.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hallmarked.hub.clock import now
from hallmarked.hub.error import EntryNotFound
from hallmarked.hub.memory import LONGEST, Memory
from hallmarked.hub.repository.revision import Entry, Revision, find_entry, read_text
from hallmarked.hub.review.passage import Passage, open_passage
from hallmarked.web.address import param, repo_name, repo_routes
from hallmarked.web.request import actor_of, hub_of
from hallmarked.web.transfer import File, send_blob, send_bytes

MAX_KEY = 2_048
"""Characters of credentials, names and paths up to which anything is remembered."""


def resolve(request: Request, kind: str) -> Response:
    """Send a file, or describe it."""
    hub = hub_of(request)
    memory: Memory = request.app.state.memory
    path = param(request, "path")
    passage = _passage(request, memory, kind)
    entry = _entry(request, memory, passage.at, path)
    if entry.folder:
        raise EntryNotFound(f"{path[:200]} is a folder", passage.at.oid)
    passage.check(entry, hub.settings.policy)
    tag = entry.sha256 if entry.large else entry.oid
    headers = {"X-Repo-Commit": passage.at.oid, "X-Linked-Size": str(entry.size), "X-Linked-Etag": f'"{tag}"'}
    file = File(path, entry.size, tag, headers)
    if entry.large:
        return send_blob(request, hub.blobs, entry.sha256, file, accelerate=hub.settings.server.accelerate)
    if request.method == "HEAD":
        return send_bytes(request, b"", file)
    with hub.database.read() as db:
        data = read_text(db, entry)
    return send_bytes(request, data, file)


def _passage(request: Request, memory: Memory, kind: str) -> Passage:
    """Return who asks for files of which revision; request.state learns the actor, and until when all that holds."""
    name, revision = repo_name(request), param(request, "revision")

    def load() -> tuple[tuple[Passage, int], int]:
        with hub_of(request).database.read() as db:
            passage, until = open_passage(db, actor_of(request, db), kind, name, revision)
        return (passage, until), until

    credentials = request.headers.get("authorization", "")
    key = ("passage", credentials, kind, name, revision)
    # A cookie's session can end in other ways than a token; pages do not ask for hundreds of files either.
    if "cookie" in request.headers or sum(map(len, key)) > MAX_KEY:
        return load()[0][0]
    passage, until = memory.recall(key, load)
    request.state.actor, request.state.until = passage.actor, until
    request.app.state.uses.note(passage.actor)
    return passage


def _entry(request: Request, memory: Memory, at: Revision, path: str) -> Entry:
    def load() -> tuple[Entry, int]:
        with hub_of(request).database.read() as db:
            return find_entry(db, at, path), now() + LONGEST

    return memory.recall(("entry", at.oid, path), load) if len(path) < MAX_KEY else load()[0]


ROUTES = repo_routes("/resolve/{revision}/{path:path}", resolve, methods=["GET", "HEAD"])
