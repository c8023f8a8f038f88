"""Bring a database to the newest version, and compare one with what the code expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from hallmarked.hub.database import Database
from hallmarked.hub.migration.version import HEAD, lock, version_of
from hallmarked.hub.schema.every import metadata

HERE = Path(__file__).parent


def migrate(database: Database) -> tuple[str, str]:
    """Bring a database to the newest version, wholly or not at all.

    Returns:
        The version it had and the one it has.

    Raises:
        BackendError: When the database cannot be changed.
    """
    with database.write() as db:
        lock(db)
        before = version_of(db)
        command.upgrade(configuration(db), HEAD)
    return before or "none", HEAD


def differences(db: Connection) -> list[str]:
    """Return how a database's tables differ from what the code expects; tables of others beside them do not count."""

    def ours(thing: Any, _name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
        table = thing if kind == "table" else getattr(thing, "table", None)
        return not reflected or table is None or table.name in metadata.tables

    context = MigrationContext.configure(db, opts={"include_object": ours, "compare_type": True})
    return [str(change) for change in compare_metadata(context, metadata)]


def configuration(db: Connection | None = None) -> Config:
    """Return Alembic's configuration: its scripts lie beside this module."""
    found = Config()
    found.set_main_option("script_location", str(HERE))
    found.attributes["connection"] = db
    return found
