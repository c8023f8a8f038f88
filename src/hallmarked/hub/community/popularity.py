"""What people like and download.

Recent interest is one number that needs no upkeep: each like or download adds a weight that halves every week. It is
kept as the logarithm of what it would have been at the epoch, so that its order never changes while nothing happens.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

from sqlalchemy import Connection, delete, select, update

from hallmarked.hub.access import Actor, may_see
from hallmarked.hub.account.account import Account, from_row
from hallmarked.hub.catalog.listing import touch
from hallmarked.hub.clock import now
from hallmarked.hub.database import Database, add_new
from hallmarked.hub.error import RepositoryNotFound
from hallmarked.hub.repository.repository import Repository, find_repository, load_repositories
from hallmarked.hub.schema.account import account
from hallmarked.hub.schema.community import like
from hallmarked.hub.schema.repository import repository

HALF_LIFE = 7 * 24 * 3600 * 1000
"""Milliseconds after which interest counts half."""
UNIT = 1_000_000
"""The number kept is a logarithm to the base 2 times this."""
LIKE, DOWNLOAD = 10.0, 1.0
"""What each adds."""
FLUSH_SECONDS, WINDOW_SECONDS = 30.0, 3_600
"""How often downloads are written, and how long one caller counts once."""
MAX_WAITING, MAX_SEEN = 10_000, 100_000
"""Repositories whose counts may wait, and downloads that are remembered so as not to count twice."""
MAX_LIKES = 10_000


@dataclass(frozen=True, slots=True)
class Liked:
    """A repository somebody likes."""

    repository: Repository
    created: int
    """Since when, milliseconds since the epoch."""


def set_like(db: Connection, repo: Repository, account_id: str, *, likes: bool) -> None:
    """Note that somebody likes a repository, or does not any more; saying it twice changes nothing."""
    # NOTE: the lock comes first, so that somebody who says it many times at once is not counted as many times
    db.execute(select(repository.c.id).where(repository.c.id == repo.id).with_for_update())
    where = (like.c.repository_id == repo.id, like.c.account_id == account_id)
    if is_liked(db, repo.id, account_id) == likes:
        return
    if likes:
        add_new(db, like, [{"repository_id": repo.id, "account_id": account_id, "created": now()}])
    else:
        db.execute(delete(like).where(*where))
    table = repository.c
    change = 1 if likes else -1
    db.execute(update(repository).where(table.id == repo.id).values(likes=table.likes + change))
    if likes:
        _add_interest(db, repo.id, LIKE)
    touch(db, [repo.id])


def is_liked(db: Connection, repository_id: str, account_id: str) -> bool:
    """Say whether somebody likes a repository."""
    where = (like.c.repository_id == repository_id, like.c.account_id == account_id)
    return db.execute(select(like.c.created).where(*where)).first() is not None


def list_likers(db: Connection, repo: Repository, *, count: int, after: str = "") -> Sequence[Account]:
    """List who likes a repository, by name, beginning behind a name."""
    rows = db.execute(
        select(account)
        .join(like, like.c.account_id == account.c.id)
        .where(like.c.repository_id == repo.id, account.c.disabled.is_(None), account.c.key > after.lower())
        .order_by(account.c.key)
        .limit(count)
    )
    return [from_row(row) for row in rows]


def list_liked(db: Connection, actor: Actor, account_id: str) -> Sequence[Liked]:
    """List what somebody likes, newest first, as far as the actor may see it."""
    rows = db.execute(
        select(like).where(like.c.account_id == account_id).order_by(like.c.created.desc()).limit(MAX_LIKES)
    ).all()
    known = {repo.id: repo for repo in load_repositories(db, [row.repository_id for row in rows])}
    return [
        Liked(known[row.repository_id], row.created)
        for row in rows
        if row.repository_id in known and may_see(db, actor, known[row.repository_id].scope)
    ]


def trending_score(stored: int) -> int:
    """Return recent interest as a number for people: 10 for a like a moment ago, 5 after a week."""
    if not stored:
        return 0
    exponent = stored / UNIT - now() / HALF_LIFE
    return round(2**exponent) if exponent > -60 else 0


def _add_interest(db: Connection, repository_id: str, weight: float) -> None:
    stored = db.execute(select(repository.c.trending).where(repository.c.id == repository_id)).scalar_one()
    db.execute(
        update(repository).where(repository.c.id == repository_id).values(trending=_more_interest(stored, weight))
    )


def _more_interest(stored: int, weight: float) -> int:
    shift = now() / HALF_LIFE
    before = 2 ** max(stored / UNIT - shift, -60.0) if stored else 0.0
    return round((log2(before + weight) + shift) * UNIT)


class Downloads:
    """Counts downloads, and writes them a few times a minute. May be shared between threads.

    Whoever gets several files of one revision within an hour counts once. What was not written yet when a process is
    killed is lost: it is a count for interest, not for accounts.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting: Counter[tuple[str, str]] = Counter()
        self._seen: set[tuple[str, str, str, str]] = set()
        self._window = self._written = time.monotonic()

    def note(self, kind: str, name: str, revision: str, who: str) -> None:
        """Count a download, unless the same caller got the same revision a while ago.

        Args:
            kind: ``model``, ``dataset`` or ``system``.
            name: ``owner/name`` of the repository, as it was asked for.
            revision: Commit id.
            who: Something that stays the same for one caller; forgotten after an hour.
        """
        seen = (kind, name.lower(), revision, who)
        with self._lock:
            time_ = time.monotonic()
            if time_ - self._window > WINDOW_SECONDS or len(self._seen) > MAX_SEEN:
                self._window = time_
                self._seen.clear()
            if seen not in self._seen and len(self._waiting) < MAX_WAITING:
                self._seen.add(seen)
                self._waiting[kind, name] += 1

    @property
    def due(self) -> bool:
        """Whether it is time to write what was counted."""
        return bool(self._waiting) and time.monotonic() - self._written >= FLUSH_SECONDS

    def flush(self) -> None:
        """Write what was counted.

        Raises:
            BackendError: When it cannot be written; then it is lost.
        """
        with self._lock:
            counted, self._waiting = self._waiting, Counter()
            self._written = time.monotonic()
        if not counted:
            return
        table = repository.c
        with self._database.write() as db:
            found: Counter[str] = Counter()
            for (kind, name), count in counted.items():
                with contextlib.suppress(RepositoryNotFound):  # moved away or deleted meanwhile
                    found[find_repository(db, kind, name).id] += count
            for one, count in sorted(found.items()):  # in one order everywhere, so that no two writers wait
                db.execute(update(repository).where(table.id == one).values(downloads=table.downloads + count))
                _add_interest(db, one, DOWNLOAD * count)
                touch(db, [one])
