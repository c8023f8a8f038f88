"""Forms do what they say, for those who may, and for nobody who was sent by another site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from hallmarked.hub.access import Role
from hallmarked.hub.account.organisation import create_organisation, invite
from hallmarked.hub.account.ticket import make_setup
from hallmarked.hub.schema.review import event
from hallmarked.hub.setting import Login, Settings, Storage
from hallmarked.hub.trail import Tag
from hallmarked.web.app import create_app
from tests.hubs import RunningHub, open_test_hub
from tests.web import example
from tests.web.conftest import Visit
from tests.web.reading import check_document

PASSWORD = "four words not together"
ACTS = (
    Tag.REPOSITORY_VISIBILITY_CHANGED,
    Tag.REPOSITORY_GATE_CHANGED,
    Tag.REPOSITORY_MOVED,
    Tag.REPOSITORY_DELETED,
)


class Browser:
    """A browser without scripts: it keeps cookies and sends the forms of the page it is on."""

    def __init__(self, running: RunningHub) -> None:
        self.app = create_app(running.hub)
        self.client = TestClient(self.app, base_url="http://127.0.0.1", headers={"Accept": "text/html"})
        self.text = ""

    def open(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        self.text = answer.text
        return check_document(self.text, "en").words

    def send(self, action: str, status: int = 200, **fields: str) -> str:
        """Fill in the form with that action on this page, and send it."""
        assert f'action="{action}"' in self.text
        token = re.search(r'name="csrf" value="([^"]+)"', self.text)
        assert token
        hidden = re.findall(rf'action="{re.escape(action)}">.*?</form>', self.text, re.DOTALL)[0]
        given = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', hidden))
        sent = {name: unescape(value) for name, value in given.items()} | fields
        answer = self.client.post(action, data=sent)
        assert answer.status_code == status, (answer.status_code, check_document(answer.text, "en").words)
        self.text = answer.text
        return check_document(self.text, "en").words


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as hub:
        yield hub


def set_up(running: RunningHub) -> Browser:
    with running.hub.database.write() as db:
        ticket = make_setup(db)
    browser = Browser(running)
    browser.open(f"/welcome?ticket={ticket}")
    fields = {"name": "ada", "full_name": "Ada", "email": "ada@example.org", "password": PASSWORD, "again": PASSWORD}
    words = browser.send("/welcome", **fields)
    assert "administrator of this hub" in words
    return browser


def test_first_run_sign_out_and_in(running: RunningHub) -> None:
    """The link makes the administrator, once; they sign out, a wrong password is refused, the right one is not."""
    browser = set_up(running)
    browser.send("/logout")
    browser.open("/settings", 401)
    browser.open("/login?next=/ledger")
    assert "The name or the password is wrong." in browser.send(
        "/login", name="ada", password="something else entirely"
    )
    assert "The ledger of this hub" in browser.send("/login", name="ada", password=PASSWORD)


def test_making_an_account(tmp_path: Path) -> None:
    """Where the hub lets anybody make an account, the page to sign in leads to the form, and a mistake is told."""
    data = str(tmp_path / "data")
    with open_test_hub(tmp_path, Settings(storage=Storage(data=data))) as running:
        browser = Browser(running)
        assert "Make an account" not in browser.open("/login")
        assert "makes accounts for people it knows" in browser.open("/login/new", 403)
    open_to_all = Settings(storage=Storage(data=data), login=Login(register=True))
    with open_test_hub(tmp_path, open_to_all) as running:
        browser = Browser(running)
        assert "Make an account" in browser.open("/login")
        fields = {"name": "cleo", "full_name": "Cleo", "email": "cleo@example.org", "password": PASSWORD}
        browser.open("/login/new")
        assert "two passwords are not the same" in browser.send("/login/new", 400, **fields, again="another one here")
        browser.open("/login/new")
        words = browser.send("/login/new", **fields, again=PASSWORD)
        assert "Cleo" in words
        assert "administrator of this hub" not in words


def test_signing_in_leads_back(running: RunningHub) -> None:
    """The links to sign in know the page they are on, also one that shows an error."""
    set_up(running)
    browser = Browser(running)
    for path, status in (("/ledger", 200), ("/ada/nothing", 401), ("/models?search=a%26b", 200)):
        browser.open(path, status)
        link = re.search(r'href="(/login\?next=[^"]+)"', browser.text)
        assert link
        browser.open(unescape(link[1]))
        assert f'name="next" value="{path}"' in unescape(browser.text)


def test_wrong_passwords_of_somebody_signed_in_are_counted(running: RunningHub) -> None:
    """Whoever has somebody's browser cannot try passwords without end on the page where they are changed."""
    browser = set_up(running)
    browser.open("/settings")
    page = browser.text
    wrong = {"old": "something else entirely", "new": "three more words", "again": "three more words"}
    for status in [401] * running.hub.settings.limit.sign_ins + [429]:
        browser.text = page
        browser.send("/settings/password", status, **wrong)


def test_tokens_organisations_and_password(running: RunningHub) -> None:
    """A token is shown once, works, and can be revoked; an organisation is made; a new password signs in."""
    browser = set_up(running)
    browser.open("/settings")
    browser.send("/settings/tokens", name="laptop", scope="read", days="30")
    token = re.search(r">(hm_[\w-]+)<", browser.text)
    assert "export HF_ENDPOINT=http://127.0.0.1" in browser.text
    assert token
    with TestClient(browser.app, base_url="http://127.0.0.1") as program:
        asked = {"Authorization": f"Bearer {token[1]}"}
        assert program.get("/api/whoami-v2", headers=asked).json()["name"] == "ada"
        assert token[1] not in browser.open("/settings")
        browser.send("/settings/tokens/revoke")
        assert program.get("/api/whoami-v2", headers=asked).status_code == 401
    browser.open("/settings")
    assert "ACME Health" in browser.send("/settings/organisations", name="acme", full_name="ACME Health")
    browser.open("/settings")
    again = "another four words here"
    browser.send("/settings/password", old=PASSWORD, new=again, again=again)
    browser.send("/logout")
    browser.open("/login")
    browser.send("/login", name="ada", password=again)
    assert "ada@example.org" in browser.open("/settings")


def test_invitation(running: RunningHub) -> None:
    """Who is invited sees what to, and belongs after accepting."""
    browser = set_up(running)
    running.person("ben")
    ben = running.actor("ben")
    with running.hub.database.write() as db:
        create_organisation(db, ben, "acme")
        ticket = invite(db, ben, "acme", Role.REVIEWER).rpartition("=")[2]
    words = browser.open(f"/join?ticket={ticket}")
    assert "You are invited to acme" in words
    assert "reviewer" in words
    browser.send("/join")
    assert "acme" in browser.open("/settings")


def test_forms_of_other_sites_are_refused(visit: Visit) -> None:
    """Without the token of one of our own pages a form does nothing."""
    cookie = {"Cookie": f"hm_session={visit.session('ada')}", "Accept": "text/html"}
    path = f"/{example.MODEL}/settings"
    answer = visit.client.post(path, data={"act": "delete", "confirm": example.MODEL}, headers=cookie)
    assert answer.status_code == 403
    assert "open the page again" in check_document(answer.text, "en").words
    assert visit.get(f"/{example.MODEL}")[0] == 200


@pytest.fixture
def browsing(tmp_path: Path) -> Iterator[tuple[RunningHub, dict[str, Browser]]]:
    with open_test_hub(tmp_path) as running:
        example.people(running)
        browsers = {}
        for name in ("ada", "ben"):
            browsers[name] = Browser(running)
            browsers[name].client.cookies.set("hm_session", example.sign_in(running, name))
        yield running, browsers


def test_access_is_asked_for_and_decided(browsing: tuple[RunningHub, dict[str, Browser]]) -> None:
    """Somebody asks with answers; an owner reads them and accepts; the page then says why they may."""
    _, browsers = browsing
    ada, ben = browsers["ada"], browsers["ben"]
    path = "/datasets/acme/emergency-notes"
    assert "You have not asked yet" in ben.open(f"{path}/access")
    answers = {"answer-0": "To study triage.", "answer-1": "ES", "answer-2": "2026-12-01", "answer-3": "Research"}
    assert "Your request waits" in ben.send(f"{path}/access", **answers, **{"answer-4": "true"})
    words = ada.open(f"{path}/access")
    assert "To study triage." in words
    ada.send(f"{path}/access/decide", act="accepted", days="30")
    assert "because your request was accepted. Until" in ben.open(f"{path}/access")
    ben.open(f"{path}/settings", 403)


def test_discussion(browsing: tuple[RunningHub, dict[str, Browser]]) -> None:
    """Somebody asks, somebody answers and closes; the comments are rendered."""
    _, browsers = browsing
    ada, ben = browsers["ada"], browsers["ben"]
    path = "/datasets/acme/emergency-notes/discussions"
    ben.open(path)
    words = ben.send(path, title="Which years?", text="Are notes of **2023** in it?")
    assert "Are notes of 2023 in it?" in words
    ada.open(f"{path}/1")
    assert "No, 2024 and later." in ada.send(f"{path}/1", text="No, 2024 and later.", act="closed")
    assert "closed" in ben.open(f"{path}/1")
    assert "Which years?" in ben.open(f"{path}?status=closed")


def test_settings(browsing: tuple[RunningHub, dict[str, Browser]]) -> None:
    """An owner hides, renames and deletes; deleting asks for the name. The audit trail says who it was."""
    running, browsers = browsing
    ada, ben = browsers["ada"], browsers["ben"]
    path = "/datasets/acme/emergency-notes"
    ada.open(f"{path}/settings")
    ada.send(f"{path}/settings", act="change", visibility="private", gate="open")
    ben.open(path, 404)
    ada.open(f"{path}/settings")
    ada.send(f"{path}/settings", act="move", target="acme/notes")
    ada.open("/datasets/acme/notes/settings")
    ada.send("/datasets/acme/notes/settings", 400, act="delete", confirm="notes")
    ada.open("/datasets/acme/notes/settings")
    ada.send("/datasets/acme/notes/settings", act="delete", confirm="acme/notes")
    ada.open("/datasets/acme/notes", 404)
    with running.hub.database.read() as db:
        noted = db.execute(select(event.c.account_id).where(event.c.tag.in_(ACTS)).order_by(event.c.created)).scalars()
        assert list(noted)[-4:] == [running.actor("ada").account_id] * 4
