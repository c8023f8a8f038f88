"""A log, or what a witness has seen, in one SQLite file. All SQL of the ledger is here.

Write-ahead log and ``synchronous=FULL`` (https://www.sqlite.org/wal.html): when a transaction has returned, a power cut
does not undo it, so a checkpoint that somebody has seen is never lost.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar

from hallmarked.core.errors import BackendError, InputError, NotFound
from hallmarked.ledger.store import Head, split_rows

SCHEMA_VERSION = 1
"""Stored in every file as ``user_version``. Raise it with every change of the tables below."""
PATIENCE = 30.0
"""Seconds to wait for another writer."""

_LOG_SCHEMA = """
CREATE TABLE log (name TEXT NOT NULL);
CREATE TABLE leaf (idx INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE envelope (digest TEXT PRIMARY KEY, body BLOB);
CREATE TABLE tile (level INTEGER NOT NULL, idx INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, idx));
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, root BLOB NOT NULL, note TEXT NOT NULL);
CREATE TABLE signer (use TEXT NOT NULL, public BLOB NOT NULL, PRIMARY KEY (use, public));
"""
_INDEX_SCHEMA = """
CREATE TABLE IF NOT EXISTS subject (
    value TEXT NOT NULL, algorithm TEXT NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (value, algorithm, idx)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS indexed (stop INTEGER NOT NULL);
"""
"""A view over the entries. Logs that lack it are read without, and get it with the next entry."""
_WITNESS_SCHEMA = """
CREATE TABLE log (name TEXT NOT NULL);
CREATE TABLE seen (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL);
"""


def _sentences(schema: str) -> list[str]:
    return [sentence.strip() for sentence in schema.split(";")[:-1]]


class _Database:
    """One SQLite file of ours, for any number of threads and processes.

    Args:
        path: The file.
        name: Make one of this name when there is none; without it the file must exist.

    Raises:
        NotFound: When there is no file and none shall be made.
        InputError: When the file is something else, or was written by another version.
        BackendError: When the file cannot be opened.
    """

    _application: ClassVar[int]
    _schema: ClassVar[str]
    _what: ClassVar[str]

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._depth = 0
        if name is None and not os.path.isfile(path):  # unlike pathlib, false where nothing may be read
            raise NotFound(f"there is no {self._what} at {path}")
        try:
            self._db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        except (sqlite3.Error, OSError) as error:
            raise BackendError(f"cannot open the {self._what} {path}: {error}") from error
        try:
            with self._errors():
                self._open(name)
        except BaseException:
            self._db.close()
            raise

    def _open(self, name: str | None) -> None:
        self._identify(may_be_new=name is not None)
        self._switch_to_wal()
        for pragma in ("secure_delete=ON", "synchronous=FULL", "fullfsync=1", "checkpoint_fullfsync=1"):
            self._db.execute(f"PRAGMA {pragma}")
        if name is not None:
            with self.write():
                if not self._identify(may_be_new=True):
                    for sentence in _sentences(self._schema):
                        self._db.execute(sentence)
                    self._db.execute("INSERT INTO log VALUES (?)", (name,))
                    self._db.execute(f"PRAGMA application_id={self._application}")
                    self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        rows = self._db.execute("SELECT name FROM log").fetchall()
        if len(rows) != 1 or not isinstance(rows[0][0], str):
            raise BackendError(f"the {self._what} {self.path} is damaged: it does not know its own name")
        self.origin: str = rows[0][0]

    def _identify(self, *, may_be_new: bool) -> bool:
        """Say whether the file is a log already; False when it is empty and may become one."""
        found = self._db.execute("PRAGMA application_id").fetchone()[0]
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found == self._application:
            if version != SCHEMA_VERSION:
                raise InputError(
                    f"the {self._what} {self.path} was written by another version of hallmarked (layout {version}, "
                    f"not {SCHEMA_VERSION}); keep it with that version, and move it away to begin a new one"
                )
            self._compare_layout()
            return True
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables or found or not may_be_new:
            raise InputError(f"{self.path} is not a {self._what} of hallmarked")
        return False

    def _compare_layout(self) -> None:
        """Refuse tables of another make before a query trips over them; SQLite keeps the text that made each one."""
        made = {str(row[0]) for row in self._db.execute("SELECT sql FROM sqlite_master WHERE type = 'table'")}
        if not made.issuperset(_sentences(self._schema)):
            raise InputError(
                f"the {self._what} {self.path} was written by another version of hallmarked, or is damaged: its tables "
                f"are not those of layout {SCHEMA_VERSION}; move it away to begin a new one"
            )

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
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if "not a database" in str(error):
                raise InputError(f"{self.path} is not a {self._what} of hallmarked") from error
            busy = "locked" in str(error) or "busy" in str(error)
            what = "is in use by another program" if busy else "cannot be read or written, or is damaged"
            raise BackendError(f"the {self._what} {self.path} {what}: {error}") from error

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

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._db.close()

    def _query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, self._errors():
            return self._db.execute(sql, values).fetchall()

    def _stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        with self._lock, self._errors(), closing(self._db.execute(sql)) as cursor:
            yield from cursor


class SqliteStore(_Database):
    """Rows of one log (see :class:`hallmarked.ledger.store.Store`)."""

    _application = 0x484D4C47  # "HMLG"
    _schema = _LOG_SCHEMA
    _what = "log"

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

    def replace_note(self, size: int, note: str) -> None:
        """Replace a checkpoint's note by one with more signatures."""
        with self._errors():
            self._db.execute("UPDATE checkpoint SET note = ? WHERE size = ?", (note, size))

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

    def erase(self, digest: str, unlisted: Sequence[tuple[str, int]] = ()) -> None:
        """Erase an envelope so that its bytes are gone from the disk, and remember that it was erased."""
        with self._lock, self._errors():
            with self.write():
                done = self._db.execute("UPDATE envelope SET body = NULL WHERE digest = ?", (digest,)).rowcount
                if unlisted:
                    self._db.executemany(
                        "DELETE FROM subject WHERE algorithm = ? AND value = ? AND idx = ?", split_rows(unlisted)
                    )
            # What was written before still lies in the write-ahead log; moving it over truncates that file.
            if done and self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise BackendError(f"the log {self.path} is being read, so erased bytes are still on disk; try again")
        if not done:
            raise NotFound(f"the log has no envelope {digest}")

    def indexed(self) -> int:
        """Return how many entries, from the first on, are in the index of subjects."""
        if not self._query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'indexed'"):
            return 0
        rows = self._query("SELECT max(stop) FROM indexed")
        return rows[0][0] if isinstance(rows[0][0], int) else 0

    def add_subjects(self, rows: Sequence[tuple[str, int]], stop: int) -> None:
        """Add rows to the index, which then covers the entries before ``stop``."""
        with self._errors():
            for sentence in _sentences(_INDEX_SCHEMA):
                self._db.execute(sentence)
            self._db.executemany(
                "INSERT OR IGNORE INTO subject (algorithm, value, idx) VALUES (?, ?, ?)", split_rows(rows)
            )
            self._db.execute("DELETE FROM indexed")
            self._db.execute("INSERT INTO indexed VALUES (?)", (stop,))

    def find(self, digest: str) -> list[int]:
        """Return the indexed entries about a digest, in order."""
        name, _, value = digest.rpartition(":")
        if not self.indexed():
            return []
        rows = self._query(
            "SELECT DISTINCT idx FROM subject WHERE value = ? AND (? = '' OR algorithm = ?) ORDER BY idx",
            *(value, name, name),
        )
        return [row[0] for row in rows]

    def is_listed(self, digest: str, index: int) -> bool:
        """Say whether the index has a row."""
        name, _, value = digest.rpartition(":")
        sql = "SELECT 1 FROM subject WHERE value = ? AND algorithm = ? AND idx = ?"
        return bool(self._query(sql, value, name, index))

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

    def _blob(self, value: object) -> bytes:
        if not isinstance(value, bytes):
            raise BackendError(f"the log {self.path} is damaged: a value has the wrong type")
        return value

    def _head(self, row: tuple[Any, ...]) -> Head:
        if not (isinstance(row[0], int) and isinstance(row[2], str)):
            raise BackendError(f"the log {self.path} is damaged: a checkpoint has the wrong type")
        return Head(row[0], self._blob(row[1]), row[2])

    def faults(self) -> list[str]:
        """Let SQLite look for damage in its own structures."""
        rows = self._query("PRAGMA integrity_check(20)")
        return [str(row[0]) for row in rows if row[0] != "ok"]


class SqliteMemory(_Database):
    """What a witness has seen (see :class:`hallmarked.ledger.witness.Memory`)."""

    _application = 0x484D5754  # "HMWT"
    _schema = _WITNESS_SCHEMA
    _what = "witness's memory"

    def last(self, origin: str) -> Head | None:
        """Return the last checkpoint seen of a log."""
        rows = self._query("SELECT size, root, note FROM seen WHERE origin = ?", origin)
        return Head(*rows[0]) if rows else None

    def replace(self, origin: str, old: Head | None, new: Head) -> bool:
        """Remember a checkpoint, durably, unless another one than ``old`` was remembered meanwhile."""
        with self.write():
            if self.last(origin) != old:
                return False
            self._db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)", (origin, new.size, new.root, new.note))
        return True
