"""Connections and transactions, on SQLite or PostgreSQL, chosen by URL."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, PoolProxiedConnection, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from hallmarked.core.errors import BackendError, InputError
from hallmarked.hub.error import Conflict, StorageFull

POOL = 40
"""Connections a process may hold: as many as there are threads that serve requests."""
BUSY_SECONDS = 30
"""How long a writer waits for its turn on SQLite."""
MANY = 500
"""Values that one statement names."""
T = TypeVar("T")


class Database:
    """The hub's database. May be shared between threads."""

    def __init__(self, url: str) -> None:
        """Open a database; nothing is connected before the first use.

        Args:
            url: ``sqlite:///path`` or ``postgresql://…``.

        Raises:
            InputError: When it is neither.
        """
        self.engine = _create(url)
        self._watch: PoolProxiedConnection | None = None
        self._watching = threading.Lock()

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction in which all reads see one state."""
        with _translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Open a transaction in which all reads see one state, however long it takes."""
        options = {"isolation_level": "REPEATABLE READ"} if self.dialect == "postgresql" else {}
        with _translated(), self.engine.connect().execution_options(**options) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that is wholly there or not at all; on SQLite no other writer overlaps it."""
        with _translated(), self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def version(self) -> int | None:
        """Return a number that differs from an earlier one when anything was committed in between, by any process.

        It costs microseconds and no transaction. None when the database has no such number, which is so on PostgreSQL.
        """
        if self.dialect != "sqlite":
            return None
        with self._watching:
            if self._watch is None:
                with _translated():
                    self._watch = self.engine.raw_connection()
            # NOTE: the number counts the commits of all *other* connections, so that this one never writes.
            driver: Any = self._watch.driver_connection
            try:
                return int(driver.execute("PRAGMA data_version").fetchone()[0])
            except sqlite3.Error as error:
                raise BackendError("the database did not answer as expected") from error

    def close(self) -> None:
        """Let go of all connections."""
        with self._watching:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self.engine.dispose()


def in_parts(values: Collection[T]) -> Iterator[list[T]]:
    """Yield values a part at a time, each as many as one statement may name: databases bound its parameters."""
    rest = iter(values)
    while part := list(islice(rest, MANY)):
        yield part


def add_new(db: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, leaving those alone that are there already."""
    if not rows:
        return
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    db.execute(insert(table).on_conflict_do_nothing(), list(rows))


def add_or_renew(db: Connection, table: Table, row: Mapping[str, Any], renewed: Sequence[str]) -> None:
    """Insert a row; when there is one with its primary key, bring the named columns of that one up to it."""
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(**row)
    keys = table.primary_key
    db.execute(
        statement.on_conflict_do_update(index_elements=keys, set_={name: statement.excluded[name] for name in renewed})
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Conflict("somebody did the same at this moment, or removed what it needs; look, and try again") from error
    except OperationalError as error:
        if _is_full(error.orig):
            raise StorageFull from error
        raise BackendError("the database did not answer as expected") from error
    except SQLAlchemyError as error:  # what the database said is for the log, not for whoever asked
        raise BackendError("the database did not answer as expected") from error


def _is_full(error: BaseException | None) -> bool:
    """Whether a database says that its disk has no room: by SQLite's number, or by PostgreSQL's disk_full."""
    return (
        getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL or getattr(error, "sqlstate", None) == "53100"
    )


def _create(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except SQLAlchemyError as error:
        raise InputError(f"{url!r} is not the address of a database") from error
    name = parsed.get_backend_name()
    if name == "postgresql":
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_size=POOL, pool_pre_ping=True, hide_parameters=True
        )
    if name != "sqlite" or not parsed.database:
        raise InputError("the database has to be sqlite:///path or postgresql://…")
    options = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    engine = create_engine(parsed, pool_size=POOL, connect_args=options, hide_parameters=True)
    event.listen(engine, "do_connect", _make_private)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _make_private(_dialect: Any, _record: Any, arguments: Sequence[Any], _options: Any) -> None:
    """Make the file so that nobody else on the machine reads it, whoever made its folder; SQLite's others follow it."""
    with contextlib.suppress(OSError):  # SQLite says what is wrong
        os.close(os.open(arguments[0], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # this module begins transactions, not the driver
    # What is deleted is overwritten where its page is written anyway: a salt that was forgotten does not stay on disk.
    keep = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "secure_delete=FAST")
    for pragma in keep:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    # NOTE: a transaction that starts by reading and writes later could fail half-way; so writers announce themselves.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
