"""Makes the indexes in which outsiders look for passages, in a thread of its own, and removes those nobody may ask.

What is to be made is a row of the database, so nothing is lost when this ends. An index is made of texts from which
personal data were taken out, and lies in a folder of its own until its revision is held back, deleted or followed by
another one.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hallmarked.core.errors import BackendError, Error
from hallmarked.corpus.engine.model import Engine
from hallmarked.corpus.search.make import index_data
from hallmarked.corpus.search.manifest import Options
from hallmarked.hub.catalog.tag import groups_of
from hallmarked.hub.hub import Hub
from hallmarked.hub.job.audit import limits_of
from hallmarked.hub.job.stage import stage
from hallmarked.hub.passage.record import (
    Due,
    Made,
    claim,
    forget_folder,
    forget_stale,
    list_due,
    list_folders,
    settle,
)
from hallmarked.hub.repository.repository import repository_of
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.schema.base import new_id

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often it looks for what is to be made, and for what must go."""
STRAY_SECONDS = 24 * 3600.0
"""How old a folder has to be that no row names: another process may be making it."""


@contextmanager
def indexing(hub: Hub, every: float = LOOK_SECONDS) -> Iterator[None]:
    """Make indexes of a hub in a thread of this process until the context is left.

    Args:
        hub: The hub.
        every: Seconds between two looks for what is due.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_run, args=(hub, stop, every), name="hallmarked-indexing")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _run(hub: Hub, stop: threading.Event, every: float) -> None:
    while not stop.wait(every):
        try:
            index_due(hub, stopped=stop.is_set)
        except Error as error:
            log.warning("indexes cannot be made now: %s", error)


def index_due(hub: Hub, *, stopped: Callable[[], bool] = lambda: False) -> int:
    """Remove what nobody may ask any more, and make what is due.

    Args:
        hub: The hub.
        stopped: Whether to leave the rest for another time.

    Returns:
        How many indexes were made.

    Raises:
        BackendError: When the database or the disk cannot be used.
    """
    _sweep(hub)
    with hub.database.read() as db:
        due = list_due(db)
    made = 0
    for each in due:
        if stopped():
            break
        made += _index(hub, each)
    return made


def _index(hub: Hub, due: Due) -> bool:
    """Make the index of a repository, and write down what came of it."""
    with hub.database.write() as db:
        if not claim(db, due):
            return False
    made, reason = None, ""
    try:
        made = _make(hub, due)
    except BackendError as error:
        reason = f"the index could not be made: {error}"
        log.warning("an index could not be made: %s", error)
    except Error as error:
        reason = str(error)
    with hub.database.write() as db:
        useless = settle(db, due, made, reason)
    _remove(hub.settings.indexes, useless)
    return made is not None


def _make(hub: Hub, due: Due) -> Made:
    with hub.database.read() as db:
        repo = repository_of(db, due.repository_id)
        at = find_revision(db, repo, due.revision)
    licences = groups_of(repo.scope.kind, repo.card).get("licence", [])
    options = Options(hub.settings.search.block_mib, keywords=False, licence=", ".join(licences[:3]))
    folder = new_id()
    with stage(hub.database, hub.blobs, repo, at, hub.settings.scratch) as artifact:
        target = hub.settings.indexes / folder
        summary = index_data(artifact, target, options, mask=True, engine=Engine(1), limits=limits_of(hub.settings))
    return Made(folder, summary.documents, summary.unread + summary.lost)


def _sweep(hub: Hub) -> None:
    """Remove indexes that answer nobody, and have those made again whose folder is gone."""
    with hub.database.write() as db:
        gone = forget_stale(db)
    place = hub.settings.indexes
    for name in gone:
        _remove(place, name)
    with hub.database.read() as db:
        known = list_folders(db)
    lost = known - {""} - {folder.name for folder in _folders(place)}
    if lost and (hub.database.dialect == "sqlite" or hub.settings.search.folder):  # else it may be on another machine
        with hub.database.write() as db:
            for name in lost:
                forget_folder(db, name)
    for folder in _folders(place):
        if folder.name not in known and _age(folder) > STRAY_SECONDS:
            _remove(place, folder.name)


def _folders(place: Path) -> list[Path]:
    try:
        return list(place.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BackendError(f"the folder of indexes cannot be read: {error.strerror}") from error


def _age(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _remove(place: Path, name: str | None) -> None:
    if name:
        shutil.rmtree(place / name, ignore_errors=True)
