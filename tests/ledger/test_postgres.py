"""What is particular about a log in PostgreSQL; what holds for every log is in test_log."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from hallmarked.core.errors import BackendError, InputError, NotFound
from hallmarked.ledger.ledger import Ledger, read_log
from hallmarked.ledger.log import Log
from hallmarked.ledger.place import open_store
from tests import postgres
from tests.ledger.place import Place
from tests.ledger.support import LOG_KEY, NOW, ORIGIN, make_entry, make_statement

PASSWORD = "hunter2-is-a-secret"


@pytest.fixture
def place(postgres_url: str) -> Place:
    return Place(postgres_url)


def test_urls_of_sqlalchemy(place: Place) -> None:
    """A URL that names a driver means the same database."""
    url = str(place.where).replace("postgresql://", "postgresql+psycopg://")
    with closing(Log(open_store(url, ORIGIN), LOG_KEY)) as log:
        log.append([make_entry(0)])
    assert place.check() == (1, ())


def test_database_without_a_log(place: Place) -> None:
    """A reader makes no log where none is."""
    with pytest.raises(NotFound, match="there is no log in the PostgreSQL database"):
        open_store(str(place.where))
    assert place.edit("SELECT to_regclass('hallmarked_ledger.log')") == [(None,)]


def test_log_beside_other_tables(place: Place) -> None:
    """Tables of others are left alone, whatever their names."""
    place.edit("CREATE TABLE public.leaf (theirs TEXT)")
    place.edit("INSERT INTO public.leaf VALUES ('kept')")
    place.fill(range(2)).close()
    assert place.check() == (2, ())
    assert place.edit("SELECT * FROM public.leaf") == [("kept",)]


def test_foreign_tables_are_refused(place: Place) -> None:
    """Tables under our name that somebody else made, or a later version, are not used."""
    place.edit("CREATE SCHEMA hallmarked_ledger")
    place.edit("CREATE TABLE hallmarked_ledger.log (x INTEGER)")
    with pytest.raises(BackendError, match="does not know its own name"):
        open_store(str(place.where), ORIGIN)
    place.edit("DROP SCHEMA hallmarked_ledger CASCADE")
    place.fill(range(1)).close()
    place.edit("UPDATE log SET layout = 99")
    with pytest.raises(InputError, match=r"another version of hallmarked \(layout 99, not 1\)"):
        place.open()


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        (f"postgresql://me:{PASSWORD}@/x?host=/nowhere", BackendError, "cannot open the log"),
        (f"postgresql://me:{PASSWORD}@/x?nonsense=1", InputError, "not like postgresql://user@host/name"),
        (f"mysql://me:{PASSWORD}@host/x", InputError, "a URL like postgresql://user@host/name"),
    ],
)
def test_unusable_urls(url: str, error: type[Exception], words: str) -> None:
    """What cannot be reached or understood is said in one sentence without the password."""
    postgres.skip_without()
    with pytest.raises(error, match=words) as caught:
        open_store(url, ORIGIN)
    assert PASSWORD not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_server_that_was_restarted(place: Place) -> None:
    """After the server cut the connection, the next use makes another one."""
    log = place.fill(range(1))
    cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = ?"
    ((name,),) = place.edit("SELECT current_database()")
    place.edit(cut, name)
    assert log.append([make_entry(1)])[0].index == 1
    place.edit(cut, name)
    assert log.size == 2
    assert log.check().faults == ()
    log.close()


def test_connection_lost_in_a_transaction(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction whose connection is cut ends with an error and leaves nothing, and the next one works."""
    log = place.fill(range(1))
    ((name,),) = place.edit("SELECT current_database()")
    cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = ?"
    with monkeypatch.context() as patch:
        patch.setattr(place.add_head, lambda self, head: place.edit(cut, name))
        with pytest.raises(BackendError, match="not known whether the last entries were logged"):
            log.append([make_entry(1)])
    assert log.size == 1
    assert log.append([make_entry(2)])[0].index == 1
    log.close()


def test_closed_log_stays_closed(place: Place) -> None:
    """A log that was let go of does not come back by itself."""
    log = place.fill(range(1))
    log.close()
    with pytest.raises(BackendError):
        log.checkpoint()


def test_ledger_with_its_log_in_a_database(place: Place, tmp_path: Path) -> None:
    """Keys and trust stay in the folder, the log lies in the database, and other keys do not open it."""
    url = str(place.where)
    with Ledger.open(tmp_path / "a", url=url) as ledger:
        receipt = ledger.attest([make_statement(1)], time=NOW)[0]
        assert b"evidence" in ledger.export_bundle([receipt])
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["log.pem", "maker.pem", "trust.json"]
    with Ledger.open(tmp_path / "a", url=url, create=False) as ledger:
        assert ledger.attest([make_statement(2)], time=NOW)[0].index == 1
    with closing(read_log(tmp_path / "a", url)) as log:
        assert log.size == 2
    with pytest.raises(InputError, match="not the one that signs the log"):
        Ledger.open(tmp_path / "b", url=url)
    with pytest.raises(NotFound, match="there is no ledger"):
        Ledger.open(tmp_path / "c", url=url, create=False)


def test_driver_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who keeps logs in files needs no driver, and who needs one is told what to install."""
    code = "import sys, hallmarked.ledger.ledger; sys.exit('psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "hallmarked.ledger.postgres", raising=False)
    with pytest.raises(InputError, match="needs psycopg: pip install"):
        open_store("postgresql://host/x", ORIGIN)
