"""Folders: found and made with little work, however paths are put."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from hallmarked.hub.git import tree as module
from hallmarked.hub.git.object import EMPTY_TREE, Entry, encode_blob
from hallmarked.hub.git.tree import edit, find, find_many
from tests.hubs import RunningHub

NAMES = st.sampled_from(["a", "b", "c", ""])
PATHS = st.lists(NAMES, max_size=4).map("/".join)
BLOB = encode_blob(b"x")[0]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PATHS, max_size=12))
def test_many_paths_are_found_as_one_by_one(hub: RunningHub, paths: list[str]) -> None:
    """Looking for many paths at once finds what looking for each of them finds."""
    with hub.hub.database.write() as db:
        root = edit(db, EMPTY_TREE, dict.fromkeys(["a/a", "a/b/c", "b/a/a", "c"], BLOB))
        one_by_one = {path: find(db, root, path) for path in paths if not path.endswith("/")}
        wanted = {path: entry for path, entry in one_by_one.items() if entry is not None}
        assert find_many(db, root, [path for path in paths if not path.endswith("/")]) == wanted


def test_no_folder_is_read_twice(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand files of one large folder are found by reading it once."""
    read: list[str] = []
    plain = module.read_tree

    def count(db: Connection, oid: str) -> Mapping[str, Entry]:
        read.append(oid)
        return plain(db, oid)

    with hub.hub.database.write() as db:
        names = [f"folder/{number}" for number in range(1_000)]
        root = edit(db, EMPTY_TREE, dict.fromkeys(names, BLOB))
        monkeypatch.setattr(module, "read_tree", count)
        assert len(find_many(db, root, names)) == 1_000
    assert len(read) == 2


def test_new_folders_are_kept_together(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many folders a change makes, they are written by one statement; others wait for it no longer."""
    kept: list[int] = []
    plain = module.add_objects

    def count(db: Connection, kind: str, objects: list[tuple[str, bytes]]) -> None:
        kept.append(len(list(objects)))
        plain(db, kind, objects)

    monkeypatch.setattr(module, "add_objects", count)
    with hub.hub.database.write() as db:
        edit(db, EMPTY_TREE, {f"{number}/d/d/x": encode_blob(str(number).encode())[0] for number in range(50)})
    assert kept == [151]
