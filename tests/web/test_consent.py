"""Opting out and in on the pages and by the API: without an account, the same way, and nothing that names anybody."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from hallmarked.corpus.consent.blind import Evaluation, blind, unblind
from hallmarked.corpus.consent.lookup import bucket_of, find_line, question
from hallmarked.corpus.consent.receipt import verify_receipt
from hallmarked.corpus.consent.record import Mode
from hallmarked.corpus.consent.selector import Kind, make_selector, text_digest
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.consent.key import open_keys
from hallmarked.hub.consent.listing import list_entries
from hallmarked.hub.consent.proof import confirm_by_hand
from hallmarked.hub.consent.request import find_request, lapse
from hallmarked.hub.repository.repository import find_repository
from hallmarked.web.app import create_app
from tests.hubs import RunningHub, open_test_hub
from tests.web import example
from tests.web.reading import check_document

POEM = " ".join(f"line{number} of a poem that nobody else wrote" for number in range(30))
API = "/api/hallmarked/consent"


class Client:
    """A browser without scripts, or a program."""

    def __init__(self, running: RunningHub, http: TestClient) -> None:
        self.running, self.http = running, http

    def page(self, path: str) -> str:
        answer = self.http.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, **fields: str | list[str]) -> tuple[int, str]:
        """Send the form of a page, as a browser does."""
        token = re.search(r'name="csrf" value="([^"]*)"', self.page("/consent"))
        assert token
        answer = self.http.post(path, data={"csrf": token[1], **fields}, headers={"Accept": "text/html"})
        return answer.status_code, answer.text

    def json(self, path: str, body: object) -> tuple[int, dict[str, object]]:
        answer = self.http.post(API + path, json=body)
        return answer.status_code, answer.json()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with open_test_hub(tmp_path) as running, TestClient(create_app(running.hub), base_url="http://127.0.0.1") as http:
        yield Client(running, http)


def code_of(text: str) -> str:
    found = re.search(r'name="code" value="([^"]*)"', text)
    assert found
    return found[1]


def receipt_of(text: str) -> bytes:
    found = re.search(r'<textarea name="receipt" hidden>(.*?)</textarea>', text, re.DOTALL)
    assert found
    return unescape(found[1]).encode()


@pytest.mark.parametrize("choice", ["opt-out", "opt-in"])
def test_one_form_does_it_without_an_account(client: Client, choice: str) -> None:
    """The page that answers has the code and a receipt that verifies; the file it saves is that receipt."""
    status, text = client.send("/consent", choice=choice, accounts="Ada@Example.org\n", **{"for": "me"})
    assert status == 200
    check_document(text, "en")
    assert "ada@example.org" in text
    receipt = verify_receipt(receipt_of(text))
    assert receipt.request.action == choice
    status, saved = client.send("/consent/receipt", receipt=receipt_of(text).decode())
    assert status == 200
    assert verify_receipt(saved.encode()).index == receipt.index
    status, later = client.send("/consent/request", code=code_of(text))
    assert status == 200
    assert "ada@example.org" not in later
    assert client.send("/consent/receipt", receipt="{}")[0] == 409


class Fields(HTMLParser):
    """Finds what a form asks for, and what is chosen already."""

    def __init__(self) -> None:
        super().__init__()
        self.chosen: list[str] = []
        self.choices: dict[str, int] = {}
        self.where = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if "checked" in values or "selected" in values:
            self.chosen.append(str(values))
        if values.get("name") == "choice":
            self.where += 1
            self.choices[str(values["value"])] = self.where


def test_nothing_is_chosen_before_and_refusing_comes_first(client: Client) -> None:
    """Both choices stand in one form in the same way; neither is ticked, nor hidden, nor takes more words to reach."""
    for path in ("/consent", "/consent/data"):
        fields = Fields()
        fields.feed(client.page(path))
        assert fields.chosen == []
    fields = Fields()
    fields.feed(client.page("/consent"))
    assert fields.choices == {"opt-out": 1, "opt-in": 2, "partial": 3}


BAD = [
    {"accounts": "ada", "for": "me"},
    {"choice": "opt-out", "accounts": "ada"},
    {"choice": "opt-out", "for": "me"},
    {"choice": "partial", "accounts": "ada", "for": "me"},
    {"choice": "opt-out", "accounts": "two words\na b", "domains": "nodots", "for": "me"},
    {"choice": "opt-out", "digests": "md5:00", "for": "me"},
]


@pytest.mark.parametrize("fields", BAD)
def test_what_is_missing_is_said(client: Client, fields: dict[str, str]) -> None:
    """In one sentence, without a request being written down."""
    size = client.running.hub.journal.size
    status, text = client.send("/consent", **fields)
    assert status == 400
    check_document(text, "en")
    assert client.running.hub.journal.size == size


def test_a_text_of_ones_own_proves_itself(client: Client) -> None:
    """With the form alone the opt-out is confirmed; withdrawing it takes one more button."""
    text = client.send("/consent", choice="opt-out", text=POEM, **{"for": "me"})[1]
    assert "Confirmed" in text
    assert entries(client) == {"content", "similar"}
    status, text = client.send("/consent/request", code=code_of(text), act="withdraw")
    assert (status, "was withdrawn" in text) == (200, True)
    assert entries(client) == set()
    assert client.send("/consent/request", code="wrong")[0] == 404
    assert client.send("/consent/request", code="wrong", act="x")[0] == 400


def entries(client: Client) -> set[str]:
    with client.running.hub.database.read() as db:
        return {entry.kind.value for entry in list_entries(db, open_keys(client.running.hub.settings))}


def test_an_account_of_the_hub_proves_itself_by_signing_in(client: Client) -> None:
    """Who is signed in presses a button; others are told so."""
    text = client.send("/consent", choice="opt-out", accounts="ada", **{"for": "me"})[1]
    assert "I am ada" not in text
    assert client.send("/consent/request", code=code_of(text), act="account")[0] == 401
    client.running.person("ada")
    client.http.cookies.clear()
    client.http.cookies.set("hm_session", example.sign_in(client.running, "ada"))
    status, shown = client.send("/consent/request", code=code_of(text), act="account")
    assert (status, "Confirmed" in shown) == (200, True)
    assert entries(client) == {"account"}


def test_a_request_about_personal_data_has_a_clock(client: Client) -> None:
    """Whoever asked sees it, and so does whoever runs the hub; others do not see the list."""
    text = client.send("/consent/data", right="access", accounts="ada@example.org", message="letters", **{"for": "me"})[
        1
    ]
    assert re.search(r"(27|28|29|30) days left", text)
    assert client.send("/consent/data", right="all", accounts="a", **{"for": "me"})[0] == 400
    assert client.http.get("/consent/due").status_code == 401
    client.running.person("root", administrator=True)
    client.http.cookies.set("hm_session", example.sign_in(client.running, "root"))
    page = client.page("/consent/due")
    check_document(page, "en")
    assert "A copy of my data" in page
    assert "letters" not in page
    data = client.http.get("/consent/due.json").json()
    assert (data["late"], data["rows"][0]["clock"]) == (0, "open")
    check_document(client.http.get("/consent/due", headers={"Accept": "text/html", "Accept-Language": "es"}).text, "es")


def test_what_lapsed_says_so(client: Client) -> None:
    """In the reader's own language."""
    text = client.send("/consent", choice="opt-out", accounts="ada", **{"for": "me"})[1]
    code = code_of(text)
    lapse(client.running.hub, find_request(client.running.hub, code).due + 1)
    assert "Nobody proved in time" in client.send("/consent/request", code=code)[1]


def test_a_mandate_is_left_to_people(client: Client) -> None:
    """The page says so, and offers no proof of one's own."""
    text = client.send("/consent", choice="opt-out", text=POEM, **{"for": "other"})[1]
    assert "confirm a mandate by hand" in text
    assert entries(client) == set()


def test_the_api_does_the_same(client: Client) -> None:
    """File, see the state, prove, withdraw; the evidence is public by its commitment and names nobody."""
    wanted = {"action": "opt-out", "selectors": [{"kind": "account", "value": "ada@example.org"}], "text": POEM}
    status, made = client.json("/requests", wanted)
    assert status == 201
    receipt = verify_receipt(json.dumps(made["receipt"]).encode())
    code = {"code": made["code"]}
    state = client.json("/requests/state", code)[1]
    assert (state["status"], state["commitment"]) == ("active", receipt.commitment)
    evidence = client.http.get(f"{API}/evidence/{receipt.commitment}")
    assert evidence.status_code == 200
    assert "ada@" not in evidence.text
    assert client.json("/requests/proof", {**code, "method": "content", "text": "other " * 40})[0] == 200
    assert client.json("/requests/proof", {**code, "method": "mail", "address": "ada@example.org"})[0] == 400
    assert client.json("/requests/withdrawal", code)[1]["status"] == "withdrawn"
    assert client.json("/requests/withdrawal", code)[0] == 404
    assert client.json("/requests", {**wanted, "action": "sell"})[0] == 400
    assert client.http.post(f"{API}/requests/rows", json=code).status_code == 404


def look_up(client: Client, names: list[str]) -> tuple[list[Mode | None], list[int]]:
    """Look names up by the API; return what was said, and the sizes of all answers."""
    look = client.http.get(f"{API}/lookup").json()
    said, sizes = [], []
    for name in names:
        asked = blind(question(make_selector(Kind.ACCOUNT, name)))
        body = {"epoch": look["epoch"], "elements": [asked.element.hex()]}
        answered = client.http.post(f"{API}/lookup", json=body)
        assert answered.status_code == 200, answered.text
        made = answered.json()
        evaluation = Evaluation((bytes.fromhex(made["elements"][0]),), bytes.fromhex(made["proof"]))
        (element,) = unblind([asked], evaluation, bytes.fromhex(look["public_key"]))
        bucket = client.http.get(f"{API}/lookup/{look['epoch']}/{look['bits']}/{bucket_of(element, look['bits'])}")
        said.append(find_line(bucket.content, element))
        sizes.append(len(answered.content) + len(bucket.content))
    return said, sizes


def test_private_look_up_answers_alike_for_those_who_are_there_and_not(client: Client) -> None:
    """Same status and size; the name is nowhere in what was sent; guesses run out."""
    made = client.json("/requests", {"action": "opt-out", "selectors": [{"kind": "account", "value": "ada"}]})[1]
    confirm_by_hand(client.running.hub, find_request(client.running.hub, str(made["code"])).id, "known")
    said, sizes = look_up(client, ["ada", "eva"])
    assert said == [Mode.OPT_OUT, None]
    assert len(set(sizes)) == 1
    look = client.http.get(f"{API}/lookup").json()
    many = {"epoch": look["epoch"], "elements": [blind(b"x").element.hex()] * 50}
    assert [client.http.post(f"{API}/lookup", json=many).status_code for _ in range(2)] == [200, 429]
    assert client.http.post(f"{API}/lookup", json={**many, "elements": ["zz"]}).status_code == 400
    assert client.http.get(f"{API}/lookup/{look['epoch']}/9/0").status_code == 400


def test_the_pages_of_the_ledger_name_nobody(client: Client) -> None:
    """After requests were filed, no public page of the log holds an identifier or a plain hash of one."""
    client.send("/consent", choice="opt-out", accounts="ada@example.org", text=POEM, **{"for": "me"})
    plain = [hashlib.sha256(b"ada@example.org").hexdigest(), text_digest(POEM).partition(":")[2]]
    for path in ("/ledger", "/ledger.json", "/ledger/entry/0", "/ledger/entries/0", "/ledger/tile/entries/000.p/2"):
        answer = client.http.get(path)
        assert answer.status_code == 200, path
        assert not [word for word in ("ada@", "poem", *plain) if word in answer.text]


def test_filing_is_bounded(client: Client) -> None:
    """One network files so many requests a minute."""
    body = {"action": "opt-out", "selectors": [{"kind": "account", "value": "ada"}]}
    assert [client.json("/requests", body)[0] for _ in range(21)][-2:] == [201, 429]


def test_models_from_before_are_named_and_nothing_is_claimed(client: Client) -> None:
    """A model whose card names a data set of this hub stands on the page of a later request."""
    ada = client.running.actor("ada")
    with client.running.hub.database.write() as db:
        create(db, ada, "dataset", "letters")
        create(db, ada, "model", "writer")
    with client.running.hub.database.write() as db:
        card = b"---\ndatasets: [ada/letters, other/set]\n---\n# Model\n"
        commit(db, find_repository(db, "model", "ada/writer"), ada, [Put("README.md", card)], Message("card"))
    text = client.send("/consent", choice="opt-out", accounts="ada", **{"for": "me"})[1]
    assert "ada/writer</a> (ada/letters)" in text
    assert "nobody claims that a model forgets" in text
