"""A real browser: the filters hide what is not chosen without a script, everybody can read it, and it prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hallmarked.policy.fact import Facts
from hallmarked.profiles.nist.edition import FINAL
from hallmarked.profiles.page import Shown, render_page
from hallmarked.profiles.profile import build_profile
from hallmarked.profiles.registry import load, namesakes_of
from tests.profiles.example import HERE, NOW, filled, measured

pytest.importorskip("playwright.sync_api")
from tests.web.test_browser import AXE, CHROMIUM, api

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]


@pytest.fixture(scope="module")
def text() -> str:
    framework = load(f"nist-ai-600-1/{FINAL}")
    facts = Facts([measured("eval.privacy", "0.01", n=500), filled("contact")], HERE)
    return render_page(
        build_profile(framework, facts, NOW), Shown(HERE, NOW, "en", namesakes_of(framework), "hallmarked …")
    )


@pytest.fixture
def page(text: str) -> Iterator[Any]:
    with api.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        made = browser.new_page(java_script_enabled=True)
        made.set_content(text)
        yield made
        browser.close()


def test_filters(page: Any) -> None:
    """Choosing a state, a part and a risk leaves what has all three, and headings without controls go."""
    assert page.locator(".control:visible").count() == 212
    page.check("#s-evidenced")
    shown = page.locator(".control:visible")
    assert shown.count() == 3
    assert page.locator(".group:visible").count() == 2
    page.check("#f-2")
    assert page.locator(".control:visible").count() == 1
    page.check("#s-all")
    assert page.locator(".control:visible").count() == 72
    page.check("#t-4")
    assert page.locator(".control:visible").count() == 4


def test_narrow_and_printed(page: Any) -> None:
    """At 320 pixels nothing has to be scrolled sideways; on paper the filters are gone, and the controls are not."""
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.emulate_media(media="print")
    assert page.locator("fieldset:visible").count() == 0
    assert page.locator(".control:visible").count() == 212


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (npm install axe-core)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(page: Any, scheme: str) -> None:
    """axe-core finds nothing against WCAG 2.2 AA, in the light and the dark scheme."""
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    page.emulate_media(color_scheme=scheme)
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("rules => axe.run(document, rules).then(r => r.violations)", rules)
    assert not [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]
