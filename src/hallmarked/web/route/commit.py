"""Uploads through the commit API: the plan, and the commit itself."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from itertools import count
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Action, Actor
from hallmarked.hub.change.commit import MAX_INLINE, Change, Copy, Delete, Message, Put, PutLarge
from hallmarked.hub.community.pull import commit_to, full_branch, open_pull, pull_number, require_commit
from hallmarked.hub.error import TooLarge
from hallmarked.hub.repository.card import read_card
from hallmarked.hub.repository.repository import MAIN, Repository
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.upload.plan import plan_upload
from hallmarked.web.address import flag, param
from hallmarked.web.link import page_url, warn_of_state
from hallmarked.web.request import hub_of, parse_object, target, text_of, with_json

MAX_FILES = 1_000
"""Files in one question about an upload; clients ask about 256 at once."""
MAX_LINE = MAX_INLINE // 3 * 4 + 10_000
"""Bytes of one line of a commit: a small file in base64, and its name."""
MAX_CHANGES = 100_000
"""Lines of one commit."""
IN_MEMORY = 1 << 20
CARD = "README.md"


def target_branch(request: Request, db: Connection) -> tuple[Actor, Repository, str]:
    """Return who asks, the repository, and the branch of the address, which they may add to or offer changes to.

    Raises:
        RepositoryNotFound, Forbidden, NotSignedIn: When they may not.
        Conflict: When the branch is that of a pull request that is closed.
    """
    branch = full_branch(param(request, "revision"))
    number = pull_number(branch)
    offers = flag(request, "create_pr") or number is not None
    actor, repo = target(request, db, request.path_params["kind"], Action.DISCUSS if offers else Action.WRITE)
    if number is not None and not flag(request, "create_pr"):
        require_commit(db, repo, number, actor)
    return actor, repo, branch


def preupload(request: Request, body: dict[str, Any]) -> Response:
    """Say how each file is to be sent."""
    files = body.get("files")
    if not isinstance(files, list) or len(files) > MAX_FILES or not all(isinstance(file, dict) for file in files):
        raise InputError(f"files has to be a list of at most {MAX_FILES} files")
    sizes = {}
    for file in files:
        size = file.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise InputError("the size of a file has to be a number")
        sizes[text_of(file, "path")] = size
    ignore = text_of(body, "gitIgnore") if body.get("gitIgnore") is not None else None
    with hub_of(request).database.read() as db:
        _, repo, branch = target_branch(request, db)
        at = find_revision(db, repo, branch)
        plans = plan_upload(db, at, sizes, ignore)
    answers = [
        {
            "path": plan.path,
            "uploadMode": "lfs" if plan.large else "regular",
            "shouldIgnore": plan.ignored,
            "oid": plan.oid,
        }
        for plan in plans
    ]
    return JSONResponse({"commitOid": at.oid, "files": answers})


async def post_commit(request: Request) -> Response:
    """Commit what the lines of the body say."""
    limit = hub_of(request).settings.limit.commit_mib << 20
    await run_in_threadpool(_authorize, request)
    with SpooledTemporaryFile(IN_MEMORY) as body:
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise TooLarge(f"a commit of more than {limit >> 20} MiB is not accepted; send large files as such")
            await run_in_threadpool(body.write, part)
        body.seek(0)
        return await run_in_threadpool(_commit, request, body)


def _authorize(request: Request) -> None:
    """Refuse who may not commit there before their files are taken in; what they may is asked again later."""
    with hub_of(request).database.read() as db:
        target_branch(request, db)


def _commit(request: Request, body: IO[bytes]) -> Response:
    lines = _lines(body)
    key, header = next(lines, ("", {}))
    if key != "header":
        raise InputError("the first line of a commit has to be its header")
    message = _message(header)
    parent = text_of(header, "parentCommit", "") or None
    changes = [_change(key, value) for key, value in lines]  # all of them first: nobody else commits meanwhile
    for change in changes:
        if isinstance(change, Put) and change.path == CARD:
            read_card(change.data)  # which is remembered for a while
    with hub_of(request).database.write() as db:
        actor, repo, branch = target_branch(request, db)
        if flag(request, "create_pr"):
            branch = open_pull(db, repo, actor, message, branch, base=parent or "").branch
        made = commit_to(db, repo, actor, changes, message, branch=branch, parent=parent)
    page = page_url(request, repo)
    answer = {"success": True, "commitOid": made.oid, "commitUrl": f"{page}/commit/{made.oid}", "hookOutput": ""}
    if flag(request, "create_pr"):
        answer["pullRequestUrl"] = f"{page}/discussions/{pull_number(branch)}"
    response = JSONResponse(answer)
    warn_of_state(response, made)
    return response


def _message(header: dict[str, Any]) -> Message:
    """Return what a commit says; of a summary of several lines the first is the title."""
    title, _, rest = text_of(header, "summary").strip().partition("\n")
    texts = (rest.strip(), text_of(header, "description", ""))
    return Message(title.rstrip(), "\n\n".join(text for text in texts if text))


def _lines(body: IO[bytes]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number in count():
        line = body.readline(MAX_LINE + 1)
        if not line:
            return
        if number > MAX_CHANGES:
            raise TooLarge(f"a commit of more than {MAX_CHANGES:,} lines is not accepted; make several")
        if len(line) > MAX_LINE:
            raise TooLarge(f"a file of more than {MAX_INLINE >> 20} MiB has to be sent as a large file")
        if not line.strip():
            continue
        item = parse_object(line)
        key, value = item.get("key"), item.get("value")
        if not isinstance(key, str) or not isinstance(value, dict):
            raise InputError("a line of the commit is not JSON with a key and a value")
        yield key, value


def _change(key: str, value: dict[str, Any]) -> Change:
    path = text_of(value, "path")
    if key == "file":
        if value.get("encoding", "base64") == "base64":
            try:
                return Put(path, base64.b64decode(text_of(value, "content"), validate=True))
            except (binascii.Error, ValueError) as error:
                raise InputError(f"the content of {path[:200]} is not base64") from error
        return Put(path, text_of(value, "content").encode())
    if key == "lfsFile":
        return PutLarge(path, text_of(value, "oid"))
    if key in ("deletedFile", "deletedFolder", "deletedEntry"):
        return Delete(path)
    if key == "copyFile":
        return Copy(path, text_of(value, "srcPath"), text_of(value, "srcRevision", MAIN))
    raise InputError(f"a commit cannot hold a {key[:40]!r}")


_BASE = "/api/{kind:kind}/{owner}/{name}"
ROUTES = [
    Route(f"{_BASE}/preupload/{{revision}}", with_json(preupload), methods=["POST"]),
    Route(f"{_BASE}/commit/{{revision}}", post_commit, methods=["POST"]),
]
