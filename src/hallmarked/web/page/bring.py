"""The page on which somebody brings evidence that others signed: all of a file is taken in, or nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from hallmarked.core.errors import Error, Forbidden, FormatError, InputError
from hallmarked.hub.access import Action
from hallmarked.hub.error import Conflict, Gated, NotSignedIn, RepositoryNotFound, TooLarge
from hallmarked.hub.review.judgement import redecide_about
from hallmarked.hub.review.outside import MOST_BYTES, Received, take_in
from hallmarked.web.address import repo_routes
from hallmarked.web.error import status_of
from hallmarked.web.page.record import FILES, Said, tell
from hallmarked.web.page.repository import KINDS, Head, open_page, verify_commands
from hallmarked.web.render import Page, context, show
from hallmarked.web.request import check_json, hub_of, read_body, target

FRAME_BYTES = 16 << 10
"""Bytes of a form around its file."""
FIELDS = 4
"""Fields of the form beside its file."""


@context
class Bring:
    """Where evidence is brought, and what came of it."""

    head: Head
    """What stands on top."""
    most: int
    """Bytes that a file may have."""
    problem: str
    """Why nothing was taken in; empty when nothing was sent, or something was."""
    done: bool
    """Whether a file was taken in."""
    new: tuple[Said, ...]
    """Statements that were taken in."""
    known: int
    """Statements that were here already."""
    own: int
    """Statements of this hub, which are shown anyway."""
    commands: tuple[str, ...]
    """How to check the evidence of the newest revision without believing this page."""


def show_bring(request: Request, kind: str) -> Bring:
    """Show the form."""
    with open_page(request, kind, Action.ATTEST) as opened:
        return Bring(opened.head, MOST_BYTES, "", False, (), 0, 0, verify_commands(request, opened))


async def do_bring(request: Request, kind: str) -> Response:
    """Take in the file of the form, and answer with the page."""
    # Who may not bring anything is told so before a large body is read.
    await run_in_threadpool(_admit, request, kind)
    try:
        data = await read_upload(request, "file", MOST_BYTES)
    except InputError as error:
        return await run_in_threadpool(_refuse, request, error, kind)
    return await run_in_threadpool(_answer, request, data, kind)


async def read_upload(request: Request, name: str, most: int) -> bytes:
    """Return the file that was sent with a form.

    Raises:
        TooLarge: When the form is longer than such a file may be.
        InputError: When it is no such form, or no file was chosen.
    """
    body = await read_body(request, most + FRAME_BYTES)

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InputError("choose a file first")
    try:
        form = await MultiPartParser(request.headers, stream(), max_files=1, max_fields=FIELDS).parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise InputError("the form could not be read") from error
    try:
        sent = form.get(name)
        data = await sent.read() if isinstance(sent, UploadFile) else b""
    finally:
        await form.close()
    if not data:
        raise InputError("choose a file first: none was sent, or an empty one")
    return data


def _admit(request: Request, kind: str) -> None:
    with hub_of(request).database.read() as db:
        actor, _ = target(request, db, kind, Action.ATTEST)
    request.app.state.limits.take("evidence", actor.account_id or "", FILES)


def _answer(request: Request, data: bytes, kind: str) -> Response:
    keyid = hub_of(request).journal.keyid
    try:
        got = _take_in(request, data, kind)
    except (NotSignedIn, Gated, RepositoryNotFound):
        raise
    except (InputError, FormatError, Forbidden, Conflict, TooLarge) as error:
        return _refuse(request, error, kind)
    page = show_bring(request, kind)
    new = tuple(tell(one, keyid) for one in got.new)
    made = replace(page, done=True, new=new, known=got.known, own=got.own)
    return show(request, "repository/bring.html.j2", made, 201 if new else 200)


def _refuse(request: Request, error: Error, kind: str) -> Response:
    """Show the form again, with the sentence that says why nothing was taken in."""
    page = replace(show_bring(request, kind), problem=str(error))
    return show(request, "repository/bring.html.j2", page, status_of(error, signed_in=True))


def _take_in(request: Request, data: bytes, kind: str) -> Received:
    hub = hub_of(request)
    check_json(data)
    with hub.database.write() as db:
        actor, repo = target(request, db, kind, Action.ATTEST)
        got = take_in(hub, db, actor, repo, data)
        redecide_about(hub, db, repo, {one.revision for one in got.new})
        return got


FORMS: tuple[BaseRoute, ...] = (*repo_routes("/bring", do_bring, methods=["POST"], name="bring"),)
PAGES = (Page("/{owner}/{name}/bring", "repository/bring.html.j2", show_bring, KINDS),)
