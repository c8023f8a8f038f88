"""Ask the data sets of a hub whether they hold a passage or a work."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from hallmarked.core.errors import Error, NotFound
from hallmarked.corpus.search.ask import Answer, Question, answer
from hallmarked.hub.access import Action, Actor, Bytes, decide, load_standing, require
from hallmarked.hub.database import in_parts
from hallmarked.hub.hub import Hub
from hallmarked.hub.passage.record import AVAILABLE, Standing, list_current, standing_of
from hallmarked.hub.passage.shelf import Shelf
from hallmarked.hub.repository.repository import Repository, repositories_of

log = logging.getLogger(__name__)

MOST = 200
"""Repositories that one question is put to: those that changed last."""


@dataclass(frozen=True, slots=True)
class Found:
    """A repository that holds a passage."""

    repo: Repository
    standing: Standing
    answer: Answer


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a question."""

    asked: int
    """Repositories that were asked."""
    found: Sequence[Found]
    """Those that hold some of it, the largest share first."""
    silent: Sequence[str]
    """Names of those whose index could not be read."""
    more: bool
    """Whether there are more that the asker may read and that were not asked."""


def ask(hub: Hub, shelf: Shelf, actor: Actor, question: Question, only: str = "") -> Told:
    """Put a question to every repository whose owner lets others ask, and whose files the asker may have.

    Args:
        hub: The hub.
        shelf: Keeps indexes open.
        actor: Who asks.
        question: What; see :func:`hallmarked.corpus.search.ask.check_question`.
        only: The id of the one repository that is asked; all when empty.

    Raises:
        BackendError: When the database cannot be used.
    """
    with hub.database.read() as db:
        open_, more = _open_to(db, actor, only)
    found, silent = [], []
    for repo, standing in open_:
        try:
            told = answer(shelf.take(hub.settings.indexes / standing.folder), question)
        except Error as error:
            log.warning("an index cannot be asked: %s", error)
            silent.append(repo.name)
            continue
        if told.found:
            found.append(Found(repo, standing, told))
    found.sort(key=lambda each: (-each.answer.share, -each.answer.longest, each.repo.name))
    return Told(len(open_), tuple(found), tuple(silent), more)


def _open_to(db: Connection, actor: Actor, only: str) -> tuple[list[tuple[Repository, Standing]], bool]:
    """Return the repositories that may be asked by somebody, and whether there are more; who may not read may not."""
    standings = dict(list_current(db, only))
    open_: list[tuple[Repository, Standing]] = []
    for ids in in_parts(standings):
        for repo in repositories_of(db, ids):
            standing = load_standing(db, actor, repo.scope)
            if decide(actor, Action.READ, repo.scope, standing, Bytes(AVAILABLE, lenient=False)) is None:
                if len(open_) == MOST:
                    return open_, True
                open_.append((repo, standings[repo.id]))
    return open_, False


def require_askable(db: Connection, actor: Actor, repo: Repository) -> None:
    """Refuse unless somebody may ask a repository.

    Raises:
        RepositoryNotFound: When they must not learn that it exists.
        Forbidden: When they may not have its files; its subclass says why.
        NotFound: When its owner lets nobody ask, or its newest revision has no index.
    """
    require(db, actor, Action.READ, repo.scope)
    standing = standing_of(db, repo.id)
    if standing is None or not standing.current:
        raise NotFound(f"passages of {repo.name} cannot be looked for now")
