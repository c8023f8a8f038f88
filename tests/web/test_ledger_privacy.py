"""What strangers can read of the hub's log tells nothing about repositories that are not public."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.event import log_events, note_event
from hallmarked.hub.repository.repository import change_settings, delete_repository, find_repository
from hallmarked.hub.review.reason import log_decisions
from hallmarked.hub.schema.account import account
from hallmarked.hub.schema.repository import repository
from hallmarked.hub.schema.review import audit
from hallmarked.ledger.tile import list_tiles, read_entries, tile_path
from hallmarked.web.app import create_app
from tests.hubs import RunningHub, open_test_hub

PICKLE = b"cos\nsystem\n(S'true'\ntR."


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as made:
        yield made


def make(running: RunningHub, name: str, path: str, *, visibility: str = "public", gate: str = "") -> str:
    """Make a repository with a file that is held back, audit it, log everything, and return its commit."""
    actor = running.actor("ada")
    with running.hub.database.write() as db:
        repo = create(db, actor, "model", name, visibility=visibility)
        if gate:
            change_settings(db, repo.id, gate=gate)
        made = commit(db, repo, actor, [Put(path, PICKLE + name.encode())], Message(f"Add {path}"))
        note_event(db, "repository:file:add", f"repository:{repo.id}", account_id=actor.account_id, data={"path": path})
    running.audit_all()
    log_events(running.hub.database, running.hub.journal)
    log_decisions(running.hub.database, running.hub.journal)
    return made.oid


def opened(text: str) -> str:
    """Return a text with what its base64 members hold."""
    found = [text]
    for word in text.replace('"', " ").split():
        if len(word) > 40:
            try:
                found.append(base64.b64decode(word, validate=True).decode("utf-8", "replace"))
            except (binascii.Error, ValueError):
                continue
    return "\n".join(found)


def all_that_strangers_read(client: TestClient, size: int) -> dict[str, str]:
    """Fetch every tile, entry and page of the log, and the moderation log, without signing in."""
    read = {}
    tiles = [*list_tiles(size), *((None, index, width) for level, index, width in list_tiles(size) if level == 0)]
    for level, index, width in tiles:
        path = tile_path(level, index, width)
        data = client.get(f"/ledger/{path}").raise_for_status().content
        whole = b"\n".join(read_entries(data)) if level is None else data
        read[path] = whole.decode("utf-8", "replace")
    places = ["ledger/checkpoint", "ledger/key", "ledger/trust.json", "ledger", "ledger.json", "moderation"]
    places += ["moderation.json", "api/hallmarked/moderation"]
    for index in range(size):
        places += [f"ledger/entries/{index}", f"ledger/entry/{index}", f"ledger/entry/{index}.json"]
        places += [f"ledger?before={index}"]
    for path in places:
        read[path] = opened(client.get(f"/{path}").text)
    return read


@pytest.mark.slow
def test_the_log_names_nothing_that_is_not_public(running: RunningHub) -> None:
    """No tile, entry or page has a name, path or digest of a private repository; those of gated ones are public."""
    hidden = make(running, "clinic-berlin", "patients-of-ward-7.pkl", visibility="private")
    gated = make(running, "on-request", "weights-on-request.pkl", gate="manual")
    size = running.hub.journal.size
    with running.hub.database.read() as db:
        rows = {row.revision: row for row in db.execute(select(audit))}
    folder = rows[hidden].statements[0]["subject"][0]["digest"]["dirHash"]
    digest = hashlib.sha256(PICKLE + b"clinic-berlin").hexdigest()
    read = all_that_strangers_read(TestClient(create_app(running.hub)), size)
    for place, text in read.items():
        for secret in ("clinic-berlin", "patients-of-ward-7", hidden, folder, digest):
            assert secret not in text, (place, secret)
    assert len(rows[hidden].entries) == len(rows[gated].entries) > 5
    told = " ".join(read[f"ledger/entries/{index}"] for index in rows[gated].entries)
    assert "ada/on-request" in told
    assert "weights-on-request.pkl" in told


@pytest.mark.slow
@pytest.mark.parametrize("act", ["private", "deleted", "disabled", "owner disabled"])
def test_what_was_public_is_shown_no_more(running: RunningHub, act: str) -> None:
    """Once a repository is private, deleted or disabled, the statements that name it and its files are not shown."""
    make(running, "once-public", "seen-by-all.pkl")
    client = TestClient(create_app(running.hub))
    size = running.hub.journal.size
    before = all_that_strangers_read(client, size)
    assert any("seen-by-all.pkl" in text for text in before.values())
    with running.hub.database.write() as db:
        repo = find_repository(db, "model", "ada/once-public")
        if act == "private":
            change_settings(db, repo.id, visibility="private")
        elif act == "deleted":
            delete_repository(db, repo.id)
        elif act == "owner disabled":
            db.execute(update(account).where(account.c.name == "ada").values(disabled=1))
        else:
            db.execute(update(repository).where(repository.c.id == repo.id).values(disabled="unlawful"))
    after = all_that_strangers_read(client, size)
    for place, text in after.items():
        assert "once-public" not in text, place
        assert "seen-by-all" not in text, place
    tiles = {path for path in before if path.startswith("tile/")}
    assert len(tiles) > 1
    assert {path: before[path] for path in tiles} == {path: after[path] for path in tiles}
    if act == "private":
        mine = {"Authorization": f"Bearer {running.person('ada')}"}
        evidence = client.get("/ada/once-public/evidence/main.json", headers=mine)
        assert "seen-by-all.pkl" in opened(json.dumps(evidence.json()))
