"""A real browser shows the charts of a data set."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hubs import serve_test_hub

pytest.importorskip("playwright.sync_api")
from tests.web.test_browser import AXE, CHROMIUM, api
from tests.web.test_dataset import PAGE, fill

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (npm install axe-core)")
def test_charts_can_be_read_by_everybody(tmp_path: Path) -> None:
    """axe-core finds nothing against WCAG 2.2 AA on pages of a data set; the policy for content refuses nothing."""
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    with serve_test_hub(tmp_path) as running, api.sync_playwright() as player:
        fill(running)
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(locale="es")
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        for path, charts in ((PAGE, 0), (f"{PAGE}/evidence", 6)):
            page.goto(running.url + path)
            assert page.locator("svg.chart:visible").count() == charts
            page.evaluate(AXE.read_text("utf-8"))
            found = page.evaluate("rules => axe.run(document, rules).then(r => r.violations)", rules)
            assert not [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]
        assert not said
        browser.close()
