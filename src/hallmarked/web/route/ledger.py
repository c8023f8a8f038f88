"""The hub's log for everybody: as static tiles for witnesses, and as evidence files about revisions.

Specification: https://c2sp.org/tlog-tiles.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hallmarked.core.errors import InputError, NotFound
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.review.audited import list_entries, public_envelope
from hallmarked.ledger.tile import read_tile_path
from hallmarked.ledger.verify import MEDIA_TYPE as EVIDENCE
from hallmarked.web.address import param, repo_routes
from hallmarked.web.request import hub_of, target

PLAIN = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
"""A tile never changes: a log only grows, and a partial tile has its width in its address."""
BRIEFLY = {"Cache-Control": "public, max-age=2"}
"""A witness wants to see what was signed last."""


def checkpoint(request: Request) -> Response:
    """Send the newest checkpoint."""
    return Response(hub_of(request).journal.checkpoint(), headers=BRIEFLY, media_type=PLAIN)


def tile(request: Request) -> Response:
    """Send a tile of hashes, or a bundle of entries."""
    try:
        level, index, width = read_tile_path(f"tile/{param(request, 'path')}")
    except InputError as error:
        raise NotFound(str(error)) from None
    return Response(hub_of(request).journal.tile(level, index, width), headers=FOR_EVER, media_type=BYTES)


def key(request: Request) -> Response:
    """Send the key of the checkpoints, in the form witnesses want."""
    return Response(hub_of(request).journal.verifier_key() + "\n", headers=BRIEFLY, media_type=PLAIN)


def trust(request: Request) -> Response:
    """Send all keys of the hub, signed by the one that signs its statements."""
    return Response(hub_of(request).journal.trust(), headers=BRIEFLY, media_type="application/json")


def entry(request: Request) -> Response:
    """Send the signed statement of an entry that is about something public."""
    text = param(request, "index")
    if not text.isdecimal() or len(text) > 18:
        raise NotFound(f"the log has no entry {text[:20]}")
    hub = hub_of(request)
    with hub.database.read() as db:
        data = public_envelope(db, hub.journal, int(text))
    # It can be erased, or be about what is public no more, so nobody shall keep it for long.
    return Response(data, headers=BRIEFLY, media_type=ENVELOPE)


def evidence(request: Request, kind: str) -> Response:
    """Send all evidence about a revision as one file that verifies offline."""
    hub = hub_of(request)
    with hub.database.read() as db:
        _, repo = target(request, db, kind)
        at = find_revision(db, repo, param(request, "revision"))
        entries = list_entries(db, repo, at)
    try:
        data = hub.journal.export(entries)
    except NotFound:
        why = "it is being checked" if at.state == "checking" else "nothing was said about it"
        raise NotFound(f"there is no evidence yet about revision {at.oid[:7]} of {repo.name}: {why}") from None
    name = f"{repo.name.replace('/', '-')}-{at.oid[:12]}.evidence.json"
    headers = {
        "X-Repo-Commit": at.oid,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(data, headers=headers, media_type=EVIDENCE)


ROUTES = [
    Route("/ledger/checkpoint", checkpoint),
    Route("/ledger/tile/{path:path}", tile),
    Route("/ledger/key", key),
    Route("/ledger/trust.json", trust),
    Route("/ledger/entries/{index}", entry),
    *repo_routes("/evidence/{revision}.json", evidence),
]
