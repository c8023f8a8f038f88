"""A real browser reads cards, uses, origin and profiles: by keyboard, narrow and dark, without a script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hubs import serve_test_hub

pytest.importorskip("playwright.sync_api")
from tests.web.test_browser import AXE, CHROMIUM, api
from tests.web.test_card import BASE, GROUPS, Place

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
PAGES = (
    "",
    "?view=plain",
    "?view=page&lang=ar",
    "/uses?context=base&context=hospital_triage",
    "/evaluated/main?context=hospital_triage",
    "/claim/main?id=recall-worst",
    "/lineage",
    "/governance",
    "/profiles",
    "/profiles/nist-ai-600-1/final-2024-07?state=open",
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, api.Browser]]:
    folder = tmp_path_factory.mktemp("hub")
    with serve_test_hub(folder) as running, api.sync_playwright() as player:
        place = Place(running, folder)
        age, value, interval = GROUPS[1]
        row = {"metric": "eval.recall", "value": value, "n": 300, "interval": interval, "slice": {"age": age}}
        place.bring({"measurements": [row]})
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield place, browser
        browser.close()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (npm install axe-core)")
@pytest.mark.parametrize(("width", "scheme"), [(1100, "light"), (320, "dark")])
def test_everybody_can_read_them(served: tuple[Place, api.Browser], width: int, scheme: str) -> None:
    """axe-core finds nothing against WCAG 2.2 AA, wide and light or narrow and dark, and nothing leaves the screen."""
    place, browser = served
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme, "locale": "es"}
    page = browser.new_page(**options)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in PAGES:
        page.goto(place.running.url + BASE + path)
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") == 0, path
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("rules => axe.run(document, rules).then(r => r.violations)", rules)
        assert not [(path, each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]
    assert not said
    page.close()


def test_a_keyboard_is_enough_and_no_script_is_needed(served: tuple[Place, api.Browser]) -> None:
    """From a value in the text to who stated it; from one use to two; all without a mouse or a script."""
    place, browser = served
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(place.running.url + BASE)
    page.locator(".claimed a").first.focus()
    page.keyboard.press("Enter")
    assert page.url.endswith("#claim-recall-worst")
    drawer = page.locator("#claim-recall-worst details")
    assert not drawer.locator("ul").is_visible()
    drawer.locator("summary").focus()
    page.keyboard.press("Enter")
    assert "Example Auditors" in drawer.locator("ul").inner_text()
    page.goto(place.running.url + BASE + "/uses")
    page.locator("select").nth(1).select_option("hospital_triage")
    page.locator("form.uses button").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator(".pair > section").count() == 2
    context.close()
