"""Looking for passages in data sets: who may ask, what is told, and what an attacker learns."""

from __future__ import annotations

import json
import logging
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Connection, select
from starlette.testclient import TestClient

for _module in ("pyarrow", "pydivsufsort"):
    pytest.importorskip(_module, reason="data sets are searched with the extra data")

from hallmarked.corpus.search.manifest import MANIFEST  # noqa: E402 -- after the skip
from hallmarked.hub.change.commit import Message, Put, commit  # noqa: E402
from hallmarked.hub.change.creation import create  # noqa: E402
from hallmarked.hub.job.passage import index_due  # noqa: E402
from hallmarked.hub.passage import caller  # noqa: E402
from hallmarked.hub.passage.record import set_searchable  # noqa: E402
from hallmarked.hub.repository.repository import change_settings, delete_repository, find_repository  # noqa: E402
from hallmarked.hub.review.status import set_state  # noqa: E402
from hallmarked.hub.schema.repository import ref  # noqa: E402
from hallmarked.hub.setting import Search, Settings, Storage  # noqa: E402
from hallmarked.web.app import create_app  # noqa: E402
from tests.hubs import RunningHub, open_test_hub  # noqa: E402

PASSAGE = "the ferry stopped running when the river froze over that winter"
SECRET = "my aunt wrote that Quirina Vandelay lives above the bakery on the corner now"
ADDRESS = "quirina.vandelay" + "@post.example.org"
WORK = " ".join(f"chapter{number} of the long story goes on" for number in range(60))
ROWS = {
    "open": [f"{PASSAGE}. Write to {ADDRESS} or to nobody.", SECRET, WORK, *[f"{PASSAGE}, row {n}" for n in range(11)]],
    "gated": [f"{PASSAGE} as the gated one tells it", "only here stands what nobody else has ever put into words"],
    "private": [f"{PASSAGE} as the private one tells it"],
    "closed": [f"{PASSAGE} as the one tells it whose owner does not want to be asked"],
}
URL = "/api/hallmarked/passages"


@dataclass
class Asker:
    """A hub and somebody who asks it."""

    running: RunningHub
    client: TestClient
    waits: list[float]

    def ask(self, text: str, dataset: str = "", *, user: str = "") -> tuple[int, dict[str, object]]:
        headers = {"Authorization": f"Bearer {self.running.person(user)}"} if user else {}
        body = {"text": text, **({"dataset": dataset} if dataset else {})}
        answer = self.client.post(URL, json=body, headers=headers)
        return answer.status_code, answer.json()

    def names(self, text: str, *, user: str = "") -> list[str]:
        status, told = self.ask(text, user=user)
        assert status == 200, told
        return sorted(each["name"] for each in told["found"])  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    folder = tmp_path_factory.mktemp("hub")
    settings = Settings(storage=Storage(data=str(folder / "data")), search=Search(block_mib=1))
    with open_test_hub(folder, settings) as running:
        ada = running.actor("ada")
        with running.hub.database.write() as db:
            for name, texts in ROWS.items():
                repo = create(db, ada, "dataset", name)
                data = "".join(json.dumps({"text": text, "license": "CC0-1.0"}) + "\n" for text in texts).encode()
                commit(db, repo, ada, [Put("train.jsonl", data)], Message("push"))
                if name != "closed":
                    set_searchable(db, ada, repo, True)
            change_settings(db, find_repository(db, "dataset", "ada/gated").id, gate="manual")
            change_settings(db, find_repository(db, "dataset", "ada/private").id, visibility="private")
        make_available(running)
        assert index_due(running.hub) == 3
        yield running


def make_available(running: RunningHub) -> None:
    """Let every revision be had, as an audit without findings would."""
    with running.hub.database.write() as db:
        for name in ROWS:
            repo = find_repository(db, "dataset", f"ada/{name}")
            set_state(db, repo.id, newest(db, repo.id), "available", "")


def newest(db: Connection, repository_id: str) -> str:
    return str(db.execute(select(ref.c.oid).where(ref.c.repository_id == repository_id)).scalar_one())


@pytest.fixture
def asker(running: RunningHub) -> Asker:
    app = create_app(running.hub)
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    app.state.wait = wait
    return Asker(running, TestClient(app, base_url="http://localhost"), waits)


def test_a_passage_is_found_where_it_is_and_told_within_bounds(asker: Asker) -> None:
    """Strangers learn of public data sets whose owners allow it: share, about how many rows, licence, a few words."""
    status, told = asker.ask(PASSAGE.upper())
    assert (status, told["asked"]) == (200, 1)
    (holder,) = told["found"]  # type: ignore[misc]
    assert (holder["name"], holder["share"], holder["longest"], holder["documents"]) == ("ada/open", 1.0, 11, 10)
    first = holder["snippets"][0]
    assert (first["match"], first["licence"]) == (PASSAGE, "CC0-1.0")
    assert first["after"] == ". Write to █████ or to nobody."


def test_a_search_inherits_the_gate(asker: Asker) -> None:
    """A gated data set answers who was let in, a private one its people, a closed one nobody, also not its owner."""
    assert asker.names(PASSAGE) == ["ada/open"]
    assert asker.names(PASSAGE, user="stranger") == ["ada/open"]
    assert asker.names(PASSAGE, user="ada") == ["ada/gated", "ada/open", "ada/private"]
    assert asker.ask(PASSAGE, "ada/gated")[0] in (401, 403)
    assert asker.ask(PASSAGE, "ada/private")[0] in (401, 404)
    assert asker.ask(PASSAGE, "ada/private", user="stranger")[0] == 404
    assert asker.ask(PASSAGE, "ada/closed")[0] == 404
    status, told = asker.ask(PASSAGE, "ada/gated", user="ada")
    assert (status, [each["name"] for each in told["found"]]) == (200, ["ada/gated"])  # type: ignore[attr-defined]


def test_a_work_is_found_in_exactly_the_data_sets_that_hold_it(asker: Asker) -> None:
    """A rights holder learns which data sets have how much of a work, whatever else is in the text."""
    own = " ".join(f"line{number} nobody has" for number in range(140))
    status, told = asker.ask(f"{WORK} {own}", user="ada")
    assert (status, told["work"]) == (200, True)
    (holder,) = told["found"]  # type: ignore[misc]
    assert (holder["name"], holder["share"], holder["longest"]) == ("ada/open", 0.5, 420)
    assert holder["snippets"][0]["match"].count(" ") < 20


@pytest.mark.parametrize(
    "text",
    ["Quirina Vandelay", ADDRESS, f"is {ADDRESS} in any of the data sets of this hub", "the ferry stopp* running when"],
)
def test_what_is_no_question_is_refused_without_being_repeated(asker: Asker, text: str) -> None:
    """Names, addresses and patterns are refused, and the answer does not hold what was asked."""
    status, told = asker.ask(text)
    assert status == 400
    assert text not in json.dumps(told)
    assert "Vandelay" not in json.dumps(told)


def test_hit_miss_and_refusal_take_whole_steps(asker: Asker) -> None:
    """Whatever the answer is, it comes at a whole number of steps after the question."""
    for text in (PASSAGE, "nothing of this was ever written down by anybody here", "short"):
        asker.ask(text)
    assert len(asker.waits) == 3
    assert all(0 <= wait < 0.5 for wait in asker.waits)


def test_questions_are_kept_nowhere(asker: Asker, caplog: pytest.LogCaptureFixture) -> None:
    """No log, no file of the hub and no answer's address holds what was asked."""
    with caplog.at_level(logging.DEBUG):
        asker.ask("zanzibar quokka " + PASSAGE)
    assert "quokka" not in caplog.text
    kept = asker.running.hub.settings.data
    assert not [file for file in kept.rglob("*") if file.is_file() and b"quokka" in file.read_bytes()]


def test_personal_data_are_in_no_index(asker: Asker) -> None:
    """The folder of indexes does not hold what was taken out."""
    place = asker.running.hub.settings.indexes
    files = [file for file in place.rglob("*") if file.is_file()]
    assert any(file.name == MANIFEST for file in files)
    assert not [file for file in files if b"quirina.vandelay" in file.read_bytes().lower()]


def _dictionary(count: int) -> list[str]:
    """Make names nobody has, the planted one among them."""
    rng = random.Random(7)
    parts = ["qui", "ri", "na", "van", "de", "lay", "mo", "tes", "ar", "bel", "ko", "shi"]
    made = {
        "".join(rng.choices(parts, k=3)).title() + " " + "".join(rng.choices(parts, k=3)).title()
        for _ in range(count * 2)
    }
    made.discard("Quirina Vandelay")
    names = sorted(made)[: count - 1]
    names.insert(rng.randrange(count), "Quirina Vandelay")
    return names


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_many_names_reveal_nothing_above_the_bound(asker: Asker, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Names alone are refused; in the one sentence that an attacker knows, a handful are answered in an hour."""
    monkeypatch.setattr(caller, "time", SimpleNamespace(monotonic=lambda: 1.0))
    monkeypatch.setattr("hallmarked.web.limit.time", SimpleNamespace(monotonic=iter(range(0, 10**9, 61)).__next__))
    names = _dictionary(count)
    answered = 0
    told: list[str] = []
    for number, name in enumerate(names):
        bare = number % 2 == 0
        status, body = asker.ask(name if bare else SECRET.replace("Quirina Vandelay", name))
        assert status != 200 or not bare
        answered += status == 200
        told.append(json.dumps(body))
    assert answered <= caller.VERSIONS
    assert ADDRESS not in "".join(told)


def test_a_list_of_sentences_is_no_work(asker: Asker) -> None:
    """Many versions of a sentence in one question are refused, and so are a few, told by no passage that is short."""
    names = _dictionary(2_000)
    sentences = [SECRET.replace("Quirina Vandelay", name) for name in names]
    assert asker.ask(". ".join(sentences))[0] == 429
    few = " and this is what stands between them all. ".join(
        ["Quirina Vandelay".join(SECRET.split("Quirina Vandelay"))] * 4
    )
    status, told = asker.ask(few)
    assert (status, told["found"]) == (200, [])


def test_questions_are_counted(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """After as many questions as an hour has the next one is told when to come again; a new hour begins anew."""
    clock = SimpleNamespace(seconds=1.0)
    monkeypatch.setattr(caller, "time", SimpleNamespace(monotonic=lambda: clock.seconds))
    questions = [" ".join(f"w{number}x{word}" for word in range(9)) for number in range(31)]
    assert [asker.ask(text)[0] for text in questions] == [200] * 30 + [429]
    clock.seconds += 3600
    assert asker.ask(questions[0])[0] == 200


@pytest.mark.slow
def test_an_index_ends_with_its_revision(tmp_path: Path) -> None:
    """When a revision is held back, followed by another one or deleted, nobody is answered, and its index goes."""
    with open_test_hub(tmp_path) as running:
        ada = running.actor("ada")
        hub = running.hub
        client = TestClient(create_app(hub), base_url="http://localhost")
        client.app.state.wait = _no_wait  # type: ignore[attr-defined]
        with hub.database.write() as db:
            repo = create(db, ada, "dataset", "open")
            commit(db, repo, ada, [Put("a.jsonl", json.dumps({"text": PASSAGE}).encode())], Message("push"))
            set_searchable(db, ada, repo, True)

        def state(word: str) -> None:
            with hub.database.write() as db:
                set_state(db, repo.id, newest(db, repo.id), word, "")

        def asked() -> int:
            return int(client.post(URL, json={"text": PASSAGE}).json()["asked"])

        def folders() -> int:
            place = hub.settings.indexes
            return len(list(place.iterdir())) if place.exists() else 0

        assert index_due(hub) == 0  # it was not checked yet
        state("available")
        assert (index_due(hub), asked(), folders()) == (1, 1, 1)
        assert (index_due(hub), folders()) == (0, 1)
        state("held")
        assert asked() == 0
        assert (index_due(hub), folders()) == (0, 0)
        state("available")
        assert (index_due(hub), asked()) == (1, 1)
        with hub.database.write() as db:
            commit(db, repo, ada, [Put("a.jsonl", b'{"text": "another text"}')], Message("push"))
        assert asked() == 0
        state("available")
        assert (index_due(hub), asked(), folders()) == (1, 1, 1)
        with hub.database.write() as db:
            delete_repository(db, repo.id, by=ada)
        assert asked() == 0
        assert (index_due(hub), folders()) == (0, 0)


async def _no_wait(_seconds: float) -> None:
    return


def test_only_an_owner_lets_others_ask(running: RunningHub) -> None:
    """The owner decides on the page of the data set; what cannot be indexed says why."""
    client = TestClient(create_app(running.hub), base_url="http://localhost", follow_redirects=False)
    page = "/datasets/ada/empty/passages"
    with running.hub.database.write() as db:
        create(db, running.actor("ada"), "dataset", "empty")
    for user, status in (("stranger", 403), ("ada", 303)):
        headers = running.browser(user)
        assert client.post(page, data={"act": "allow"}, headers=headers).status_code == status
    with running.hub.database.write() as db:
        repo = find_repository(db, "dataset", "ada/empty")
        set_state(db, repo.id, newest(db, repo.id), "available", "")
    assert index_due(running.hub) == 0
    told = client.get(f"{page.replace('passages', 'passages.json')}").json()
    assert (told["allowed"], told["current"]) == (True, False)
    assert "nothing to index" in told["reason"]
    client.post(page, data={"act": "stop"}, headers=running.browser("ada"))
    assert client.get(f"{page.replace('passages', 'passages.json')}").json()["allowed"] is False


def test_the_form_answers_with_a_page(running: RunningHub) -> None:
    """Without JavaScript and without an account the form gives a document with the answer, in both languages."""
    app = create_app(running.hub)
    app.state.wait = _no_wait
    client = TestClient(app, base_url="http://localhost")
    for language, found in (("en", "Found in 1 data set."), ("es", "Se encontró en 1 conjunto de datos.")):
        headers = {"Accept": "text/html", "Accept-Language": language}
        page = client.get("/search/passages", headers=headers).text
        token = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
        assert token is not None
        answer = client.post("/search/passages", data={"csrf": token[1], "text": PASSAGE}, headers=headers)
        assert answer.status_code == 200
        assert found in answer.text
        assert f"<mark>{PASSAGE}</mark>" in answer.text
        assert answer.headers["cache-control"] == "no-store"
        refused = client.post("/search/passages", data={"csrf": token[1], "text": "Ann Ott"}, headers=headers)
        assert refused.status_code == 400
        assert "Ann Ott" not in refused.text


def test_a_hub_may_answer_nobody(running: RunningHub) -> None:
    """With no questions an hour the search is off."""
    settings = replace(running.hub.settings, search=Search(questions=0))
    app = create_app(replace(running.hub, settings=settings))
    app.state.wait = _no_wait
    answer = TestClient(app, base_url="http://localhost").post(URL, json={"text": PASSAGE})
    assert (answer.status_code, "nobody can look" in answer.text) == (400, True)
