"""A log in PostgreSQL, for a hub of several machines. All SQL of such a log is here.

The tables have a schema of their own, so the database may hold other things too. Writers queue at one row lock, and
commits are synchronous (https://www.postgresql.org/docs/current/wal-async-commit.html): when a transaction has
returned, a crash of the server does not undo it, so a checkpoint that somebody has seen is never lost.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hallmarked.core.errors import BackendError, InputError, NotFound
from hallmarked.ledger.store import Head, split_rows

SCHEMA = "hallmarked_ledger"
"""The PostgreSQL schema with the log's tables."""
LAYOUT = 1
"""Stored with the log. Raise it with every change of the tables below."""
PATIENCE = 30.0
"""Seconds to wait for another writer."""
CONNECT = 10
"""Seconds to wait for the server."""
PAGE = 512
"""Rows fetched at once when all are read."""

_TABLES = """
CREATE TABLE log (name TEXT NOT NULL, layout INTEGER NOT NULL);
CREATE TABLE leaf (idx BIGINT PRIMARY KEY, record BYTEA NOT NULL);
CREATE TABLE envelope (digest TEXT PRIMARY KEY, body BYTEA);
CREATE TABLE subject (
    value TEXT NOT NULL, algorithm TEXT NOT NULL, idx BIGINT NOT NULL, PRIMARY KEY (value, algorithm, idx)
);
CREATE TABLE indexed (stop BIGINT NOT NULL);
CREATE TABLE tile (level INTEGER NOT NULL, idx BIGINT NOT NULL, hashes BYTEA NOT NULL, PRIMARY KEY (level, idx));
CREATE TABLE checkpoint (size BIGINT PRIMARY KEY, root BYTEA NOT NULL, note TEXT NOT NULL);
CREATE TABLE signer (
    position BIGINT GENERATED ALWAYS AS IDENTITY, use TEXT NOT NULL, public BYTEA NOT NULL, PRIMARY KEY (use, public)
);
"""


def plain_url(url: str) -> str:
    """Return a database URL without the driver's name that SQLAlchemy puts into it (``postgresql+psycopg://``)."""
    return re.sub(r"^(postgres(?:ql)?)\+\w+://", r"\1://", url)


class PostgresStore:
    """Rows of one log (see :class:`hallmarked.ledger.store.Store`), for any number of threads and processes.

    Args:
        url: The database, as ``postgresql://user@host/name``; a driver's name after a plus sign is passed over.
        name: Make a log of this name when there is none; without it there must be one.

    Raises:
        NotFound: When there is no log and none shall be made.
        InputError: When the URL cannot be used, or the tables were made by something else or another version.
        BackendError: When the database cannot be reached.
    """

    def __init__(self, url: str, name: str | None = None) -> None:
        self._url = plain_url(url)
        try:
            parts = conninfo_to_dict(self._url)
        except psycopg.ProgrammingError:
            raise InputError("the log's database URL is not like postgresql://user@host/name") from None
        # NOTE: the URL may hold a password, so it is never shown.
        self.place = f"in the PostgreSQL database {parts.get('dbname', '')!r} on {parts.get('host', 'this machine')}"
        self._lock = threading.RLock()
        self._depth = 0
        self._let_go = False
        self._db = self._connect()
        try:
            with self._errors():
                self.origin = self._open(name)
        except BaseException:
            self._db.close()
            raise

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        # Prepared statements and settings of a session do not survive poolers that share connections.
        settings = f"-c search_path={SCHEMA} -c lock_timeout={int(PATIENCE * 1000)} -c statement_timeout=0"
        try:
            given = str(conninfo_to_dict(self._url).get("options") or "")
            info = make_conninfo(self._url, options=f"{given} {settings}".strip(), connect_timeout=CONNECT)
            return psycopg.connect(info, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            raise BackendError(f"cannot open the log {self.place}: {_first_line(error)}") from None

    def _open(self, name: str | None) -> str:
        if not self._exists():
            if name is None:
                raise NotFound(f"there is no log {self.place}")
            with self._transaction("BEGIN"):
                # Two programs may come at once, and there is no row yet to wait at.
                self._db.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (SCHEMA,))
                if not self._exists():
                    self._db.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
                    self._db.execute(_TABLES)
                    self._db.execute("INSERT INTO log VALUES (%s, %s)", (name, LAYOUT))
                    self._db.execute("INSERT INTO indexed VALUES (0)")
        rows = self._db.execute("SELECT * FROM log").fetchall()
        if len(rows) != 1 or len(rows[0]) != 2 or not isinstance(rows[0][0], str):
            raise BackendError(f"the log {self.place} is damaged: it does not know its own name")
        if rows[0][1] != LAYOUT:
            raise InputError(
                f"the log {self.place} was written by another version of hallmarked (layout {rows[0][1]}, not {LAYOUT})"
            )
        return rows[0][0]

    def _exists(self) -> bool:
        # NOTE: to_regclass() may answer from a cache that does not know yet what another program has just made.
        query: LiteralString = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = %s AND tablename = 'log'"
        return bool(self._db.execute(query, (SCHEMA,)).fetchall())

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what the database raises into one sentence."""
        try:
            yield
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            raise BackendError(f"the log {self.place} is in use by another program: {_first_line(error)}") from None
        except psycopg.Error as error:
            what = "is not reachable" if self._db.closed else "cannot be read or written, or is damaged"
            raise BackendError(f"the log {self.place} {what}: {_first_line(error)}") from None

    @contextmanager
    def _transaction(self, *begin: LiteralString) -> Iterator[None]:
        with self._lock:
            if self._depth:
                raise RuntimeError("transactions do not nest")
            self._depth += 1
            try:
                with self._errors():
                    self._execute(begin[0])
                    for sentence in begin[1:]:
                        self._db.execute(sentence)
                    yield
                self._commit()
            except BaseException:
                if not self._db.closed:
                    self._db.rollback()
                raise
            finally:
                self._depth -= 1

    def _commit(self) -> None:
        try:
            with self._errors():
                self._db.execute("COMMIT")
        except BackendError as error:
            if self._db.closed:
                # NOTE: the server may have finished the commit that it could not answer any more.
                raise BackendError(f"{error}; it is not known whether the last entries were logged") from None
            raise

    def _execute(self, query: LiteralString | sql.Composed, *values: object) -> psycopg.Cursor[tuple[Any, ...]]:
        """Execute what starts something new, over a new connection when the server went away since the last time."""
        for _ in range(2):
            if self._db.closed and not self._let_go:
                self._db = self._connect()
            try:
                return self._db.execute(query, values)
            except psycopg.OperationalError:
                if not self._db.closed or self._let_go:
                    raise
        raise BackendError(f"the log {self.place} is not reachable: the connection is lost again and again")

    def write(self) -> AbstractContextManager[None]:
        """Open a transaction that no other writer can overlap."""
        # Each statement sees what is committed when it starts, so all after the lock see the last writer's work.
        return self._transaction(
            "BEGIN ISOLATION LEVEL READ COMMITTED",
            "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'",
            "SELECT name FROM log FOR UPDATE",
        )

    def read(self) -> AbstractContextManager[None]:
        """Open a transaction in which all reads see one state."""
        return self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._let_go = True
            self._db.close()

    def _query(self, query: LiteralString | sql.Composed, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, self._errors():
            # In the middle of a transaction a new connection would be outside of it.
            done = self._db.execute(query, values) if self._depth else self._execute(query, *values)
            return done.fetchall()

    def _change(self, query: LiteralString, *values: object) -> int:
        with self._errors():
            return self._db.execute(query, values).rowcount

    def _change_many(self, query: LiteralString, rows: Iterable[Sequence[object]]) -> None:
        with self._errors(), self._db.cursor() as cursor:
            cursor.executemany(query, rows)

    def _pages(self, table: LiteralString, *columns: LiteralString) -> Iterator[tuple[Any, ...]]:
        """Yield all rows of a table in the order of its first column, a few at a time."""
        query = sql.SQL("SELECT {} FROM {} WHERE {} > %s ORDER BY {} LIMIT %s").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), *map(sql.Identifier, (table, columns[0], columns[0]))
        )
        last = -1
        while rows := self._query(query, last, PAGE):
            yield from rows
            last = rows[-1][0]

    def head(self) -> Head | None:
        """Return the last checkpoint."""
        rows = self._query("SELECT size, root, note FROM checkpoint ORDER BY size DESC LIMIT 1")
        return Head(*rows[0]) if rows else None

    def heads(self) -> Iterator[Head]:
        """Yield all checkpoints, oldest first."""
        return (Head(*row) for row in self._pages("checkpoint", "size", "root", "note"))

    def add_head(self, head: Head) -> None:
        """Add a checkpoint."""
        self._change("INSERT INTO checkpoint VALUES (%s, %s, %s)", head.size, head.root, head.note)

    def replace_note(self, size: int, note: str) -> None:
        """Replace a checkpoint's note by one with more signatures."""
        self._change("UPDATE checkpoint SET note = %s WHERE size = %s", note, size)

    def add_entries(self, start: int, leaves: Sequence[bytes], envelopes: Sequence[tuple[str, bytes]]) -> None:
        """Add leaves from index ``start``, and each one's envelope with its digest."""
        self._change_many("INSERT INTO leaf VALUES (%s, %s)", enumerate(leaves, start))
        self._change_many(
            "INSERT INTO envelope VALUES (%s, %s) ON CONFLICT (digest) DO UPDATE SET body = excluded.body", envelopes
        )

    def leaf(self, index: int) -> bytes | None:
        """Return one leaf."""
        rows = self._query("SELECT record FROM leaf WHERE idx = %s", index)
        return bytes(rows[0][0]) if rows else None

    def leaves(self) -> Iterator[tuple[int, bytes]]:
        """Yield index and bytes of all leaves, in order."""
        return ((row[0], bytes(row[1])) for row in self._pages("leaf", "idx", "record"))

    def envelope(self, digest: str) -> bytes | None:
        """Return an envelope; None when it was erased."""
        rows = self._query("SELECT body FROM envelope WHERE digest = %s", digest)
        if not rows:
            raise NotFound(f"the log has no envelope {digest}")
        return None if rows[0][0] is None else bytes(rows[0][0])

    def erase(self, digest: str, unlisted: Sequence[tuple[str, int]] = ()) -> None:
        """Erase an envelope, and rewrite the tables so that no page of theirs holds its bytes.

        Both happen or neither: rewriting a column leaves out what is deleted, whereas cleaning a table up keeps it
        while any transaction is open that began before.

        NOTE: the server's write-ahead log, its replicas and its backups hold them until these are recycled.
        """
        with self.write():
            if not self._change("UPDATE envelope SET body = NULL WHERE digest = %s", digest):
                raise NotFound(f"the log has no envelope {digest}")
            gone = split_rows(unlisted)
            self._change_many("DELETE FROM subject WHERE algorithm = %s AND value = %s AND idx = %s", gone)
            try:
                self._change("ALTER TABLE envelope ALTER COLUMN body TYPE bytea USING body || ''::bytea")
                self._change("ALTER TABLE subject ALTER COLUMN value TYPE text USING value || ''")
            except BackendError as error:
                raise BackendError(f"{error}; so nothing was erased; try again") from None

    def indexed(self) -> int:
        """Return how many entries, from the first on, are in the index of subjects."""
        return int(self._query("SELECT coalesce(max(stop), 0) FROM indexed")[0][0])

    def add_subjects(self, rows: Sequence[tuple[str, int]], stop: int) -> None:
        """Add rows to the index, which then covers the entries before ``stop``."""
        self._change_many(
            "INSERT INTO subject (algorithm, value, idx) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", split_rows(rows)
        )
        self._change("DELETE FROM indexed")
        self._change("INSERT INTO indexed VALUES (%s)", stop)

    def find(self, digest: str) -> list[int]:
        """Return the indexed entries about a digest, in order."""
        name, _, value = digest.rpartition(":")
        rows = self._query(
            "SELECT DISTINCT idx FROM subject WHERE value = %s AND (%s = '' OR algorithm = %s) ORDER BY idx",
            *(value, name, name),
        )
        return [row[0] for row in rows]

    def is_listed(self, digest: str, index: int) -> bool:
        """Say whether the index has a row."""
        name, _, value = digest.rpartition(":")
        query: LiteralString = "SELECT 1 FROM subject WHERE value = %s AND algorithm = %s AND idx = %s"
        return bool(self._query(query, value, name, index))

    def tile(self, level: int, index: int) -> bytes:
        """Return the hashes of a tile so far; empty when there are none."""
        rows = self._query("SELECT hashes FROM tile WHERE level = %s AND idx = %s", level, index)
        return bytes(rows[0][0]) if rows else b""

    def put_tiles(self, tiles: Sequence[tuple[int, int, bytes]]) -> None:
        """Store tiles, replacing narrower ones."""
        self._change_many(
            "INSERT INTO tile VALUES (%s, %s, %s) ON CONFLICT (level, idx) DO UPDATE SET hashes = excluded.hashes",
            tiles,
        )

    def keys(self, use: str) -> tuple[bytes, ...]:
        """Return the raw public keys that signed envelopes or checkpoints."""
        rows = self._query("SELECT public FROM signer WHERE use = %s ORDER BY position", use)
        return tuple(bytes(row[0]) for row in rows)

    def add_key(self, use: str, public: bytes) -> None:
        """Remember a public key."""
        self._change("INSERT INTO signer (use, public) VALUES (%s, %s) ON CONFLICT DO NOTHING", use, public)

    def faults(self) -> list[str]:
        """Ask whether the server came upon damaged pages (``pg_stat_database``)."""
        query: LiteralString = "SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()"
        failures = [row[0] for row in self._query(query)]
        return [f"the database server met {count} damaged pages" for count in failures if count]


def _first_line(error: psycopg.Error) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
