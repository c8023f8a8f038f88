"""Large files by Git LFS: the batch API of git-lfs and of the ecosystem's clients, and the addresses it names.

Sources: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md and ``locking.md`` beside it. The transfer
``multipart`` is an addition of the ecosystem's clients: addresses of the parts stand in the upload action's header.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Action
from hallmarked.hub.blob.possession import find_usable, note_arrival
from hallmarked.hub.blob.store import Incoming, Stored
from hallmarked.hub.error import TooLarge
from hallmarked.hub.hub import Hub
from hallmarked.hub.ticket import issue_ticket, read_ticket
from hallmarked.hub.upload.lfs import Item, find_fetchable, find_stored, read_item, read_items
from hallmarked.hub.upload.part import SALT, Upload, assemble, new_salt
from hallmarked.web.address import param, repo_routes
from hallmarked.web.keepalive import KeepAlive
from hallmarked.web.request import JSON_LIMIT, base_url, hub_of, parse_object, read_body, target, text_of, with_json
from hallmarked.web.transfer import LINK, File, receive_body, send_blob

MEDIA_TYPE = "application/vnd.git-lfs+json"
UPLOAD_SECONDS = 6 * 3600
"""How long the addresses of an upload hold: files are sent one after another, and the addresses are given at once."""
MAX_PARTS = 10_000
"""Of one file, and of all files in one question."""


def batch(request: Request, body: dict[str, Any], kind: str) -> Response:
    """Say for each file where its bytes go, or where they are."""
    operation = text_of(body, "operation")
    if operation not in ("upload", "download") or body.get("hash_algo", "sha256") != "sha256":
        raise InputError("operation has to be upload or download, and hash_algo sha256")
    items = read_items(body.get("objects"))
    if operation == "download":
        return _answer("basic", _downloads(request, kind, items))
    hub = hub_of(request)
    with hub.database.read() as db:
        # NOTE: who may offer changes sends files too; the address does not say what for, and nothing is changed by it
        actor, repo = target(request, db, kind, Action.DISCUSS)
        stored = find_stored(db, actor, repo, items)
    transfers = body.get("transfers") or ["basic"]
    # NOTE: "xet" is never chosen, though clients before 1.20 offer it: their hf-xet may speak an older protocol
    whole = hub.settings.limit.whole_mib << 20
    in_parts = {item.sha256 for item in items if "multipart" in transfers and item.size >= whole} - set(stored)
    answers: list[dict[str, Any]] = []
    parts = 0
    for item in items:
        answer: dict[str, Any] = {"oid": item.sha256, "size": item.size}
        upload = Upload(item.sha256, item.size, str(actor.account_id))
        if item.size > hub.settings.limit.file_gib << 30:
            said = f"a file of more than {hub.settings.limit.file_gib} GiB is not accepted"
            answer["error"] = {"code": 422, "message": said}
        elif item.sha256 not in stored:
            parts += upload.parts if item.sha256 in in_parts else 0
            if parts > MAX_PARTS:
                raise TooLarge(f"these files have more than {MAX_PARTS:,} parts together; ask about fewer at once")
            verify = f"{base_url(request)}{request.url.path.removesuffix('batch')}verify"
            answer["authenticated"] = True
            action = _upload_action(request, upload, in_parts=item.sha256 in in_parts)
            answer["actions"] = {"upload": action, "verify": {"href": verify}}
        answers.append(answer)
    return _answer("multipart" if in_parts else "basic", answers)


def _upload_action(request: Request, upload: Upload, *, in_parts: bool) -> dict[str, Any]:
    facts = {"sub": upload.account_id, "oid": upload.sha256, "size": upload.size}

    def address(purpose: str) -> str:
        ticket = issue_ticket(hub_of(request).secret, purpose, facts, seconds=UPLOAD_SECONDS)
        return f"{base_url(request)}/api/lfs/{purpose}/{upload.sha256}?ticket={ticket}"

    if not in_parts:
        return {"href": address("upload"), "expires_in": UPLOAD_SECONDS}
    # NOTE: one ticket for all parts, since a large file has thousands; which part came is signed with its tag
    anywhere = address("part")
    header = {str(number): f"{anywhere}&part={number}" for number in range(1, upload.parts + 1)}
    return {
        "href": address("complete"),
        "header": {"chunk_size": str(upload.part_size(1)), **header},
        "expires_in": UPLOAD_SECONDS,
    }


def _downloads(request: Request, kind: str, items: list[Item]) -> list[dict[str, Any]]:
    hub = hub_of(request)
    with hub.database.read() as db:
        actor, repo = target(request, db, kind, Action.READ)
        fetchable = find_fetchable(db, actor, repo, hub.settings.policy, {item.sha256 for item in items})
    answers: list[dict[str, Any]] = []
    for item in items:
        answer: dict[str, Any] = {"oid": item.sha256, "size": item.size}
        if fetchable.get(item.sha256) != item.size:
            said = f"{repo.name} has no such file, or you may not get it"
            answers.append(answer | {"error": {"code": 404, "message": said}})
            continue
        seconds = int(LINK.total_seconds())
        href = hub.blobs.url(item.sha256, expires=LINK, filename=item.sha256)
        if href is None:
            ticket = issue_ticket(hub.secret, "download", {"oid": item.sha256, "size": item.size}, seconds=seconds)
            href = f"{base_url(request)}/api/lfs/download/{item.sha256}?ticket={ticket}"
        action = {"download": {"href": href, "expires_in": seconds}}
        answers.append(answer | {"authenticated": True, "actions": action})
    return answers


async def put(request: Request) -> Response:
    """Take the bytes of a file."""
    upload = _ticket(request, "upload")
    stack, incoming = await _receive(request, upload.sha256, upload.size)
    return KeepAlive(run_in_threadpool(_keep, hub_of(request), stack, incoming, upload))


async def put_part(request: Request) -> Response:
    """Take the bytes of a part of a file."""
    upload, text = _ticket(request, "part"), request.query_params.get("part", "")
    number = int(text) if text.isdecimal() and len(text) < 9 else 0
    if not 1 <= number <= upload.parts:
        raise InputError(f"a file of this size has parts 1 to {upload.parts:,}")
    stack, incoming = await _receive(request, None, upload.part_size(number), new_salt())
    stored = await run_in_threadpool(_finish, stack, incoming)
    if stored.size != SALT + upload.part_size(number):
        await run_in_threadpool(hub_of(request).blobs.delete, stored.sha256)
        raise InputError(f"part {number} has {upload.part_size(number):,} bytes, not {stored.size - SALT:,}")
    return Response(headers={"ETag": f'"{upload.tag(hub_of(request).secret, number, stored.sha256)}"'})


async def complete(request: Request) -> Response:
    """Put the parts of a file together."""
    upload = _ticket(request, "complete")
    body = parse_object(await read_body(request, JSON_LIMIT))
    parts = body.get("parts")
    if not isinstance(parts, list) or len(parts) > MAX_PARTS or not all(isinstance(part, dict) for part in parts):
        raise InputError("parts has to be a list of parts with partNumber and etag")
    tags = {str(part.get("partNumber")): text_of(part, "etag") for part in parts}
    hub = hub_of(request)
    blobs = upload.read_tags(hub.secret, [tags.get(str(number), "") for number in range(1, len(parts) + 1)])
    return KeepAlive(run_in_threadpool(_assemble, hub, upload, blobs))


def verify(request: Request, body: dict[str, Any], kind: str) -> Response:
    """Say whether a file has arrived."""
    item = read_item(body)
    with hub_of(request).database.read() as db:
        actor, repo = target(request, db, kind, Action.DISCUSS)
        if not find_stored(db, actor, repo, [item]):
            raise InputError("this file has not arrived")
    return _answer_json({})


def download(request: Request) -> Response:
    """Send a file to whoever was given its address a moment ago."""
    upload = _ticket(request, "download")
    hub = hub_of(request)
    file = File(upload.sha256, upload.size, upload.sha256)
    return send_blob(request, hub.blobs, upload.sha256, file, accelerate=hub.settings.server.accelerate)


def locks(request: Request, kind: str) -> Response:
    """Say that nothing is locked: branches are changed by compare-and-swap here, so that nobody needs to lock files."""
    with hub_of(request).database.read() as db:
        target(request, db, kind)
    return _answer_json({"locks": []})


def verify_locks(request: Request, body: dict[str, Any], kind: str) -> Response:
    """Say before a push that nobody else has locked anything."""
    with hub_of(request).database.read() as db:
        target(request, db, kind, Action.WRITE)
    return _answer_json({"ours": [], "theirs": []})


def lock(request: Request, body: dict[str, Any], kind: str) -> Response:
    """Refuse to lock a file."""
    with hub_of(request).database.read() as db:
        target(request, db, kind, Action.WRITE)
    return _answer_json({"message": "this hub keeps no locks on files"}, 400)


def _ticket(request: Request, purpose: str) -> Upload:
    facts = read_ticket(hub_of(request).secret, purpose, request.query_params.get("ticket", ""))
    upload = Upload(facts["oid"], facts["size"], facts.get("sub", ""))
    if upload.sha256 != param(request, "oid"):
        raise InputError("this address is for another file")
    return upload


async def _receive(request: Request, sha256: str | None, size: int, first: bytes = b"") -> tuple[ExitStack, Incoming]:
    """Receive a body of at most ``size`` bytes behind some of ours; closing the stack forgets it."""
    stack = ExitStack()
    receiving = hub_of(request).blobs.receive(sha256, size if sha256 else None)
    incoming: Incoming = await run_in_threadpool(stack.enter_context, receiving)
    try:
        if first:
            incoming.write(first)
        await receive_body(request, incoming, size)
    except BaseException:
        await run_in_threadpool(stack.close)
        raise
    return stack, incoming


def _finish(stack: ExitStack, incoming: Incoming) -> Stored:
    with stack:
        return incoming.finish()


def _keep(hub: Hub, stack: ExitStack, incoming: Incoming, upload: Upload) -> Response:
    note_arrival(hub.database, hub.blobs, _finish(stack, incoming), upload.account_id)
    return Response()


def _assemble(hub: Hub, upload: Upload, parts: list[str]) -> Response:
    with hub.database.read() as db:
        done = find_usable(db, upload.account_id, "", [upload.sha256])
    if not done:  # a client that did not hear the answer asks again
        stored = assemble(hub.blobs, upload, parts)
        note_arrival(hub.database, hub.blobs, stored, upload.account_id)
    return _answer_json({"success": True})


def _answer(transfer: str, objects: list[dict[str, Any]]) -> Response:
    return _answer_json({"transfer": transfer, "objects": objects, "hash_algo": "sha256"})


def _answer_json(body: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(body, status, media_type=MEDIA_TYPE)


_LFS = ".git/info/lfs"
ROUTES = [
    *repo_routes(f"{_LFS}/objects/batch", with_json(batch), methods=["POST"], name="lfs_batch"),
    *repo_routes(f"{_LFS}/objects/verify", with_json(verify), methods=["POST"], name="lfs_verify"),
    *repo_routes(f"{_LFS}/locks", locks, methods=["GET"], name="lfs_locks"),
    *repo_routes(f"{_LFS}/locks", with_json(lock), methods=["POST"], name="lfs_lock"),
    *repo_routes(f"{_LFS}/locks/verify", with_json(verify_locks), methods=["POST"], name="lfs_verify_locks"),
    Route("/api/lfs/upload/{oid}", put, methods=["PUT"]),
    Route("/api/lfs/part/{oid}", put_part, methods=["PUT"]),
    Route("/api/lfs/complete/{oid}", complete, methods=["POST"]),
    Route("/api/lfs/download/{oid}", download, methods=["GET", "HEAD"]),
]
