"""Making the indexes of data sets, and removing them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

for _module in ("pyarrow", "pydivsufsort"):
    pytest.importorskip(_module, reason="data sets are searched with the extra data")

from hallmarked.corpus.search.index import Index  # noqa: E402 -- after the skip
from hallmarked.hub.change.commit import Message, Put, commit  # noqa: E402
from hallmarked.hub.change.creation import create  # noqa: E402
from hallmarked.hub.job import passage  # noqa: E402
from hallmarked.hub.job.passage import index_due, indexing  # noqa: E402
from hallmarked.hub.passage.record import CLAIM, Standing, list_due, set_searchable, standing_of  # noqa: E402
from hallmarked.hub.repository.revision import find_revision  # noqa: E402
from hallmarked.hub.review.status import set_state  # noqa: E402
from hallmarked.hub.schema.passage import passage_index  # noqa: E402
from tests.hubs import RunningHub, open_test_hub  # noqa: E402

PASSAGE = "the miller kept two cats and neither of them ever caught a mouse"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as running:
        ada = running.actor("ada")
        with running.hub.database.write() as db:
            repo = create(db, ada, "dataset", "cats")
            card = b"---\nlicense: cc-by-4.0\n---\n# Cats\n"
            rows = "".join(json.dumps({"text": text}) + "\n" for text in (PASSAGE, "x")) + "broken\n"
            commit(db, repo, ada, [Put("README.md", card), Put("a.jsonl", rows.encode())], Message("push"))
            set_state(db, repo.id, find_revision(db, repo, "main").oid, "available", "")
            set_searchable(db, ada, repo, True)
        running.url = repo.id
        yield running


def _standing(running: RunningHub) -> Standing:
    with running.hub.database.read() as db:
        found = standing_of(db, running.url)
    assert found is not None
    return found


def test_an_index_has_the_licence_of_the_card_and_says_what_it_lacks(running: RunningHub) -> None:
    """Rows that name no licence have that of the card; rows that cannot be read are counted; nothing else is left."""
    assert index_due(running.hub) == 1
    found = _standing(running)
    assert (found.current, found.documents, found.missing, found.reason) == (True, 2, 1, "")
    (hit,) = Index.open(running.hub.settings.indexes / found.folder).hits(PASSAGE)
    assert hit.place.licence == "cc-by-4.0"
    assert [folder.name for folder in running.hub.settings.indexes.iterdir()] == [found.folder]


@pytest.mark.slow
def test_an_index_that_is_gone_is_made_again(running: RunningHub) -> None:
    """After a backup was restored there are no folders; indexes are made anew."""
    index_due(running.hub)
    shutil.rmtree(running.hub.settings.indexes)
    assert index_due(running.hub) == 1
    assert _standing(running).current


@pytest.mark.slow
def test_what_a_killed_process_began_is_taken_up(running: RunningHub) -> None:
    """A claim holds for a while; then somebody else makes the index, and what the first one left goes."""
    place = running.hub.settings.indexes
    (place / ".begun").mkdir(parents=True)
    os.utime(place / ".begun", (0, 0))
    with running.hub.database.write() as db:
        (due,) = list_due(db)
        claimed = {"claimed": passage_index.c.created, "tried": due.revision}
        db.execute(update(passage_index).values(**claimed))
    assert index_due(running.hub) == 0
    with running.hub.database.write() as db:
        db.execute(update(passage_index).values(claimed=passage_index.c.created - CLAIM - 1))
    assert index_due(running.hub) == 1
    assert [folder.name for folder in place.iterdir()] == [_standing(running).folder]


@pytest.mark.slow
def test_a_failure_is_said_and_tried_again_when_the_owner_asks(
    running: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that cannot be made says why, is not tried over and over, and is tried once more when the owner asks."""
    with monkeypatch.context() as patch:
        patch.setattr(passage, "index_data", _fail)
        assert (index_due(running.hub), index_due(running.hub)) == (0, 0)
    assert _standing(running).reason == "the index could not be made: the disk is full"
    with running.hub.database.write() as db:
        repo = passage.repository_of(db, running.url)
        set_searchable(db, running.actor("ada"), repo, True)
    assert index_due(running.hub) == 1
    assert _standing(running).reason == ""


def _fail(*_arguments: object, **_options: object) -> None:
    raise passage.BackendError("the disk is full")


@pytest.mark.slow
def test_an_owner_who_stops_it_meanwhile_is_heard(running: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the owner stops it while the index is made, nobody can ask, and the index goes."""
    make = passage.index_data

    def stop(*arguments: object, **options: object) -> object:
        made = make(*arguments, **options)  # type: ignore[arg-type]
        with running.hub.database.write() as db:
            set_searchable(db, running.actor("ada"), passage.repository_of(db, running.url), False)
        return made

    monkeypatch.setattr(passage, "index_data", stop)
    index_due(running.hub)
    with running.hub.database.read() as db:
        assert standing_of(db, running.url) is None
    assert not list(running.hub.settings.indexes.iterdir())


@pytest.mark.slow
def test_a_thread_makes_indexes(running: RunningHub) -> None:
    """In a server or worker indexes are made without anybody asking again."""
    with indexing(running.hub, every=0.05):
        for _ in range(600):
            if _standing(running).current:
                break
            passage.threading.Event().wait(0.1)
    assert _standing(running).current
