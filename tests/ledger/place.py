"""The two kinds of databases a log may lie in, seen alike by the tests."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hallmarked.ledger.key import SigningKey
from hallmarked.ledger.log import Log
from tests import postgres
from tests.ledger.support import LOG_KEY, fill_log, open_log


@dataclass(frozen=True)
class Place:
    """Where the log of a test lies."""

    where: Path | str
    """A file, or the URL of a database."""

    @property
    def module(self) -> str:
        """The module with the store."""
        return f"hallmarked.ledger.{'sqlite' if isinstance(self.where, Path) else 'postgres'}"

    @property
    def add_head(self) -> str:
        """The method that stores a checkpoint, for tests in which it fails."""
        return f"{self.module}.{'SqliteStore' if isinstance(self.where, Path) else 'PostgresStore'}.add_head"

    def open(self, key: SigningKey | None = LOG_KEY) -> Log:
        return open_log(self.where, key)

    def fill(self, numbers: Iterable[int]) -> Log:
        return fill_log(self.where, numbers)

    def check(self) -> tuple[int, tuple[str, ...]]:
        with closing(self.open(None)) as log:
            report = log.check()
        return report.size, report.faults

    @contextmanager
    def behind(self) -> Iterator[Any]:
        """Connect to the database behind the log's back, without any transaction."""
        if isinstance(self.where, Path):
            with closing(sqlite3.connect(self.where, isolation_level=None)) as db:
                yield db
        else:
            with postgres.psycopg.connect(
                self.where, autocommit=True, options="-c search_path=hallmarked_ledger"
            ) as db:
                yield db

    def edit(self, sql: str, *values: object) -> list[Any]:
        """Change rows behind the log's back; parameters are question marks."""
        with self.behind() as db:
            done = db.execute(sql if isinstance(self.where, Path) else sql.replace("?", "%s"), values)
            return done.fetchall() if done.description else []


def broken(self: Any, _head: object) -> None:
    """Fail as a store does whose disk is full."""
    self._query("SELECT no_such_column")
