"""Numbered places for the processes that audit; a place is free again the moment its process is gone.

Held by a lock that the operating system, or PostgreSQL, lets go of when the holder dies. So no clock has to decide
whether somebody is still alive.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from hallmarked.core.errors import BackendError
from hallmarked.hub.database import Database

MOST = 1_000
_SPACE = 0x686D6A62
"""Keeps our numbers apart from other advisory locks in the same database."""


class Slots:
    """The places of one hub.

    Args:
        database: Several machines may share it when it is PostgreSQL.
        folder: Of the lock files, when it is SQLite.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database, self._folder = database, folder

    @contextmanager
    def take(self) -> Iterator[int]:
        """Hold the lowest free place.

        Raises:
            BackendError: When none is free.
        """
        for number in range(MOST):
            with self.holding(number) as mine:
                if mine:
                    yield number
                    return
        raise BackendError(f"{MOST} processes audit already")

    @contextmanager
    def holding(self, number: int) -> Iterator[bool]:
        """Try to hold one place; False when somebody else does."""
        if self._database.dialect == "postgresql":
            # The lock belongs to the session; a transaction would keep the database from tidying up.
            with self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                mine = _ask(connection, "pg_try_advisory_lock", number)
                try:
                    yield mine
                finally:
                    if mine:
                        _ask(connection, "pg_advisory_unlock", number)
        else:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._folder / f"slot-{number}", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                yield _lock(descriptor)
            finally:
                os.close(descriptor)


def _ask(connection: Connection, function: str, number: int) -> bool:
    return bool(
        connection.execute(text(f"SELECT {function}(:space, :number)"), {"space": _SPACE, "number": number}).scalar()
    )


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
