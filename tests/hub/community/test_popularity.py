"""Likes: one person counts once, however they ask."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hallmarked.hub.change.creation import create
from hallmarked.hub.community.popularity import set_like
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.setting import Settings, Storage
from tests.hubs import RunningHub, open_test_hub


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def running(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RunningHub]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    with open_test_hub(tmp_path, Settings(storage=Storage(data=str(tmp_path / "data"), database=url))) as made:
        yield made


def test_liking_at_once_counts_once(running: RunningHub) -> None:
    """Somebody who likes a repository many times at the same moment, or stops to, is counted once."""
    ada, database = running.actor("ada"), running.hub.database
    with database.write() as db:
        repo = create(db, ada, "model", "m")

    def say(likes: bool) -> None:
        with database.write() as db:
            set_like(db, repo, ada.account_id or "", likes=likes)

    for likes in (True, False):
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(say, [likes] * 12))
        with database.read() as db:
            assert find_repository(db, "model", "ada/m").likes == int(likes)
