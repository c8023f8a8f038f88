"""Cards on the pages of a hub: values with their status, looks, languages, uses, origin, profiles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from hallmarked.cards.document.document import read_document
from hallmarked.cards.translation import blocks_of, write_translation
from hallmarked.core.evidence import Statement
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.repository.repository import Repository, find_repository
from hallmarked.hub.repository.revision import Revision
from hallmarked.hub.review.outside import take_in
from hallmarked.profiles.registry import editions
from hallmarked.records.run_plan import RunPlan
from hallmarked.web.app import create_app
from tests.cards.view.example import CARD
from tests.hub.signer import Signer, about
from tests.hubs import RunningHub, open_test_hub
from tests.ledger.support import TEST_RESULT
from tests.profiles.run.example import PLAN

BASE = "/ada/triage"
GROUPS = (("18-39", "0.974", ["0.958", "0.984"]), ("80+", "0.951", ["0.912", "0.973"]))


def translated(card: str) -> str:
    """Translate a card into Arabic, as a program would."""
    written = write_translation(blocks_of(read_document(card.encode())), "ar", machine="Example MT").decode()
    return written.replace("# Triage helper", "# مساعد الفرز").replace("Worst recall", "أسوأ استرجاع")


def push(running: RunningHub, repo: Repository, card: str, translation: str = "") -> Revision:
    """Push a card and perhaps a translation."""
    files = [Put("README.md", card.encode())]
    files += [Put("README.ar.md", translation.encode())] if translation else []
    with running.hub.database.write() as db:
        return commit(db, repo, running.actor("ada"), files, Message("Say it"))


class Place:
    """A hub with one audited card, and an auditor's evidence about it."""

    def __init__(self, running: RunningHub, folder: Path) -> None:
        self.running = running
        running.person("ada")
        with running.hub.database.write() as db:
            self.repo = create(db, running.actor("ada"), "model", "triage")
        self.at = push(running, self.repo, CARD, translated(CARD))
        running.audit_all()
        self.auditor = Signer(folder / "auditor", "Example Auditors")
        self.auditor.register(running)
        self.client = TestClient(create_app(running.hub), base_url="http://127.0.0.1")

    def bring(self, predicate: dict[str, object], kind: str = TEST_RESULT) -> str:
        """Bring a statement of the auditor; return its id."""
        with self.running.hub.database.write() as db:
            statement = Statement((about(db, "ada/triage"),), kind, predicate)
            data = self.auditor.sign([statement])
            repo = find_repository(db, "model", "ada/triage")
            return take_in(self.running.hub, db, self.running.actor("ada"), repo, data).new[0].attestation.id

    def page(self, path: str = "", language: str = "en") -> str:
        """Return a page as a browser gets it."""
        headers = {"Accept": "text/html", "Accept-Language": language}
        answer = self.client.get(BASE + path, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.text

    def data(self, path: str) -> dict[str, object]:
        """Return the data of a page."""
        return json.loads(self.client.get(path).text)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("hub")
    with open_test_hub(folder) as running:
        made = Place(running, folder)
        rows = [
            {"metric": "eval.recall", "value": value, "n": 300, "interval": interval, "slice": {"age": age}}
            for age, value, interval in GROUPS
        ]
        made.bring({"measurements": rows})
        contested = made.bring({"measurements": [{"metric": "eval.gap", "value": "0.031", "n": 40}]})
        made.bring({"about": contested, "reason": "Too few.", "open": True}, "urn:hallmarked:dispute:v1")
        yield made


def test_a_value_in_the_text_stands_beside_its_status_and_leads_to_its_evidence(place: Place) -> None:
    """The worst part is shown, with interval and number; the mark leads to who stated it and where."""
    text = place.page()
    found = re.search(
        r'<span class="claimed"><bdi>([^<]+)</bdi> <a href="#(claim-[^"]+)"><span class="mark (\S+)">', text
    )
    assert found is not None
    assert found.groups() == ("0.951 (0.912 to 0.973), n = 300, age 80+", "claim-recall-worst", "supported")
    drawer = text.partition('id="claim-recall-worst"')[2].partition("</li>\n<li id=")[0]
    assert "Stated by Example Auditors (an auditor)" in drawer
    assert "/ledger/entry/" in drawer
    assert "hallmarked verify" in drawer
    assert f"{BASE}/claim/{place.at.oid}?id=recall-worst" in drawer
    assert "{{claim recall-worst}}" not in text.partition("</style>")[2]


def test_looks_are_links_and_hold_every_limitation(place: Place) -> None:
    """The plain look works without a script, and says what its summary leaves out."""
    assert f'href="{BASE}?view=plain"' in place.page()
    plain = place.page("?view=plain")
    assert "Few Spanish notes were measured." in plain
    assert "The card names limits that it does not say" in plain
    assert "A este resumen le falta algo" in place.page("?view=plain", "es")


def test_the_text_is_read_in_another_language_and_says_who_translated(place: Place) -> None:
    """From right to left, with what is not translated in its own direction."""
    text = place.page("?lang=ar")
    assert "A program translated this: Example MT." in text
    assert '<div class="prose is-translated" lang="ar" dir="rtl">' in text
    assert "Not translated; these are the words of the card." in text
    assert "أسوأ استرجاع: <span" in text


def test_what_others_state_is_listed_with_its_standing(place: Place) -> None:
    """What is disputed stays listed, and says so."""
    others = place.data(f"{BASE}.json")["others"]
    assert isinstance(others, list)
    standing = {one["what"][0]: (one["standing"], one["reason"]) for one in others}
    assert standing["eval.gap = 0.031"] == ("disputed", "Too few.")
    assert standing["eval.recall = 0.974"] == ("supported", "")
    assert "What others state about it" in place.page()


def test_two_uses_two_verdicts_and_a_reason_for_each_requirement(place: Place) -> None:
    """The same revision is judged by what each use asks; the form needs no script."""
    data = place.data(f"{BASE}/uses.json?context=base&context=hospital_triage")
    judged = data["judged"]
    assert isinstance(judged, list)
    assert [one["name"] for one in judged] == ["base", "hospital_triage"]
    assert len(judged[1]["asked"]) > len(judged[0]["asked"])
    assert all(asked["reason"] for one in judged for asked in one["asked"])
    text = place.page("/uses?context=base&context=hospital_triage", "es")
    assert '<form class="row uses" method="get"' in text
    assert "Por qué se pide:" in text
    missing = place.client.get(f"{BASE}/uses?context=nothing")
    assert missing.status_code == 404


def test_what_nobody_evaluated_is_named(place: Place) -> None:
    """With a use that asks for more, more is missing."""
    alone = place.data(f"{BASE}/evaluated.json/main")
    more = place.data(f"{BASE}/evaluated.json/main?context=hospital_triage")
    states = {(cell["path"], cell["part"]): cell["state"] for cell in alone["cells"]}  # type: ignore[attr-defined]
    assert states["eval.recall", "worst"] == "evaluated"
    assert len(more["cells"]) > len(alone["cells"])  # type: ignore[arg-type]
    assert "not-evaluated" in {cell["state"] for cell in more["cells"]}  # type: ignore[attr-defined]


def test_the_history_of_a_claim_tells_when_it_turned(place: Place) -> None:
    """Newest first; a claim that was never made has none."""
    turns = place.data(f"{BASE}/claim.json/main?id=recall-worst")["turns"]
    assert isinstance(turns, list)
    assert turns[0]["statuses"][0] == "supported"
    assert "Historia de una afirmación" in place.page("/claim/main?id=recall-worst", "es")
    assert place.client.get(f"{BASE}/claim/main?id=never").status_code == 404
    assert "recall-worst" in place.page("/claim/main")


def test_origin_is_a_drawing_and_a_table(place: Place) -> None:
    """The drawing has a name for those who do not see it, in the language of the page."""
    text = place.page("/lineage", "es")
    assert re.search(r'<svg[^>]*role="img"[^>]*aria-labelledby="lineage-title lineage-about"', text)
    assert "De qué se hizo: ada/triage" in text
    assert "<caption>Lo mismo que el dibujo, fila a fila.</caption>" in text


def test_profiles_answer_every_control(place: Place) -> None:
    """212 of 212, none blank; one state can be shown alone."""
    listed = place.data(f"{BASE}/profiles.json")["profiles"]
    assert isinstance(listed, list)
    names = {one["name"] for one in listed}
    assert names == {f"{framework}/{edition}" for framework, known in editions().items() for edition in known}
    assert names >= {"nist-ai-600-1/final-2024-07", "eu-gpai-documentation/2025-07", "eu-training-summary/2025-07"}
    whole = place.data(f"{BASE}/profiles.json/nist-ai-600-1/final-2024-07")
    answers = [answer for part in whole["parts"] for answer in part["answers"]]  # type: ignore[attr-defined]
    assert len(answers) == 212
    assert all(answer["why"]["en"] and answer["why"]["es"] for answer in answers)
    one = place.data(f"{BASE}/profiles.json/nist-ai-600-1/final-2024-07?state=open")
    assert {answer["state"] for part in one["parts"] for answer in part["answers"]} == {"open"}  # type: ignore[attr-defined]
    assert place.client.get(f"{BASE}/profiles/nist-ai-600-1/never").status_code == 404


def test_answers_that_are_not_for_the_public_are_withheld_by_name(place: Place) -> None:
    """A stranger sees that there is a field, and who may read it; who looks after the repository sees the answer."""
    address = f"{BASE}/profiles.json/eu-gpai-documentation/2025-07"
    stranger = place.data(address)
    assert (stranger["audience"], stranger["parts"], stranger["audiences"]) == ("public", [], [])
    assert len(stranger["withheld"]) == 33  # type: ignore[arg-type]
    assert place.data(f"{address}?for=ai-office")["withheld"] == stranger["withheld"]
    cookie = {"Cookie": place.running.browser("ada")["Cookie"]}
    owner = place.client.get(address, headers=cookie).json()
    assert (owner["audience"], owner["withheld"]) == ("", [])
    assert place.client.get(f"{address}?for=provider", headers=cookie).json()["withheld"] != []
    assert "Lo que no se le muestra" in place.page("/profiles/eu-gpai-documentation/2025-07", "es")


def test_training_runs_are_listed_with_what_the_rules_ask(place: Place) -> None:
    """A plan is there with where it is logged, in both languages; before it nothing is, and that is said."""
    assert "No training run was announced." in place.page("/profiles")
    place.bring(dict(PLAN.predicate()), RunPlan.predicate_type())
    data = place.data(f"{BASE}/profiles.json")
    assert data["problem"] == ""
    (run,) = data["runs"]  # type: ignore[misc]
    assert run["entry"] is not None
    assert run["lines"]["en"] != run["lines"]["es"]
    assert "Entrenamientos" in place.page("/profiles", "es")


@pytest.mark.slow
def test_a_push_makes_claims_and_translations_stale_at_once(tmp_path: Path) -> None:
    """On the first request after it, before any audit."""
    with open_test_hub(tmp_path) as running:
        here = Place(running, tmp_path)
        push(running, here.repo, CARD.replace("For nurses.", "For nurses and doctors."))
        data = here.data(f"{BASE}.json?lang=ar")
        places = {written: claim["status"] for written, claim in data["places"]}  # type: ignore[attr-defined]
        assert places["{{claim files.total}}"] == "stale"
        (own, arabic) = data["tongues"]  # type: ignore[misc]
        assert (own["stale"], arabic["stale"]) == (0, 1)
        assert "The card has changed here since this was translated." in here.page("?lang=ar")


@pytest.mark.slow
def test_a_broken_translation_is_named_and_the_card_is_shown(tmp_path: Path) -> None:
    """It does not take the page with it."""
    with open_test_hub(tmp_path) as running:
        here = Place(running, tmp_path)
        push(running, here.repo, CARD, "---\nhallmarked:\n  translation: {language: ar}\n---\n# T\n")
        text = here.page("?lang=ar")
        assert "“source_hash” is not a list of hashes" in text
        assert "Helps nurses sort notes." in text
