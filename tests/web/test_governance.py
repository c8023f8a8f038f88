"""The page on how a repository is run, and counts in the prose of its card."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hallmarked.cards.governance.count import CONSENT
from hallmarked.corpus.consent.record import Mode, Scope
from hallmarked.corpus.consent.selector import Kind, make_selector
from hallmarked.hub.consent.proof import confirm_by_hand
from hallmarked.hub.consent.request import Wish, file_request, find_request
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.review.filing import file_record
from tests.hubs import open_test_hub
from tests.web.test_card import BASE, Place, push

CARD = """---
license: mit
hallmarked:
  kind: governance
---
# How we work

People opted out: {{claim registry.opt_outs}}.
"""
SPEAKS = {
    "stage": {"stage": "trained", "time": "2026-01-02", "contact": "train@acme.example"},
    "waiver": {"context": "base", "requirement": "recall", "until": "2999-01-31", "reason": "A new test is coming."},
    "decision": {
        "id": "d-1",
        "title": "How sure it must be",
        "options": [{"name": "0.90"}, {"name": "0.95", "cost": "Longer waits"}],
        "chosen": "0.95",
        "tradeoff": "Fewer missed patients for longer waits",
    },
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("hub")
    with open_test_hub(folder) as running:
        yield Place(running, folder)


def opt_out(place: Place, name: str) -> None:
    """File an opt-out and confirm it."""
    wish = Wish(Scope(Mode.OPT_OUT), [make_selector(Kind.ACCOUNT, name)])
    request = file_request(place.running.hub, wish)
    confirm_by_hand(place.running.hub, find_request(place.running.hub, request.code).id, "seen in person")


def counts(place: Place) -> dict[str, int]:
    """Return the counts on the page."""
    return dict(place.data(f"{BASE}/governance.json")["counts"])  # type: ignore[call-overload, no-any-return]


def test_who_answers_what_was_decided_and_what_is_waived(place: Place) -> None:
    """What people filed is listed, in both languages, with the cost of what was decided."""
    hub = place.running
    assert "Nobody signed for anything." in place.page("/governance")
    with hub.hub.database.write() as db:
        for kind, said in SPEAKS.items():
            file_record(hub.hub, db, hub.actor("ada"), (place.repo, find_revision(db, place.repo, "main")), kind, said)
    text = place.page("/governance")
    for words in ("train@acme.example", "trained", "decisions", "Longer waits", "A new test is coming.", "d-1"):
        assert words in text
    assert "No change without a decision was seen" in text
    assert "Quién responde de qué" in place.page("/governance", "es")
    (decided,) = place.data(f"{BASE}/governance.json")["decisions"]  # type: ignore[misc]
    assert (decided["chosen"], decided["by"], decided["entry"] is not None) == ("0.95", "ada", True)  # type: ignore[index]


def test_counts_are_queries_on_the_log(place: Place) -> None:
    """The next request counts what has just been confirmed; what others bring of the same type does not count."""
    before = counts(place)
    opt_out(place, "person1")
    place.bring({"request": "f" * 64, "event": "confirmed", "mode": "opt-out"}, CONSENT)
    after = counts(place)
    assert after["opt_outs"] == before["opt_outs"] + 1
    assert after["requests"] == before["requests"] + 1
    data = place.data(f"{BASE}/governance.json")
    assert data["counted"] == data["size"] == place.running.hub.journal.size


def test_the_prose_of_a_card_shows_the_count_of_this_moment(place: Place) -> None:
    """An auditor's number does not stand in for what the hub counts; a later opt-out changes what is shown at once."""
    push(place.running, place.repo, CARD)
    place.bring({"measurements": [{"metric": "registry.opt_outs", "value": "777"}]})
    number = counts(place)["opt_outs"]
    assert f'<span class="claimed"><bdi>{number}</bdi>' in place.page()
    opt_out(place, "person2")
    assert f'<span class="claimed"><bdi>{number + 1}</bdi>' in place.page()
    assert "777" not in place.page().partition("What others state")[0]


def test_an_older_revision_shows_it_too(place: Place) -> None:
    """Who answers does not depend on which revision is looked at, and strangers see no more than of the repository."""
    assert "Who answers for what" in place.page(f"/governance/{place.at.oid}")
    assert place.client.get("/ada/nothing/governance").status_code in {401, 404}
