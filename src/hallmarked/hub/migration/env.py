"""Alembic's entry: it runs this file with the connection that :mod:`hallmarked.hub.migration.upgrade` gives it."""

from __future__ import annotations

from alembic import context

from hallmarked.hub.schema.every import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by making it anew
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
