"""Logs in each kind of database."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger.place import Place


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place for a log: what holds in one kind of database must hold in each."""
    return Place(tmp_path / "log" if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
