"""Somebody without a mouse, without scripts and without an account looks for a passage in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

for _module in ("pyarrow", "pydivsufsort"):
    pytest.importorskip(_module, reason="data sets are searched with the extra data")

from hallmarked.hub.change.commit import Message, Put, commit  # noqa: E402 -- after the skip
from hallmarked.hub.change.creation import create  # noqa: E402
from hallmarked.hub.job.passage import index_due  # noqa: E402
from hallmarked.hub.repository.revision import find_revision  # noqa: E402
from hallmarked.hub.review.status import set_state  # noqa: E402
from tests.hubs import RunningHub, serve_test_hub  # noqa: E402
from tests.web import example  # noqa: E402
from tests.web.test_browser import AXE  # noqa: E402
from tests.web.test_browser_manage import CHROMIUM, Hands, api  # noqa: E402

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
PASSAGE = "the lighthouse keeper counted every ship that passed before the storm"
PAGE = "/datasets/ada/ships/passages"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with serve_test_hub(tmp_path_factory.mktemp("hub")) as running:
        ada = running.actor("ada")
        with running.hub.database.write() as db:
            repo = create(db, ada, "dataset", "ships")
            row = json.dumps({"text": f"Page 3. {PASSAGE}. The end.", "source": "shelf 9", "license": "CC0-1.0"})
            commit(db, repo, ada, [Put("train.jsonl", row.encode())], Message("push"))
            set_state(db, repo.id, find_revision(db, repo, "main").oid, "available", "")
        yield running


@pytest.fixture
def browser() -> Iterator[api.Browser]:
    with api.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def test_an_owner_lets_others_ask_and_a_stranger_does(running: RunningHub, browser: api.Browser) -> None:
    """The owner presses one button; a stranger, with the keyboard alone and without scripts, enters text and reads."""
    owned = browser.new_context()
    owned.add_cookies([{"name": "hm_session", "value": example.sign_in(running, "ada"), "url": running.url}])
    owner = Hands(running, owned.new_page())
    owner.open(PAGE)
    owner.press("Let others ask")
    assert "Being prepared" in owner.words()
    assert index_due(running.hub) == 1
    stranger = Hands(running, browser.new_context(java_script_enabled=False).new_page())
    stranger.open("/")
    stranger.reach("A", "Is a text in one of the data sets?")
    with stranger.page.expect_navigation():
        stranger.page.keyboard.press("Enter")
    stranger.write("The passage or work", PASSAGE, tag="TEXTAREA")
    stranger.press("Look for it")
    assert PASSAGE not in stranger.page.url
    said = stranger.words()
    assert "Found in 1 data set. 1 data set was asked." in said
    assert f"Page 3. {PASSAGE}. The end." in said
    assert "From: shelf 9 · licence CC0-1.0" in said
    stranger.write("The passage or work", "Ann Ott", tag="TEXTAREA")
    stranger.press("Look for it")
    assert "enter at least 8 words in a row" in stranger.words()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (npm install axe-core)")
def test_the_pages_are_accessible(running: RunningHub, browser: api.Browser) -> None:
    """axe-core finds nothing on the form, an answer, a refusal, and the page of a data set, in both schemes."""
    index_due(running.hub)
    context = browser.new_context()
    context.add_cookies([{"name": "hm_session", "value": example.sign_in(running, "ada"), "url": running.url}])
    page = context.new_page()
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for text in ("", PASSAGE, "too short", None):
            page.goto(running.url + ("/search/passages" if text is not None else PAGE))
            if text:
                page.fill("textarea", text)
                with page.expect_navigation():
                    page.click("main form button")
            page.evaluate(AXE.read_text("utf-8"))
            found = page.evaluate("rules => axe.run(document, rules).then(r => r.violations)", rules)
            told = [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]
            assert not told, (text, scheme)
    for width in (320, 1100):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(running.url + PAGE)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
