"""Somebody who uses the keyboard alone manages an organisation, a repository and a webhook in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hallmarked.hub.access import Role
from hallmarked.hub.account.account import find_account, organisations
from hallmarked.hub.error import RepositoryNotFound
from hallmarked.hub.outbound.webhook import list_webhooks
from hallmarked.hub.repository.collaborator import list_collaborators
from hallmarked.hub.repository.repository import find_repository
from tests.hubs import RunningHub, serve_test_hub
from tests.web import example

api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
MODEL = f"/{example.MODEL}"
MOST = 120
"""Presses of the tab key until something has to be reached."""
ACTIVE = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect()
  const label = e.labels && e.labels.length ? e.labels[0].textContent : e.textContent
  return {
    tag: e.tagName, name: (label || '').trim().replace(/\\s+/g, ' '), outline: getComputedStyle(e).outlineStyle,
    shown: box.width > 0 && box.bottom > 0 && box.top < innerHeight,
  }
}"""


class Hands:
    """Somebody who presses keys, and nothing else; what has the focus must always be seen."""

    def __init__(self, running: RunningHub, page: api.Page) -> None:
        self.running, self.page = running, page

    def open(self, path: str) -> None:
        """Go to an address."""
        self.page.goto(self.running.url + path)

    def reach(self, tag: str, name: str) -> None:
        """Press the tab key until something with that name has the focus."""
        for _ in range(MOST):
            self.page.keyboard.press("Tab")
            found = self.page.evaluate(ACTIVE)
            assert found["outline"] != "none", found
            if found["tag"] == tag and found["name"].startswith(name):
                assert found["shown"], found
                return
        raise AssertionError(f"the tab key does not reach {tag} {name}")

    def write(self, name: str, text: str, tag: str = "INPUT") -> None:
        """Fill in a field."""
        self.reach(tag, name)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def choose(self, name: str, option: str) -> None:
        """Choose from a list by its first letters."""
        self.reach("SELECT", name)
        self.page.keyboard.type(option)

    def press(self, name: str) -> None:
        """Press a button, and wait for the page that follows."""
        self.reach("BUTTON", name)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def words(self) -> str:
        """Return what the page says."""
        return " ".join(self.page.inner_text("main").split())


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    with serve_test_hub(tmp_path) as running, api.sync_playwright() as player:
        example.people(running)
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1100, "height": 900}, java_script_enabled=True)
        context.add_cookies([{"name": "hm_session", "value": example.sign_in(running, "ada"), "url": running.url}])
        yield Hands(running, context.new_page())
        browser.close()


def test_managing_by_keyboard_alone(hands: Hands) -> None:
    """Invite, name, give a role, like, make and delete a webhook, delete and restore: keys only, focus always seen."""
    running = hands.running
    hands.open("/organizations/acme")
    hands.choose("Role", "rev")
    hands.write("E-mail address", "nurse@example.org")
    hands.press("Make a link")
    assert "/join?ticket=" in hands.words()
    hands.open("/organizations/acme")
    hands.press("Withdraw nurse@example.org")
    assert "No invitation is open." in hands.words()
    hands.write("Full name", "ACME Clinic")
    hands.choose("Who sees new repositories", "only")
    hands.press("Save")
    hands.open(f"{MODEL}/settings")
    hands.write("Name", "ben")
    hands.choose("Role", "rev")
    hands.press("Give it")
    hands.open(MODEL)
    hands.press("Like")
    hands.open("/settings/webhooks")
    hands.write("Address of your program", "https://hooks.example/x")
    hands.write("What it watches", "acme\ndatasets/acme/emergency-notes", "TEXTAREA")
    hands.press("Make it")
    assert "None yet." in hands.words()
    hands.press("Send a test message")
    assert "Waits" in hands.words()
    with running.hub.database.read() as db:
        assert find_account(db, "acme").full_name == "ACME Clinic"
        repo = find_repository(db, "model", example.MODEL)
        assert repo.likes == 1
        assert [(each.name, each.role) for each in list_collaborators(db, repo)] == [("ben", Role.REVIEWER)]
        (made,) = list_webhooks(db, running.actor("ada"))
        assert [each["name"] for each in made.watched] == ["acme", "acme/emergency-notes"]
        assert organisations(db, running.actor("ada").account_id or "")
    hands.press("Delete this webhook")
    assert "No webhook yet." in hands.words()
    hands.open(f"{MODEL}/settings")
    hands.write(f"Type {example.MODEL}", example.MODEL)
    hands.press("Delete")
    with running.hub.database.read() as db, pytest.raises(RepositoryNotFound):
        find_repository(db, "model", example.MODEL)
    hands.press(f"Restore {example.MODEL}")
    assert hands.page.url == running.url + MODEL


def test_stating_by_keyboard_alone(hands: Hands) -> None:
    """Say who did a stage, and choose a use as a gate: keys only, focus always seen."""
    hands.open(f"{MODEL}/record/main?kind=stage")
    hands.choose("Stage", "tra")
    hands.write("How it was done", "On our own machines.", "TEXTAREA")
    hands.press("Sign and publish it")
    assert "ada trained it" in hands.words()
    hands.open(f"{MODEL}/contexts")
    hands.choose("", "has")
    hands.press("Save")
    assert hands.page.locator("select option[value=gate]:checked").count() == 1


@pytest.mark.parametrize("width", [320, 1100])
def test_nothing_sticks_out(hands: Hands, width: int) -> None:
    """At each width the new pages scroll in one direction only, and what is pressed is large enough for a finger."""
    hands.page.set_viewport_size({"width": width, "height": 800})
    own = [f"{MODEL}{rest}" for rest in ("/settings", "/contexts", "/bring", "/record/main?kind=stage")]
    for place in ("/organizations/acme", "/settings/webhooks", "/settings/deleted", "/likes/ada", *own):
        hands.open(place)
        assert hands.page.evaluate("document.documentElement.scrollWidth") <= width, place
        small = hands.page.evaluate(
            "[...document.querySelectorAll('button, select, input:not([type=hidden],[type=checkbox])')]"
            ".filter(e => e.offsetParent && e.getBoundingClientRect().height < 24).map(e => e.outerHTML)"
        )
        assert not small, place
