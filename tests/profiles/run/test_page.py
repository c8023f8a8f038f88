"""The page of a run shows what the text and the JSON say, asks nobody for anything, and speaks both languages."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hallmarked.profiles.language import sentences
from hallmarked.profiles.run.decide import to_statement
from hallmarked.profiles.run.pack import load_pack
from hallmarked.profiles.run.page import Shown, render_page
from hallmarked.profiles.run.project import project
from hallmarked.profiles.run.render import review_document, review_lines
from hallmarked.profiles.run.review import Review, review
from hallmarked.records.run_deviation import Change, RunDeviation
from hallmarked.records.run_plan import Hardware
from tests.profiles.example import Reader
from tests.profiles.run.example import PLAN, SUBJECT, day, decided, factors, signed

PACKS = tuple(map(load_pack, ("eu-ai-act", "two-stage")))
HOSTILE = "</p><script>alert(1)</script>"
HARDWARE = Hardware(accelerator="h100-sxm", count=8, hours="9")
LARGE = replace(PLAN, tokens="9" * 15, purpose=HOSTILE, factors=factors(None, True, False), hardware=HARDWARE)


def seen() -> Review:
    plan = signed(LARGE, day(-5))
    made = [decided(LARGE, pack, day(-5)) for pack in PACKS]
    old = signed(to_statement(made, SUBJECT, [("run-plan", plan.id)]), day(-5))
    change = Change(field="tokens", planned="5", now="6")
    deviation = signed(RunDeviation(plan=plan.id, by="Lab", reason=HOSTILE, began=day(-9), changes=(change,)), day(-4))
    (found,) = review([plan, old, deviation], PACKS, day(1))
    return found


def shown(language: str) -> Shown:
    one = seen()
    return Shown(one.plan.record, one.projection, one.decisions, one.reminders, day(1), language, one)


@pytest.mark.parametrize("language", ["en", "es"])
def test_nothing_is_requested_or_run(language: str) -> None:
    """There is no script and nothing from elsewhere; hostile text stays text."""
    page = Reader(render_page(shown(language)))
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert all((a.get("href") or "#").startswith("#") and "src" not in a for _, a in page.tags)
    assert ("html", {"lang": language}) in page.tags
    assert page.text.count("<script>alert(1)") == 2


@pytest.mark.parametrize(("language", "words"), [("en", ("LATE", "be filed")), ("es", ("TARDE", "debe notificarse"))])
def test_page_and_text_say_the_same(language: str, words: tuple[str, ...]) -> None:
    """Verdict, reason, timing and what is missing stand on the page as in the terminal."""
    page, text = Reader(render_page(shown(language))).text, "\n".join(review_lines(seen(), language))
    assert all(word in page and word in text for word in words)
    for one in seen().reminders:
        assert one.text[language] in page
    for decision in seen().decisions:
        for trigger in decision.triggers:
            assert trigger.reason[language] in page
        assert decision.pack.digest in page


def test_spanish_page_has_no_english_sentence() -> None:
    """Of all sentences of ours none stands on the Spanish page in English."""
    page = Reader(render_page(shown("es"))).text
    known = {**sentences("hallmarked.profiles.run"), **sentences("hallmarked.profiles.compute")}
    plain = [text["en"] for text in known.values() if "{" not in text["en"] and len(text["en"]) > 12]
    assert len(plain) > 30
    assert not [text for text in plain if text in page]


def test_every_sentence_has_both_languages_and_the_same_values() -> None:
    """No sentence is left in one language, and what is filled in is the same in both."""
    for package in ("hallmarked.profiles.run", "hallmarked.profiles.compute"):
        for key, text in sentences(package).items():
            assert text.keys() == {"en", "es"}, key
            filled = [{part.partition("}")[0] for part in said.split("{")[1:]} for said in text.values()]
            assert filled[0] == filled[1], key


def test_document_is_json_and_has_all_of_it() -> None:
    """The JSON of a review can be written and has timing, verdicts, deviations and what is due."""
    document = json.loads(json.dumps(review_document(seen())))
    assert document["late"] is True
    assert len(document["decisions"]) == len(document["earlier"]) == 2
    assert document["deviations"][0]["changes"][0]["now"] == "6"
    assert document["reminders"]


def test_a_plan_that_is_not_sealed_says_so() -> None:
    """A page of a plan alone never looks like one of a filed plan."""
    plan = replace(PLAN, tokens="", architecture=None)
    decisions = [decided(plan, pack) for pack in PACKS]
    page = Reader(render_page(Shown(plan, project(plan), decisions, (), day(0)))).text
    assert "not sealed" in page
    assert "does not say enough" in page
    assert "Nothing is due." in page
