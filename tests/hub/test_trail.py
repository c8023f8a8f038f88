"""The audit trail: acts that change what others can rely on are written down, with who did them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from hallmarked.hub.change.creation import create
from hallmarked.hub.change.rewrite import forget_large
from hallmarked.hub.community.discussion import Opening, add_comment, hide_comment, open_discussion
from hallmarked.hub.outbound.client import Rules
from hallmarked.hub.outbound.webhook import Wish, change_webhook, create_webhook, delete_webhook, enable_webhook
from hallmarked.hub.schema.review import event
from hallmarked.hub.schema.webhook import webhook
from hallmarked.hub.trail import Tag
from hallmarked.hub.upkeep.closure import erase_account
from tests.hubs import RunningHub, open_test_hub

WISH = Wish("https://hooks.example/", [])


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as made:
        yield made


def test_rewriting_history_and_hiding_comments_are_noted(running: RunningHub) -> None:
    """Files removed from the history, and words hidden from everybody, leave an event with who did it."""
    ada, bob = running.actor("ada"), running.actor("bob")
    with running.hub.database.write() as db:
        repo = create(db, ada, "model", "m")
        talk = open_discussion(db, repo, bob, Opening("a question"))
        said = add_comment(db, repo, talk.number, bob, "rude words")
        hide_comment(db, repo, talk.number, said.id, ada)
        forget_large(db, repo, ada, {"0" * 64})
        where = event.c.tag.in_((Tag.COMMENT_HIDDEN, Tag.HISTORY_REWRITTEN))
        rows = db.execute(select(event).where(where).order_by(event.c.tag)).all()
    assert [(row.tag, row.account_id) for row in rows] == [
        (Tag.COMMENT_HIDDEN, ada.account_id),
        (Tag.HISTORY_REWRITTEN, ada.account_id),
    ]
    assert rows[1].data == {"files": ["0" * 64], "commits": 0}


def test_webhooks_are_noted_and_end_with_their_account(running: RunningHub) -> None:
    """Where messages go is written down when it changes; with an erased account its addresses and secrets go."""
    ada, root = running.actor("ada"), running.hub
    running.person("root", administrator=True)
    with root.database.write() as db:
        made = create_webhook(db, ada, WISH, Rules())
        change_webhook(db, ada, made.id, Wish(secret="s"), Rules())
        enable_webhook(db, ada, made.id, enabled=False)
        delete_webhook(db, ada, made.id)
        tags = db.execute(
            select(event.c.tag).where(event.c.tag.startswith("webhook:")).order_by(event.c.created)
        ).scalars()
        assert sorted(tags) == sorted(
            [Tag.WEBHOOK_CREATED, Tag.WEBHOOK_CHANGED, Tag.WEBHOOK_CHANGED, Tag.WEBHOOK_DELETED]
        )
        create_webhook(db, ada, WISH, Rules())
        erase_account(db, running.actors["root"], ada.account_id or "")
        assert db.execute(select(webhook)).first() is None
