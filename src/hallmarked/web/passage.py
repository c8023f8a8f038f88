"""Answering whether a passage or a work is in the texts of data sets: what pages and programs share.

What is asked stands in the body of a request only: never in an address, which logs keep. Answers come in steps of
``STEP`` seconds, so that how long one took does not say whether anything was found.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from hallmarked.corpus.search.ask import (
    CONTEXT,
    FEW,
    LEAST_CHARACTERS,
    MOST_CHARACTERS,
    WORK_PASSAGE,
    WORK_WORDS,
    check_question,
)
from hallmarked.corpus.search.word import LEAST_WORDS
from hallmarked.hub.access import Actor
from hallmarked.hub.kind import page_path
from hallmarked.hub.passage import desk
from hallmarked.hub.repository.repository import find_repository
from hallmarked.web.limit import address_of
from hallmarked.web.render import context
from hallmarked.web.request import actor_of, hub_of

STEP = 0.5
"""Seconds of which an answer takes a whole number."""
MOST_BYTES = 1 << 20
"""Of a form."""


@context
class Bounds:
    """What may be asked, and how much is told."""

    words: int
    """Words that a question has at least."""
    characters: int
    """Letters that one of fewer words has at least."""
    most: int
    """Characters that it has at most."""
    work: int
    """Words from which a text is a work."""
    passage: int
    """Words of a passage of a work that is told."""
    few: int
    """Counts below this are not told."""
    context: int
    """Words that are shown before and after the asker's own."""
    hourly: int
    """Questions that are answered in an hour."""


@context
class Snippet:
    """The asker's words as they stand in a data set."""

    before: str
    """A few words before them; where personal data stood, a bar."""
    match: str
    """The words; the middle of a long passage is left out."""
    after: str
    """A few words after them."""
    source: str
    """Where the text is from, as far as the data set says; may be empty."""
    licence: str
    """Its licence, as far as the data set says; may be empty."""


@context
class Holder:
    """A repository that holds some of what was asked for."""

    kind: str
    """``model``, ``dataset`` or ``system``."""
    name: str
    """``owner/name``."""
    base: str
    """Its address."""
    revision: str
    """The commit that was asked."""
    share: float
    """Share of the words that occur in passages, rounded up to a twentieth."""
    longest: int
    """Words of the longest passage."""
    documents: int
    """In about how many rows that is; 0 for fewer than can be told."""
    missing: int
    """Rows or parts of it that could not be read, and so were not asked."""
    snippets: tuple[Snippet, ...]
    """The longest passage where it stands, a few times."""


@context
class Passages:
    """Looking for a passage or a work in all data sets whose owners allow it."""

    bounds: Bounds
    """What may be asked, and how much is told."""
    dataset: str
    """The only data set that was asked; empty for all."""
    problem: str
    """Why a question was not answered; empty when it was, or nothing was asked."""
    answered: bool
    """Whether a question was answered."""
    work: bool
    """Whether the question was a work."""
    asked: int
    """Data sets that were asked."""
    more: bool
    """Whether there are more that could be asked, but were not."""
    silent: tuple[str, ...]
    """Those whose index could not be read, so that nothing is known of them."""
    found: tuple[Holder, ...]
    """Those that hold some of it."""


def find_passages(request: Request, text: str, dataset: str) -> Passages:
    """Answer a question.

    Raises:
        InputError: When it is none that is answered.
        TooMany: When the asker has asked too often.
        RepositoryNotFound, Forbidden: When one data set is meant that the asker may not read.
    """
    hub = hub_of(request)
    question = check_question(text)
    only = ""
    with hub.database.read() as db:
        actor = actor_of(request, db)
        if dataset:
            only = _readable(db, actor, dataset)
    names = [f"address {address_of(request)}", *([f"account {actor.account_id}"] if actor.account_id else [])]
    request.app.state.callers.take(names, question)
    told = desk.ask(hub, request.app.state.shelf, actor, question, only)
    return Passages(
        bounds_of(request), dataset, "", True, question.is_work, told.asked, told.more, tuple(told.silent),
        tuple(_holder(each) for each in told.found),
    )  # fmt: skip


def _readable(db: Connection, actor: Actor, dataset: str) -> str:
    """Return the id of a data set whose name the asker gave; what they may not read, or not see, is refused."""
    repo = find_repository(db, "dataset", dataset[:200])
    desk.require_askable(db, actor, repo)
    return repo.id


def _holder(found: desk.Found) -> Holder:
    told, repo = found.answer, found.repo
    return Holder(
        repo.scope.kind, repo.name, page_path(repo.scope.kind, repo.name), found.standing.revision, told.share,
        told.longest, told.documents, found.standing.missing,
        tuple(Snippet(each.before, each.match, each.after, each.source, each.licence) for each in told.snippets),
    )  # fmt: skip


def bounds_of(request: Request) -> Bounds:
    """Say what may be asked of a hub."""
    hourly = hub_of(request).settings.search.questions
    return Bounds(
        LEAST_WORDS, LEAST_CHARACTERS, MOST_CHARACTERS, WORK_WORDS, WORK_PASSAGE, FEW, CONTEXT, hourly
    )  # fmt: skip


def nothing_told(request: Request, *, problem: str = "", dataset: str = "") -> Passages:
    """Say that nothing was asked, or why it was not answered."""
    return Passages(bounds_of(request), dataset, problem, False, False, 0, False, (), ())


async def in_step(request: Request, work: Callable[[], Response], began: float) -> Response:
    """Do something in a thread, and answer at a whole number of steps after it began, also when it fails."""
    try:
        response = await run_in_threadpool(work)
    finally:
        passed = time.monotonic() - began
        await request.app.state.wait(-passed % STEP)
    response.headers["Cache-Control"] = "no-store"
    return response
