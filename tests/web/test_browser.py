"""A real browser walks the pages: hostile text does nothing, and the keyboard reaches everything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hallmarked.hub.access import Actor
from hallmarked.hub.change.commit import Change, Message, Put, commit
from hallmarked.hub.community.discussion import Opening, add_comment, open_discussion
from hallmarked.hub.repository.repository import Repository, find_repository
from tests.hubs import RunningHub, serve_test_hub
from tests.web import example
from tests.web.payload import PAYLOADS

api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
MODEL = f"/{example.MODEL}"
AXE = Path(os.environ.get("AXE_CORE", Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"))
"""The accessibility checker, when somebody installed it."""


@dataclass
class Walker:
    """A browser that notes everything a page does by itself."""

    running: RunningHub
    context: api.BrowserContext
    page: api.Page
    acts: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note dialogs, requests to other hosts, and frames or windows that open."""
        self.context.route("**/*", self._request)
        self.context.on("page", lambda page: self.acts.append(f"window {page.url}"))
        self.page.on("dialog", self._dialog)
        self.page.on("framenavigated", self._frame)

    def open(self, path: str) -> None:
        """Open a page, and move over everything in it."""
        self.page.goto(self.running.url + path, wait_until="load")
        self.page.evaluate(
            "document.querySelectorAll('main *').forEach(e => {"
            " for (const kind of ['mouseover', 'pointerenter', 'focus', 'toggle', 'animationstart'])"
            " e.dispatchEvent(new Event(kind, {bubbles: true})); })"
        )

    def _request(self, route: api.Route) -> None:
        if route.request.url.startswith((self.running.url, "about:", "data:")):
            route.continue_()
        else:
            self.acts.append(f"request {route.request.url}")
            route.abort()

    def _dialog(self, dialog: api.Dialog) -> None:
        self.acts.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _frame(self, frame: api.Frame) -> None:
        if frame.parent_frame is not None or not frame.url.startswith((self.running.url, "about:blank")):
            self.acts.append(f"frame {frame.url}")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with serve_test_hub(tmp_path_factory.mktemp("hub")) as hub:
        example.people(hub)
        yield hub


@pytest.fixture
def walker(running: RunningHub) -> Iterator[Walker]:
    with api.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1100, "height": 900})
        cookie = {"name": "hm_session", "value": example.sign_in(running, "ada"), "url": running.url}
        context.add_cookies([cookie])
        walker = Walker(running, context, context.new_page())
        walker.watch()
        yield walker
        browser.close()


def name_of(number: int, payload: str) -> str:
    """Make the name of a file out of a payload: what no file may be called is left out."""
    kept = "".join(character for character in payload if character.isprintable() and character not in "/\\")
    return f"{number:03d} {kept[:60]}".rstrip(". ") + ".txt"


@pytest.fixture(scope="module")
def hostile(running: RunningHub) -> tuple[Repository, list[str]]:
    """Put every payload into the card, a file, the name of a file, a commit, and a discussion with a comment."""
    actor: Actor = running.actor("ada")
    with running.hub.database.write() as db:
        repo = find_repository(db, "model", example.MODEL)
        card = "\n\n".join(f"## {number}\n\n{payload}" for number, payload in enumerate(PAYLOADS))
        front = '---\nlicense: "<img src=x onerror=alert(1)>"\npipeline_tag: "\'><script>alert(1)</script>"\n---\n'
        names = [name_of(number, payload) for number, payload in enumerate(PAYLOADS)]
        changes: list[Change] = [
            Put("README.md", (front + card).encode("utf-8", "replace")),
            Put("page.html", "\n".join(PAYLOADS).encode("utf-8", "replace")),
            *(Put(f"names/{name}", b"x") for name in names),
        ]
        commit(db, repo, actor, changes, Message("<script>alert(1)</script>"))
        for start in range(0, len(PAYLOADS), 20):
            part = [payload.replace("\x00", "") for payload in PAYLOADS[start : start + 20]]
            title = " ".join(part[0].split())[:150] or "x"
            made = open_discussion(db, repo, actor, Opening(title, "\n\n".join(part)))
            for payload in part:
                add_comment(db, repo, made.number, actor, payload)
    return repo, names


def test_there_are_enough_payloads() -> None:
    """There are at least 200, all different."""
    assert len(set(PAYLOADS)) >= 200


def test_hostile_text_does_nothing(walker: Walker, hostile: tuple[Repository, list[str]], tmp_path: Path) -> None:
    """In cards, files, names of files, commits, titles and comments nothing runs and nothing leaves this hub."""
    _, names = hostile
    discussions = [f"{MODEL}/discussions/{number}" for number in range(1, 1 + (len(PAYLOADS) + 19) // 20)]
    places = [MODEL, f"{MODEL}/blob/main/page.html", f"{MODEL}/tree/main/names", f"{MODEL}/commits/main"]
    places += [
        f"{MODEL}/commit/main",
        f"{MODEL}/discussions",
        "/models",
        "/search?search=%3Cscript%3Ealert(1)",
        "/acme",
    ]
    for place in [*places, *discussions]:
        walker.open(place)
        assert walker.page.locator("h1").count() == 1
        assert walker.page.locator("main").count() == 1
        assert walker.page.locator("#main").evaluate("e => e.tagName") == "MAIN"
        assert walker.acts == [], place
    for number in range(0, len(names), 25):
        walker.page.goto(f"{walker.running.url}{MODEL}/tree/main/names")
        links = walker.page.locator("tbody td:first-child a")
        assert links.count() == len(names)
        links.nth(number).click()
        assert walker.page.locator("h1").count() == 1
    assert walker.acts == []
    walker.page.evaluate("alert(1)")
    assert walker.acts == ["dialog 1"]  # what would have been noticed


def test_bytes_that_are_opened_directly_do_nothing(walker: Walker, hostile: tuple[Repository, list[str]]) -> None:
    """An uploaded page that somebody opens by its address cannot act on this hub."""
    walker.page.goto(f"{walker.running.url}/status")
    answer = walker.context.request.get(f"{walker.running.url}{MODEL}/resolve/main/page.html")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert not answer.headers["content-type"].startswith("text/html")
    with walker.page.expect_download() as download:
        walker.page.evaluate(f"location.assign('{MODEL}/resolve/main/page.html')")
    assert download.value.suggested_filename == "page.html"
    assert walker.acts == []


def test_keyboard(walker: Walker, hostile: tuple[Repository, list[str]]) -> None:
    """With the tab key alone: first the link past the menu, then everything that can be used, always visibly."""
    walker.page.goto(walker.running.url + f"{MODEL}/settings")
    usable = walker.page.locator("a[href]:visible, button:visible, input:visible:not([type=hidden]), select:visible")
    expected = usable.count()
    seen = set()
    walker.page.keyboard.press("Tab")
    assert walker.page.evaluate("document.activeElement.className") == "skip"
    for _ in range(expected + 20):
        seen.add(walker.page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        outline = walker.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
        walker.page.keyboard.press("Tab")
        if walker.page.evaluate("document.activeElement === document.body"):
            break
    assert len(seen) >= expected
    walker.page.goto(walker.running.url + MODEL)
    walker.page.keyboard.press("Tab")
    walker.page.keyboard.press("Enter")
    assert walker.page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("width", [320, 520, 1100])
def test_nothing_sticks_out(walker: Walker, hostile: tuple[Repository, list[str]], width: int) -> None:
    """At each width a page scrolls in one direction only; targets are large enough for a finger."""
    walker.page.set_viewport_size({"width": width, "height": 800})
    for place in ("/", "/models", "/ledger", f"{MODEL}/tree/main", f"{MODEL}/access", f"{MODEL}/settings", "/settings"):
        walker.page.goto(walker.running.url + place)
        assert walker.page.evaluate("document.documentElement.scrollWidth") <= width, place
        small = walker.page.evaluate(
            "[...document.querySelectorAll('button, select, input:not([type=hidden])')].filter(e => e.offsetParent"
            " && (e.getBoundingClientRect().height < 24)).map(e => e.outerHTML)"
        )
        boxes = [each for each in small if "checkbox" not in each]
        assert not boxes, place


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (npm install axe-core)")
def test_accessibility(walker: Walker, hostile: tuple[Repository, list[str]]) -> None:
    """axe-core finds nothing against WCAG 2.2 AA on any kind of page, in the light and the dark scheme."""
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    places = ["/", "/models", "/ledger", "/login", "/settings", "/moderation", "/status", "/acme", "/nothing/here"]
    places += ["/help", "/settings/webhooks", "/settings/deleted", "/organizations/acme", "/likes/ada"]
    places += [f"{MODEL}{rest}" for rest in ("/tree/main", "/blob/main/page.html", "/commits/main", "/commit/main")]
    places += [f"{MODEL}{rest}" for rest in ("/evidence", "/discussions", "/discussions/1", "/access", "/settings")]
    places += [f"{MODEL}{rest}" for rest in ("/contexts", "/bring", "/record/main", "/record/main?kind=waiver")]
    for scheme in ("light", "dark"):
        walker.page.emulate_media(color_scheme=scheme)
        for place in places:
            walker.page.goto(walker.running.url + place)
            walker.page.evaluate(AXE.read_text("utf-8"))
            found = walker.page.evaluate("rules => axe.run(document, rules).then(r => r.violations)", rules)
            told = [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]
            assert not told, (place, scheme)


def test_script_only_helps(walker: Walker, hostile: tuple[Repository, list[str]]) -> None:
    """With the script a filter hides rows and a search replaces the list; without it, searching loads a page."""
    walker.page.goto(walker.running.url + f"{MODEL}/tree/main")
    walker.page.fill("[data-filter]", "readme")
    assert walker.page.locator("#files tbody tr:visible").count() == 1
    walker.page.goto(walker.running.url + "/models")
    walker.page.fill("form.filters [name=search]", "nothing-like-this")
    walker.page.locator("form.filters button").click()
    walker.page.wait_for_url("**/search?*search=nothing-like-this*")
    walker.page.locator("#found .empty").wait_for()
    walker.page.go_back()
    walker.page.locator("#found .rows").wait_for()
    plain = walker.context.browser.new_context(java_script_enabled=False) if walker.context.browser else None
    assert plain
    page = plain.new_page()
    page.goto(walker.running.url + "/models")
    page.fill("form.filters [name=search]", "nothing-like-this")
    page.locator("form.filters button").click()
    assert page.locator("#found .empty").count() == 1
    plain.close()
