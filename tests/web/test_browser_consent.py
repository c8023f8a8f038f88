"""In a real browser without scripts, refusing takes no more steps than allowing, and the keyboard is enough."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hallmarked.corpus.consent.receipt import verify_receipt
from hallmarked.hub.consent.request import find_request
from tests.hubs import RunningHub, serve_test_hub
from tests.web import example

api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = Path(os.environ.get("AXE_CORE", Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"))

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
MOST = 60
"""Presses of the tab key until something has to be reached."""
LABEL = """() => {
  const e = document.activeElement
  const label = e.labels && e.labels.length ? e.labels[0].textContent : e.textContent
  return [(label || '').trim().replace(/\\s+/g, ' '), getComputedStyle(e).outlineStyle]
}"""
POEM = " ".join(f"line{number} of a poem that nobody else wrote" for number in range(30))


@dataclass
class Steps:
    """Somebody at a keyboard; every page, choice, entry and press of a button is a step."""

    page: api.Page
    url: str
    steps: int = 0
    keys: int = 0

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)
        self.steps += 1

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1

    def reach(self, name: str) -> None:
        for _ in range(MOST):
            self.press("Tab")
            label, outline = self.page.evaluate(LABEL)
            assert outline != "none", label
            if label.startswith(name):
                return
        raise AssertionError(f"the tab key does not reach {name}")

    def choose(self, first: str, down: int) -> None:
        """Choose the nth of a group of choices, of which none is chosen yet."""
        self.reach(first)
        self.press("Space") if not down else [self.press("ArrowDown") for _ in range(down)]
        self.steps += 1

    def write(self, name: str, text: str) -> None:
        self.reach(name)
        self.page.keyboard.insert_text(text)
        self.steps += 1

    def push(self, name: str) -> None:
        self.reach(name)
        with self.page.expect_navigation():
            self.press("Enter")
        self.steps += 1


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with serve_test_hub(tmp_path_factory.mktemp("hub")) as hub:
        hub.person("root", administrator=True)
        yield hub


@pytest.fixture
def browser() -> Iterator[api.Browser]:
    with api.sync_playwright() as player:
        opened = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def ask(browser: api.Browser, url: str, down: int) -> Steps:
    """Refuse (0) or allow (1) the use of a text, from the front page to the confirmed request."""
    context = browser.new_context(java_script_enabled=True, viewport={"width": 1100, "height": 900})
    context.route("**/site.js*", lambda route: route.abort())  # our script is not loaded; the test itself needs scripts
    steps = Steps(context.new_page(), url)
    steps.open("/")
    steps.push("Opt out or in")
    steps.choose("I refuse", down)
    steps.write("Accounts", "ada@example.org")
    steps.choose("For myself", 0)
    steps.push("Send the request")
    return steps


def test_refusing_takes_no_more_than_allowing(browser: api.Browser, running: RunningHub) -> None:
    """Six steps each, the same presses of keys, on the same pages, with nobody signed in and no account made."""
    refused, allowed = ask(browser, running.url, 0), ask(browser, running.url, 1)
    assert refused.steps <= allowed.steps == 6
    assert refused.keys <= allowed.keys
    for steps, action in ((refused, "opt-out"), (allowed, "opt-in")):
        code = steps.page.locator("input[name=code]").first.input_value()
        assert find_request(running.hub, code).action == action
        assert not steps.page.locator("text=Sign out").count()
    assert list(running.actors) == ["root"]


def test_choices_weigh_the_same(browser: api.Browser, running: RunningHub) -> None:
    """Nothing is ticked; both choices have the same font, colour and height, and neither is out of sight."""
    page = browser.new_page()
    page.goto(running.url + "/consent")
    assert page.locator("input:checked").count() == 0
    looks = page.locator("label:has(input[name=choice])").evaluate_all(
        "all => all.map(e => { const s = getComputedStyle(e), b = e.getBoundingClientRect();"
        " return [s.fontSize, s.fontWeight, s.color, s.opacity, b.left, b.width > 0] })"
    )
    assert len(looks) == 3
    assert looks[0] == looks[1] == looks[2]


def test_it_works_without_scripts_from_beginning_to_end(browser: api.Browser, running: RunningHub) -> None:
    """File, save the receipt as a file, open it again by the code, withdraw; scripts are switched off."""
    context = browser.new_context(java_script_enabled=False, accept_downloads=True)
    page = context.new_page()
    page.goto(running.url + "/consent")
    page.check("input[value=opt-out]")
    page.fill("textarea[name=text]", POEM)
    page.check("input[name=for][value=me]")
    page.click("text=Send the request")
    assert page.locator("text=Confirmed").count() == 1
    code = page.locator("input[name=code]").first.get_attribute("value")
    with page.expect_download() as download:
        page.click("text=Save the receipt")
    receipt = verify_receipt(Path(download.value.path()).read_bytes())
    assert re.fullmatch(r"consent-receipt-\d+\.json", download.value.suggested_filename)
    assert receipt.request.action == "opt-out"
    page.goto(running.url + "/consent/request")
    page.fill("main input[name=code]", code or "")
    page.click("text=Open it")
    page.click("text=Withdraw the request")
    assert page.locator("text=was withdrawn").count() == 1
    page.goto(running.url + "/consent")
    page.click("footer button[lang=es]")
    assert "Negarse o consentir" in page.title()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (npm install axe-core)")
def test_accessibility(browser: api.Browser, running: RunningHub) -> None:
    """axe-core finds nothing against WCAG 2.2 AA on any of these pages, in the light and the dark scheme."""
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    context = browser.new_context(bypass_csp=True)
    context.add_cookies([{"name": "hm_session", "value": example.sign_in(running, "root"), "url": running.url}])
    page = context.new_page()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for place in ("/consent", "/consent/data", "/consent/request", "filed", "/consent/due"):
            if place == "filed":
                page.goto(running.url + "/consent")
                page.check("input[value=opt-out]")
                page.fill("textarea[name=domains]", "example.org")
                page.fill("textarea[name=accounts]", "ada")
                page.check("input[name=for][value=me]")
                page.click("text=Send the request")
            else:
                page.goto(running.url + place)
            page.evaluate(AXE.read_text("utf-8"))
            found = page.evaluate("rules => axe.run(document, rules).then(r => r.violations)", rules)
            told = [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]
            assert not told, (place, scheme)
