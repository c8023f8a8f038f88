"""Copies of a hub, taken while it serves, and hubs made from such copies.

The database comes first, in one state; the ledger after it, so that it holds at least what the database names; then the
files. What the ledger has beyond that is found again by its digest when an audit or an event is logged anew. DBOS's
tables are left out: every audit that is due is simply begun again.

Layout: ``manifest.json`` (written last: without it the copy is not whole), ``tables/`` with one file of JSON lines for
each table, ``ledger/`` with keys and log, ``secret``, ``consent/`` with the registry's keys unless the settings keep
them elsewhere, and ``blobs/``.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, LargeBinary, Table, func, insert, select

from hallmarked.core.errors import BackendError, InputError
from hallmarked.hub.blob.place import open_blobs
from hallmarked.hub.blob.store import BlobStore
from hallmarked.hub.clock import now, to_text
from hallmarked.hub.consent.key import FOLDER as CONSENT
from hallmarked.hub.database import Database
from hallmarked.hub.hub import Hub
from hallmarked.hub.journal import FOLDER
from hallmarked.hub.migration.version import HEAD, ensure_schema
from hallmarked.hub.schema.every import metadata
from hallmarked.hub.schema.object import blob
from hallmarked.hub.setting import Settings
from hallmarked.ledger.copy import copy_log
from hallmarked.ledger.ledger import LOG

MANIFEST, TABLES, BLOBS, SECRET = "manifest.json", "tables", "blobs", "secret"
FORMAT = 1
ROWS = 500
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Copied:
    """What a backup holds."""

    rows: int
    blobs: int
    size: int
    """Bytes of all large files."""
    entries: int
    """Of the ledger."""


def back_up(hub: Hub, target: Path) -> Copied:
    """Copy a hub into an empty folder.

    Raises:
        InputError: When the folder holds something already.
        BackendError: When something cannot be read or written.
    """
    _require_empty(target)
    try:
        target.mkdir(parents=True, exist_ok=True)
        target.chmod(0o700)  # all that is private is in it
        (target / TABLES).mkdir()
        rows, wanted = _write_tables(hub.database, target / TABLES)
        _copy_ledger(hub, target / FOLDER)
        shutil.copy2(hub.settings.data / SECRET, target / SECRET)
        _copy_keys(hub.settings.data / CONSENT, target / CONSENT)
        copies = open_blobs(str(target / BLOBS))
        size = sum(_copy_blob(hub.blobs, copies, sha256, target / BLOBS) for sha256 in wanted)
        made = Copied(rows, len(wanted), size, hub.journal.size)
        manifest = {"format": FORMAT, "schema": HEAD, "time": to_text(now()), "blobs": len(wanted), "rows": rows}
        _write_whole(target / MANIFEST, json.dumps(manifest, indent=1).encode())
    except (OSError, sqlite3.Error) as error:
        raise BackendError(f"the backup could not be written: {error}") from error
    return made


def restore(source: Path, settings: Settings) -> Copied:
    """Make a hub from a copy: its data folder, its database and its storage must be empty.

    Raises:
        InputError: When the copy is not whole or of another version, or something is there already.
        BackendError: When something cannot be read or written.
    """
    manifest = _read_manifest(source)
    _require_empty(settings.data)
    database = Database(settings.database_url)
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        ensure_schema(database)
        rows = _read_tables(database, source / TABLES)
        shutil.copytree(source / FOLDER, settings.data / FOLDER, ignore=shutil.ignore_patterns(f"{LOG}*"))
        url = settings.database_url if database.dialect == "postgresql" else None
        entries = copy_log(source / FOLDER / LOG, url or settings.data / FOLDER / LOG)
        shutil.copy2(source / SECRET, settings.data / SECRET)
        _copy_keys(source / CONSENT, settings.data / CONSENT)
        place = settings.storage.blobs or str(settings.data / BLOBS)
        copies, blobs = open_blobs(str(source / BLOBS)), open_blobs(place, settings.storage.endpoint)
        names = [sha256 for sha256, _, _ in copies.list()]
        size = sum(_copy_blob(copies, blobs, name, None if "://" in place else Path(place)) for name in names)
    except (OSError, sqlite3.Error) as error:
        raise BackendError(f"the backup could not be restored: {error}") from error
    finally:
        database.close()
    if rows != manifest["rows"] or len(names) != manifest["blobs"]:
        raise BackendError("the backup is damaged: it holds less than it says")
    return Copied(rows, len(names), size, entries)


def _write_tables(database: Database, folder: Path) -> tuple[int, list[str]]:
    """Write every table, all in one state; return how many rows there are, and which large files they need."""
    count = 0
    with database.snapshot() as db:
        for table in metadata.sorted_tables:
            with (folder / f"{table.name}.jsonl").open("wb") as out:
                for line in _lines(db, table):
                    out.write(line)
                    count += 1
                out.flush()
                os.fsync(out.fileno())
        wanted = list(db.execute(select(blob.c.sha256).where(blob.c.stored)).scalars())
    return count, wanted


def _lines(db: Connection, table: Table) -> Iterator[bytes]:
    for row in db.execute(select(table).execution_options(yield_per=ROWS)):
        values = [base64.b64encode(value).decode() if isinstance(value, bytes | memoryview) else value for value in row]
        yield json.dumps(values, ensure_ascii=False).encode() + b"\n"


def _read_tables(database: Database, folder: Path) -> int:
    count = 0
    with database.write() as db:
        for table in metadata.sorted_tables:
            if db.execute(select(func.count()).select_from(table)).scalar_one():
                raise InputError("the database is not empty: a backup is restored into an empty one")
            with (folder / f"{table.name}.jsonl").open("rb") as lines:
                batch: list[dict[str, Any]] = []
                for line in lines:
                    batch.append(_row(table, json.loads(line)))
                    count += 1
                    if len(batch) == ROWS:
                        db.execute(insert(table), batch)
                        batch = []
                if batch:
                    db.execute(insert(table), batch)
    return count


def _row(table: Table, values: list[Any]) -> dict[str, Any]:
    if len(values) != len(table.columns):
        raise InputError(f"the backup's table {table.name} has other columns than this version expects")
    return {
        column.name: base64.b64decode(value) if isinstance(column.type, LargeBinary) and value is not None else value
        for column, value in zip(table.columns, values, strict=True)
    }


def _copy_ledger(hub: Hub, target: Path) -> None:
    """Copy keys and log; the log as a file, wherever it lies."""
    home = hub.settings.data / FOLDER
    shutil.copytree(home, target, ignore=shutil.ignore_patterns(f"{LOG}*"))
    if hub.database.dialect == "postgresql":
        copy_log(hub.settings.database_url, target / LOG)
    else:
        with closing(sqlite3.connect(home / LOG)) as source, closing(sqlite3.connect(target / LOG)) as copy:
            source.backup(copy)


def _copy_blob(source: BlobStore, target: BlobStore, sha256: str, folder: Path | None) -> int:
    """Copy a large file, by another name for the same bytes where the disk can do that; return its size."""
    size = target.size(sha256)
    if size is not None:
        return size
    path = source.path(sha256)
    if path is not None and folder is not None:
        place = folder / sha256[:2] / sha256[2:4] / sha256
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, place)
        except OSError:
            pass  # another disk
        else:
            return place.stat().st_size
    with source.open(sha256) as stream, target.receive() as incoming:
        while data := stream.read(CHUNK):
            incoming.write(data)
        return incoming.finish(sha256).size


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already and not empty")


def _copy_keys(source: Path, target: Path) -> None:
    """Copy the keys of the registry of consents; a hub where nobody made a request has none."""
    if source.is_dir():
        shutil.copytree(source, target)


def _read_manifest(source: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((source / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{source} is not a whole backup: it has no {MANIFEST} that can be read") from error
    if manifest.get("format") != FORMAT or manifest.get("schema") != HEAD:
        raise InputError(f"the backup is of version {manifest.get('schema')}, and this program needs {HEAD}")
    return manifest


def _write_whole(path: Path, data: bytes) -> None:
    draft = path.with_suffix(".partial")
    with draft.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    draft.rename(path)
