"""What was read is remembered for as long as nothing is committed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from hallmarked.hub import memory as module
from hallmarked.hub.clock import now
from hallmarked.hub.memory import Memory
from tests.hubs import RunningHub, open_test_hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as running:
        yield running


class Counter:
    """Counts how often a fact is read."""

    def __init__(self, until: int | None = None) -> None:
        self.times, self.until = 0, until

    def __call__(self) -> tuple[int, int]:
        self.times += 1
        return self.times, self.until if self.until is not None else now() + 60_000


def test_a_fact_is_read_once_until_something_is_committed(hub: RunningHub) -> None:
    """By this process, or by any other one that writes to the database."""
    memory, load = Memory(hub.hub.database), Counter()
    assert [memory.recall("a", load), memory.recall("a", load)] == [1, 1]
    hub.person("ada")
    assert [memory.recall("a", load), memory.recall("a", load)] == [2, 2]
    path = hub.hub.settings.data / "hub.sqlite3"
    other = sqlite3.connect(path)
    other.execute("UPDATE account SET full_name = 'Ada L.'")
    assert memory.recall("a", load) == 2
    other.commit()
    other.close()
    assert memory.recall("a", load) == 3


def test_what_is_committed_while_a_fact_is_read_is_not_missed(hub: RunningHub) -> None:
    """A fact that was read before a commit is not taken for one that was read after it."""
    memory = Memory(hub.hub.database)

    def load() -> tuple[str, int]:
        hub.person("bob")  # somebody commits after we have read
        return "old", now() + 60_000

    assert memory.recall("a", load) == "old"
    assert memory.recall("a", lambda: ("new", now() + 60_000)) == "new"


def test_a_fact_ends_by_the_clock_and_the_memory_is_bounded(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has run out is read again; too many facts are forgotten together."""
    monkeypatch.setattr(module, "MOST", 10)
    memory, load = Memory(hub.hub.database), Counter(until=now())
    assert [memory.recall("a", load), memory.recall("a", load)] == [1, 2]
    for number in range(100):
        memory.recall(number, Counter())
    state = memory.state()
    assert state is not None
    assert len(state.facts) <= 10


def test_without_a_number_for_the_state_nothing_is_remembered(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that cannot say whether it has changed is asked every time."""
    monkeypatch.setattr(hub.hub.database, "version", lambda: None)
    memory, load = Memory(hub.hub.database), Counter()
    assert [memory.recall("a", load), memory.recall("a", load)] == [1, 2]
