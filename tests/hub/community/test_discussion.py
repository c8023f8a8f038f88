"""Discussions: what was said before stays readable, within bounds."""

from __future__ import annotations

import pytest

from hallmarked.core.errors import InputError
from hallmarked.hub.change.creation import create
from hallmarked.hub.community import discussion
from hallmarked.hub.community.discussion import MAX_BEFORE, Opening, add_comment, edit_comment, open_discussion
from tests.hubs import RunningHub


def test_what_a_comment_said_before_is_bounded(hub: RunningHub) -> None:
    """However often a long comment is changed, it takes only so much room; the newest versions are kept."""
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        repo = create(db, ada, "model", "m")
        talk = open_discussion(db, repo, ada, Opening("talk"))
        event = add_comment(db, repo, talk.number, ada, "0")
        for number in range(1, 12):
            event = edit_comment(db, repo, talk.number, event.id, ada, f"{number}" + "x" * 60_000)
    kept = [each["text"] for each in event.data["history"]]
    assert sum(map(len, kept)) <= MAX_BEFORE
    assert [text[:2].strip("x") for text in kept] == ["7", "8", "9", "10"]


def test_a_discussion_is_bounded(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a discussion holds as much as one may, nothing is added to it, by whatever way; others go on."""
    monkeypatch.setattr(discussion, "MAX_ALL", 100_000)
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        repo = create(db, ada, "model", "m")
        talk, other = (open_discussion(db, repo, ada, Opening(name)) for name in ("talk", "other"))
        event = add_comment(db, repo, talk.number, ada, "x" * 60_000)
        add_comment(db, repo, talk.number, ada, "x" * 60_000)
        with pytest.raises(InputError):
            add_comment(db, repo, talk.number, ada, "more")
        with pytest.raises(InputError):
            edit_comment(db, repo, talk.number, event.id, ada, "more")
        add_comment(db, repo, other.number, ada, "more")
