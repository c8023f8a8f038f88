"""Rows of a hub's data sets in which somebody's identifiers stand."""

import json

import pytest

from hallmarked.core.errors import InputError, NotFound
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.job.personal import find_personal
from hallmarked.hub.repository.repository import find_repository
from tests.hubs import RunningHub

ROWS = [
    {"text": f"letter {number} to {'ada@example.org' if number % 40 == 7 else 'somebody'}"} for number in range(200)
]


@pytest.fixture
def letters(hub: RunningHub) -> RunningHub:
    """A hub with a data set of two tables and a broken one."""
    ada = hub.actor("ada")
    lines = "\n".join(map(json.dumps, ROWS)).encode()
    files = {"a.jsonl": lines, "b/rows.csv": b"who,what\nADA@example.org,poem\nbea,song\n", "c.parquet": b"PAR1 broken"}
    with hub.hub.database.write() as db:
        create(db, ada, "dataset", "letters")
    with hub.hub.database.write() as db:
        repo = find_repository(db, "dataset", "ada/letters")
        commit(db, repo, ada, [Put(path, data) for path, data in files.items()], Message("rows"))
    return hub


def test_every_planted_row_is_exported(letters: RunningHub) -> None:
    """From all tables, with path and number; what could not be read is named."""
    found = find_personal(letters.hub, "ada/letters", ["ada@example.org"])
    rows = [json.loads(line) for line in found.rows.splitlines()]
    expected = {("a.jsonl", number + 1) for number in range(200) if number % 40 == 7} | {("b/rows.csv", 1)}
    assert {(row["path"], row["row"]) for row in rows} == expected
    assert (found.tables, found.searched, found.found) == (3, 202, len(expected))
    assert len(found.unread) == 1
    assert found.unread[0].startswith("c.parquet: ")


def test_what_cannot_be_searched_is_said(letters: RunningHub) -> None:
    """No data set of that name; nothing to search for."""
    with pytest.raises(NotFound):
        find_personal(letters.hub, "ada/none", ["ada@example.org"])
    with pytest.raises(InputError):
        find_personal(letters.hub, "ada/letters", ["ad"])
