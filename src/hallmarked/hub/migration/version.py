"""Which version of the schema a database has, and which one this installation needs. Alembic is not needed for that."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from hallmarked.core.errors import InputError
from hallmarked.hub.database import Database
from hallmarked.hub.schema.every import metadata

HEAD = "0001"
"""The newest revision in ``versions``."""
TABLE = "alembic_version"
_LOCK = 0x686D6D69
"""Keeps two processes from making the tables of one PostgreSQL database at once."""


def ensure_schema(database: Database) -> None:
    """Make the tables of an empty database; refuse one of another version.

    Raises:
        InputError: When the database has tables of another version.
        BackendError: When it cannot be read or written.
    """
    with database.write() as db:
        lock(db)
        found = version_of(db)
        if found is None:
            metadata.create_all(db)
            stamp(db)
        elif found != HEAD:
            raise InputError(
                f"the database is of version {found or 'none'} and this program needs {HEAD}:"
                " make a backup, then run `hallmarked admin migrate`"
            )


def version_of(db: Connection) -> str | None:
    """Return the version of a database; empty when it has tables without one; None when it has no tables."""
    names = set(inspect(db).get_table_names())
    if TABLE in names:
        return str(db.execute(text(f"SELECT version_num FROM {TABLE}")).scalar() or "")  # noqa: S608 - a constant
    return "" if "repository" in names else None


def stamp(db: Connection) -> None:
    """Write down that a database has the newest version."""
    db.execute(text(f"CREATE TABLE {TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    db.execute(text(f"INSERT INTO {TABLE} VALUES (:head)"), {"head": HEAD})  # noqa: S608 - a constant


def lock(db: Connection) -> None:
    """Let no other process make or change tables until the transaction ends; on SQLite writing does that by itself."""
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
