"""Administrative acts as events in the ledger."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import pytest
from sqlalchemy import delete, select, update

from hallmarked.core.errors import InputError
from hallmarked.hub.event import BATCH, PREDICATE_TYPE, log_events, note_event, schema, subject_digest
from hallmarked.hub.schema.review import event
from hallmarked.hub.setting import Settings, Storage
from hallmarked.ledger.tile import read_entries
from hallmarked.ledger.verify import verify_bundle
from tests.hubs import RunningHub, open_test_hub


def note(running: RunningHub, count: int = 1) -> None:
    with running.hub.database.write() as db:
        for number in range(count):
            actor = running.actors["ada"].account_id
            note_event(db, "repository:gate:change", f"repository:{number}", account_id=actor, data={"gate": "manual"})


@pytest.fixture(params=["sqlite", "postgres"])
def running(request: pytest.FixtureRequest, tmp_path: Path):
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with open_test_hub(tmp_path, Settings(storage=Storage(data=str(tmp_path / "data"), database=url))) as made:
        made.person("ada")
        with made.hub.database.write() as db:
            db.execute(delete(event))  # what making the account noted
        yield made


def test_events_are_logged_once(running: RunningHub) -> None:
    """Each noted event becomes one entry, and its row knows which."""
    note(running, BATCH + 3)
    hub = running.hub
    assert log_events(hub.database, hub.journal) == BATCH + 3
    assert log_events(hub.database, hub.journal) == 0
    with hub.database.read() as db:
        entries = db.execute(select(event.c.entry)).scalars().all()
    assert sorted(entries) == list(range(BATCH + 3))
    assert hub.journal.find([subject_digest("repository:5")]) != []


def test_event_follows_its_schema(running: RunningHub) -> None:
    """The statement says who did what to what, under the published schema, and verifies."""
    note(running)
    log_events(running.hub.database, running.hub.journal)
    entry = verify_bundle(running.hub.journal.bundle([subject_digest("repository:0")])).entries[0]
    assert entry.predicate_type == PREDICATE_TYPE == json.loads(schema())["$id"]
    predicate = entry.statement["predicate"]
    jsonschema.validate(predicate, json.loads(schema()))
    assert (predicate["event"], predicate["actor"]) == ("repository:gate:change", running.actors["ada"].account_id)


def test_public_part_names_nobody(running: RunningHub) -> None:
    """The leaf holds neither the actor nor the subject nor what was done, in clear or as a digest."""
    note(running)
    log_events(running.hub.database, running.hub.journal)
    leaf = read_entries(running.hub.journal.tile(None, 0, 1))[0]
    envelope = json.loads(running.hub.journal.bundle([subject_digest("repository:0")]))["entries"][0]["bundle"]
    statement = base64.b64decode(envelope["dsseEnvelope"]["payload"])
    words = [running.actors["ada"].account_id, "repository", "event", subject_digest("repository:0")[7:]]
    assert all(word.encode() in statement for word in words)
    assert not any(word.encode() in leaf for word in words)


def test_crash_between_ledger_and_database(running: RunningHub) -> None:
    """An event that was logged and then not marked is marked, and not logged again."""
    note(running, 2)
    hub = running.hub
    log_events(hub.database, hub.journal)
    with hub.database.write() as db:
        db.execute(update(event).values(entry=None))
    note(running, 1)
    assert log_events(hub.database, hub.journal) == 1
    with hub.database.read() as db:
        assert sorted(db.execute(select(event.c.entry)).scalars()) == [0, 1, 2]


def test_two_processes_log_at_once(running: RunningHub) -> None:
    """Jobs that log events at the same time log each of them once."""
    note(running, 30)
    hub = running.hub
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: log_events(hub.database, hub.journal), range(4)))
    assert sum(counts) == 30
    assert len(read_entries(hub.journal.tile(None, 0, 30))) == 30


@pytest.mark.parametrize(
    ("tag", "subject"), [("", "repository:1"), ("Gate:Change", "repository:1"), ("gate", "repository:1"), ("a:b", "x")]
)
def test_malformed_events(running: RunningHub, tag: str, subject: str) -> None:
    """An event without its form is refused, so that the act it belongs to is not done either."""
    with running.hub.database.write() as db, pytest.raises(InputError):
        note_event(db, tag, subject)
