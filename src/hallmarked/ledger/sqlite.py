"""A log in one SQLite file. All SQL of the ledger is here.

Write-ahead log and ``synchronous=FULL`` (https://www.sqlite.org/wal.html): when a transaction has returned, a power cut
does not undo it, so a checkpoint that somebody has seen is never lost.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from hallmarked.core.errors import BackendError, InputError, NotFound
from hallmarked.ledger.store import Head

APPLICATION_ID = 0x484D4C47  # "HMLG"
SCHEMA_VERSION = 1
PATIENCE = 30.0
"""Seconds to wait for another writer."""

_SCHEMA = """
CREATE TABLE log (origin TEXT NOT NULL);
CREATE TABLE leaf (idx INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE envelope (digest TEXT PRIMARY KEY, body BLOB);
CREATE TABLE tile (level INTEGER NOT NULL, idx INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, idx));
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, root BLOB NOT NULL, note TEXT NOT NULL);
CREATE TABLE signer (use TEXT NOT NULL, public BLOB NOT NULL, PRIMARY KEY (use, public));
"""


class SqliteStore:
    """Rows of one log in a SQLite file, for any number of threads and processes.

    Args:
        path: The database file.
        origin: Make a log of this name when there is none; without it the log must exist.

    Raises:
        NotFound: When there is no log and none shall be made.
        InputError: When the file is something else than a log, or one of a newer version.
        BackendError: When the file cannot be opened.
    """

    def __init__(self, path: Path, origin: str | None = None) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._depth = 0
        if origin is None and not path.is_file():
            raise NotFound(f"there is no log at {path}")
        try:
            self._db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        except (sqlite3.Error, OSError) as error:
            raise BackendError(f"cannot open the log {path}: {error}") from error
        try:
            with self._errors():
                self._open(origin)
        except BaseException:
            self._db.close()
            raise

    def _open(self, origin: str | None) -> None:
        self._identify(may_be_new=origin is not None)
        self._switch_to_wal()
        for pragma in ("synchronous=FULL", "fullfsync=1", "checkpoint_fullfsync=1"):
            self._db.execute(f"PRAGMA {pragma}")
        if origin is not None:
            with self.write():
                if not self._identify(may_be_new=True):
                    for sentence in _SCHEMA.split(";")[:-1]:
                        self._db.execute(sentence)
                    self._db.execute("INSERT INTO log VALUES (?)", (origin,))
                    self._db.execute(f"PRAGMA application_id={APPLICATION_ID}")
                    self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        rows = self._db.execute("SELECT origin FROM log").fetchall()
        if len(rows) != 1 or not isinstance(rows[0][0], str):
            raise BackendError(f"the log {self.path} is damaged: it does not know its own name")
        self.origin = rows[0][0]

    def _identify(self, *, may_be_new: bool) -> bool:
        """Say whether the file is a log already; False when it is empty and may become one."""
        found = self._db.execute("PRAGMA application_id").fetchone()[0]
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found == APPLICATION_ID:
            if version != SCHEMA_VERSION:
                raise InputError(f"the log {self.path} was written by another version of hallmarked (layout {version})")
            return True
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables or found or not may_be_new:
            raise InputError(f"{self.path} is not a log of hallmarked")
        return False

    def _switch_to_wal(self) -> None:
        # Switching needs the file for oneself, and SQLite does not wait for that as it waits for a writer.
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what SQLite raises into one sentence."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if "not a database" in str(error):
                raise InputError(f"{self.path} is not a log of hallmarked") from error
            busy = "locked" in str(error) or "busy" in str(error)
            what = "is in use by another program" if busy else "cannot be read or written, or is damaged"
            raise BackendError(f"the log {self.path} {what}: {error}") from error

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        with self._lock:
            if self._depth:
                raise RuntimeError("transactions do not nest")
            self._depth += 1
            try:
                with self._errors():
                    self._db.execute(begin)
                    try:
                        yield
                        self._db.execute("COMMIT")
                    except BaseException:
                        if self._db.in_transaction:
                            self._db.execute("ROLLBACK")
                        raise
            finally:
                self._depth -= 1

    def write(self) -> AbstractContextManager[None]:
        """Open a transaction that no other writer can overlap."""
        return self._transaction("BEGIN IMMEDIATE")

    def read(self) -> AbstractContextManager[None]:
        """Open a transaction in which all reads see one state."""
        return self._transaction("BEGIN")

    def head(self) -> Head | None:
        """Return the last checkpoint."""
        rows = self._query("SELECT size, root, note FROM checkpoint ORDER BY size DESC LIMIT 1")
        return self._head(rows[0]) if rows else None

    def heads(self) -> Iterator[Head]:
        """Yield all checkpoints, oldest first."""
        return (self._head(row) for row in self._stream("SELECT size, root, note FROM checkpoint ORDER BY size"))

    def add_head(self, head: Head) -> None:
        """Add a checkpoint."""
        with self._errors():
            self._db.execute("INSERT INTO checkpoint VALUES (?, ?, ?)", (head.size, head.root, head.note))

    def add_entries(self, start: int, leaves: Sequence[bytes], envelopes: Sequence[tuple[str, bytes]]) -> None:
        """Add leaves from index ``start``, and each one's envelope with its digest."""
        with self._errors():
            self._db.executemany("INSERT INTO leaf VALUES (?, ?)", enumerate(leaves, start))
            self._db.executemany(
                "INSERT INTO envelope VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET body = excluded.body", envelopes
            )

    def leaf(self, index: int) -> bytes | None:
        """Return one leaf."""
        rows = self._query("SELECT record FROM leaf WHERE idx = ?", index)
        return self._blob(rows[0][0]) if rows else None

    def leaves(self) -> Iterator[tuple[int, bytes]]:
        """Yield index and bytes of all leaves, in order."""
        return ((row[0], self._blob(row[1])) for row in self._stream("SELECT idx, record FROM leaf ORDER BY idx"))

    def envelope(self, digest: str) -> bytes | None:
        """Return an envelope; None when it was erased."""
        rows = self._query("SELECT body FROM envelope WHERE digest = ?", digest)
        if not rows:
            raise NotFound(f"the log has no envelope {digest}")
        return None if rows[0][0] is None else self._blob(rows[0][0])

    def erase(self, digest: str) -> None:
        """Erase an envelope so that its bytes are gone from the disk, and remember that it was erased."""
        with self._lock, self._errors():
            self._db.execute("PRAGMA secure_delete=ON")
            done = self._db.execute("UPDATE envelope SET body = NULL WHERE digest = ?", (digest,)).rowcount
            # What was written before still lies in the write-ahead log; moving it over truncates that file.
            if done and self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise BackendError(f"the log {self.path} is being read, so erased bytes are still on disk; try again")
            self._db.execute("PRAGMA secure_delete=OFF")
        if not done:
            raise NotFound(f"the log has no envelope {digest}")

    def tile(self, level: int, index: int) -> bytes:
        """Return the hashes of a tile so far; empty when there are none."""
        rows = self._query("SELECT hashes FROM tile WHERE level = ? AND idx = ?", level, index)
        return self._blob(rows[0][0]) if rows else b""

    def put_tiles(self, tiles: Sequence[tuple[int, int, bytes]]) -> None:
        """Store tiles, replacing narrower ones."""
        with self._errors():
            self._db.executemany("INSERT OR REPLACE INTO tile VALUES (?, ?, ?)", tiles)

    def keys(self, use: str) -> tuple[bytes, ...]:
        """Return the raw public keys that signed envelopes or checkpoints."""
        return tuple(
            self._blob(row[0]) for row in self._query("SELECT public FROM signer WHERE use = ? ORDER BY rowid", use)
        )

    def add_key(self, use: str, public: bytes) -> None:
        """Remember a public key."""
        with self._errors():
            self._db.execute("INSERT OR IGNORE INTO signer VALUES (?, ?)", (use, public))

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._db.close()

    def _blob(self, value: object) -> bytes:
        if not isinstance(value, bytes):
            raise BackendError(f"the log {self.path} is damaged: a value has the wrong type")
        return value

    def _head(self, row: tuple[Any, ...]) -> Head:
        if not (isinstance(row[0], int) and isinstance(row[2], str)):
            raise BackendError(f"the log {self.path} is damaged: a checkpoint has the wrong type")
        return Head(row[0], self._blob(row[1]), row[2])

    def _query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, self._errors():
            return self._db.execute(sql, values).fetchall()

    def _stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        with self._lock, self._errors(), closing(self._db.execute(sql)) as cursor:
            yield from cursor
