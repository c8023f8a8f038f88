"""Which commit last changed each file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hallmarked.hub.change.commit import Delete, Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.change.history import list_steps
from hallmarked.hub.change.last import find_last_changes
from hallmarked.hub.git.tree import find
from hallmarked.hub.repository.revision import find_entries, find_revision, list_entries
from tests.hubs import RunningHub, open_test_hub

PATHS = ("a", "b", "d/a", "d/b", "d/e/a", "d/e/b", "f/g/h/i")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def number() -> Iterator[int]:
    return iter(range(10_000))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(PATHS), st.sampled_from(["", "x", "y"]), min_size=1), max_size=8))
def test_each_file_and_folder_has_the_commit_that_made_it(
    hub: RunningHub, number: Iterator[int], history: list[dict[str, str]]
) -> None:
    """What is said of every path is what a look at every commit, one after the other, finds."""
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        repo = create(db, ada, "model", f"m{next(number)}")
        for changes in history:
            at = find_revision(db, repo, "main")
            made = [
                Put(path, text.encode()) if text else Delete(path)
                for path, text in changes.items()
                if text or find(db, at.tree, path) is not None
            ]
            commit(db, repo, ada, made, Message("a change"))
        at = find_revision(db, repo, "main")
        steps = list_steps(db, repo, at.oid, 100)
        paths = [entry.path for entry in list_entries(db, at)]
        wanted = {}
        for path in paths:
            now = find(db, at.tree, path)
            same = next((n for n, step in enumerate(steps) if find(db, step.tree, path) != now), len(steps))
            wanted[path] = steps[same - 1].oid
        assert {path: step.oid for path, step in find_last_changes(db, repo, at, [*paths, "none"]).items()} == wanted


def test_pages_of_a_listing_join(hub: RunningHub) -> None:
    """Pages of a listing, one after the other, are the whole of it; single paths are found by their names."""
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        repo = create(db, ada, "model", "pages")
        at = commit(db, repo, ada, [Put(path, path.encode()) for path in PATHS], Message("all"))
        whole = [entry.path for entry in list_entries(db, at)]
        found: list[str] = []
        while page := list_entries(db, at, after=found[-1] if found else "", count=3):
            found += [entry.path for entry in page]
        assert found == whole
        known = find_entries(db, at, ["d/e", "none", "b"])
        assert {path: entry.path for path, entry in known.items()} == {"d/e": "d/e", "b": "b"}
