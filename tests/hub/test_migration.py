"""The schema over time: what the steps make is what the code expects, and nothing else is served."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from hallmarked.core.errors import InputError
from hallmarked.hub.database import Database
from hallmarked.hub.migration import upgrade, write
from hallmarked.hub.migration.upgrade import configuration, differences, migrate
from hallmarked.hub.migration.version import HEAD, ensure_schema, version_of
from hallmarked.hub.schema.every import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    made = Database(
        f"sqlite:///{tmp_path / 'hub.sqlite3'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    yield made
    made.close()


def test_steps_lead_to_what_the_code_expects(database: Database) -> None:
    """A database that all steps made has the tables, columns and indexes of the code.

    When this fails after a change of the schema: ``python -m hallmarked.hub.migration.write --initial`` (until the
    first release; afterwards with a message instead), and set HEAD.
    """
    assert migrate(database) == ("none", HEAD)
    with database.read() as db:
        assert differences(db) == []
        assert version_of(db) == HEAD
    assert migrate(database) == (HEAD, HEAD)
    ensure_schema(database)


def test_an_empty_database_gets_the_newest_version_at_once(database: Database) -> None:
    """What is made for a new hub is what the steps lead to."""
    ensure_schema(database)
    with database.read() as db:
        assert differences(db) == []
        assert version_of(db) == HEAD
    ensure_schema(database)


@pytest.mark.parametrize("version", ["0000", None])
def test_another_version_is_refused_in_one_sentence(database: Database, version: str | None) -> None:
    """A database of another version, or with tables that nobody versioned, is not touched."""
    ensure_schema(database)
    with database.write() as db:
        if version:
            db.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
        else:
            db.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(InputError, match="hallmarked admin migrate"):
        ensure_schema(database)


def test_a_difference_is_seen(database: Database) -> None:
    """The comparison these tests rest on sees a column that is missing."""
    ensure_schema(database)
    with database.write() as db:
        db.execute(text("ALTER TABLE draft DROP COLUMN reason"))
    with database.read() as db:
        assert "reason" in str(differences(db))


def test_head_is_the_last_step() -> None:
    """The version that programs ask for is the last one there is a script for."""
    assert ScriptDirectory.from_config(configuration()).get_heads() == [HEAD]
    assert "repository" in metadata.tables


def test_writing_a_step_leaves_nothing_else_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is written where the steps are, and no file where it is called."""
    here, elsewhere = tmp_path / "migration", tmp_path / "elsewhere"
    shutil.copytree(upgrade.HERE, here, ignore=shutil.ignore_patterns("__pycache__"))
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    for module in (upgrade, write):
        monkeypatch.setattr(module, "HERE", here)
    write.main(["Nothing new"])
    assert [path.name for path in (here / "versions").glob("0002*")] == ["0002_nothing_new.py"]
    assert list(elsewhere.iterdir()) == []
