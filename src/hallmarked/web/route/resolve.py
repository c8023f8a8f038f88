"""Downloads: the bytes of a file of a revision.

The most frequent question of all, so that what the answer depends on is remembered while nothing is committed: see
:mod:`hallmarked.hub.memory`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from email.utils import format_datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from hallmarked.hub.clock import now, to_datetime
from hallmarked.hub.error import EntryNotFound
from hallmarked.hub.kind import page_path
from hallmarked.hub.memory import LONGEST, Memory
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Entry, Revision, find_entry, read_text
from hallmarked.hub.review.passage import Passage, open_passage
from hallmarked.hub.review.succession import Succession
from hallmarked.web.address import param, repo_name, repo_routes
from hallmarked.web.error import header_text
from hallmarked.web.request import actor_of, base_url, hub_of
from hallmarked.web.transfer import File, send_blob, send_bytes

REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
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
    succession = passage.succession
    if succession is not None:
        succession.check(hub.settings.policy, to_datetime(now()))
    tag = entry.sha256 if entry.large else entry.oid
    headers = {"X-Repo-Commit": passage.at.oid, "X-Linked-Size": str(entry.size), "X-Linked-Etag": f'"{tag}"'}
    if succession is not None:
        headers |= _successor(request, passage.repo, succession)
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


def _successor(request: Request, repo: Repository, succession: Succession) -> dict[str, str]:
    """Say in headers what took the place of a revision, and until when it can be had."""
    headers = {"X-Superseded-By": header_text(succession.by)}
    if url := _successor_url(request, repo, succession.by):
        headers["Link"] = f'<{url}>; rel="successor-version"'
    if succession.until is not None:
        end = datetime.combine(succession.until, time.max, UTC)
        headers["Sunset"] = format_datetime(end.replace(microsecond=0), usegmt=True)
    return headers


def _successor_url(request: Request, repo: Repository, by: str) -> str:
    """Return the address of what took the place of a revision; empty when it is none of this hub, or of the web."""
    if by.startswith(("https://", "http://")):
        return quote(by, safe=":/?#[]@!$&'()*+,;=%~")
    name, at, revision = by.rpartition("@")
    if at and not REPOSITORY.fullmatch(name):
        return ""
    path = page_path(repo.scope.kind, name if at else repo.name)
    return f"{base_url(request)}{path}/tree/{quote(revision, safe='')}"


ROUTES = repo_routes("/resolve/{revision}/{path:path}", resolve, methods=["GET", "HEAD"])
