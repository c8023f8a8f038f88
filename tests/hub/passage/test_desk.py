"""Which repositories are asked."""

from __future__ import annotations

from pathlib import Path

import pytest

for _module in ("pyarrow", "pydivsufsort"):
    pytest.importorskip(_module, reason="data sets are searched with the extra data")

from sqlalchemy import insert  # noqa: E402 -- after the skip

from hallmarked.corpus.search.ask import check_question  # noqa: E402
from hallmarked.corpus.search.build import build  # noqa: E402
from hallmarked.corpus.search.manifest import Options  # noqa: E402
from hallmarked.corpus.search.model import Document  # noqa: E402
from hallmarked.corpus.search.word import fold_words  # noqa: E402
from hallmarked.hub.access import ANYBODY  # noqa: E402
from hallmarked.hub.change.creation import create  # noqa: E402
from hallmarked.hub.passage import desk  # noqa: E402
from hallmarked.hub.passage.shelf import Shelf  # noqa: E402
from hallmarked.hub.repository.repository import change_settings  # noqa: E402
from hallmarked.hub.repository.revision import find_revision  # noqa: E402
from hallmarked.hub.review.status import set_state  # noqa: E402
from hallmarked.hub.schema.passage import passage_index  # noqa: E402
from tests.hubs import open_test_hub  # noqa: E402

PASSAGE = "the baker rose at three and sang until the bread was done"


def test_private_ones_neither_crowd_out_others_nor_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most so many are asked of those somebody may read; whether there are more tells nothing of private ones."""
    monkeypatch.setattr(desk, "MOST", 2)
    with open_test_hub(tmp_path) as running:
        ada, hub = running.actor("ada"), running.hub
        for number in range(6):
            with hub.database.write() as db:
                repo = create(db, ada, "dataset", f"d{number}")
                at = find_revision(db, repo, "main").oid
                set_state(db, repo.id, at, "available", "")
                values = {"repository_id": repo.id, "revision": at, "folder": f"f{number}", "created": number}
                db.execute(insert(passage_index).values(**values))
                if number >= 2:
                    change_settings(db, repo.id, visibility="private")
            text = f"{PASSAGE} {number}"
            options = Options(keywords=False, masked="test")
            build(hub.settings.indexes / f"f{number}", [Document("a", 1, text, fold_words(text))], options)
        (hub.settings.indexes / "f1" / "0000.words").write_bytes(b"")
        told = desk.ask(hub, Shelf(), ANYBODY, check_question(PASSAGE))
        assert (told.asked, told.more, list(told.silent)) == (2, False, ["ada/d1"])
        assert [found.repo.name for found in told.found] == ["ada/d0"]
        told = desk.ask(hub, Shelf(), ada, check_question(PASSAGE))
        assert (told.asked, told.more) == (2, True)
