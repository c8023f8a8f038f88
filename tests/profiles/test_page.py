"""The page, the text and the JSON show the same, ask nobody for anything, and speak both languages."""

from __future__ import annotations

import json
import re

import pytest

from hallmarked.policy.fact import Facts
from hallmarked.profiles.document import to_document
from hallmarked.profiles.framework import Audience
from hallmarked.profiles.language import LANGUAGES, sentences
from hallmarked.profiles.mapping import Namesake
from hallmarked.profiles.page import Shown, render_page
from hallmarked.profiles.profile import Profile, State, build_profile
from hallmarked.profiles.text import render_text
from tests.profiles.example import HERE, NOW, Reader, answered, filled, framework, measured

EXAMPLE = framework()
NAMESAKES = {"A-2": Namesake("2025", EXAMPLE.controls[0])}


def profile(audience: Audience | None = None) -> Profile:
    stated = [measured("eval.recall", "0.95"), filled("results"), answered("A-2", text="</p><script>\u202ealert(1)")]
    return build_profile(EXAMPLE, Facts(stated, HERE), NOW, audience)


def shown(language: str = "en") -> Shown:
    return Shown(HERE, NOW, language, NAMESAKES, "hallmarked profile show example/2026 model")


def test_nothing_is_requested_or_run() -> None:
    """There is no script, nothing from elsewhere, a policy that forbids both, and hostile text stays text."""
    page = Reader(render_page(profile(), shown()))
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert all((a.get("href") or "#").startswith("#") and "src" not in a for _, a in page.tags)
    assert any((a.get("content") or "").startswith("default-src 'none'") for _, a in page.tags)
    assert "Tell the authority <b>how many</b>." in page.text
    assert "</p><script>\\u202ealert(1)" in page.text


def test_every_control_has_a_mark() -> None:
    """Every control stands there once, with a shape that exists, a word, and an address; ids are unique."""
    page = render_page(profile(), shown())
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    words = re.findall(
        r'<li class="control [^>]+><span class="mark ([a-z-]+)"><svg[^>]+><use [^>]+></svg>([^<]+)<', page
    )
    assert words == [("evidenced", "Evidenced"), ("documented", "Documented"), ("evidenced", "Evidenced")]


def test_filters_name_what_is_there() -> None:
    """Each choice of a filter has a rule that hides the rest, and counts what it shows."""
    page = render_page(profile(), shown())
    choices = re.findall(r'<input type="radio" name="(\w)" id="([\w-]+)">([^<]+) \((\d+)\)', page)
    assert ("t", "t-0", "People", "2") in choices
    assert ("f", "f-1", "TWO", "1") in choices
    for _, choice, _, count in choices:
        assert f"body:has(#{choice}:checked) .control:not(.{choice})" in page
        listed = re.findall(r'<li class="control ([^"]+)"', page)
        assert sum(choice in classes.split() for classes in listed) == int(count)


def test_both_languages() -> None:
    """In Spanish every word of ours is Spanish; a summary that is not translated is marked as English."""
    page = render_page(profile(), shown("es"))
    assert '<html lang="es">' in page
    assert "Con evidencia" in page
    assert "Consta: eval.recall = 0.95." in page
    assert '<p class="ask" lang="en">Have a policy.</p>' in page
    assert "Evidenced" not in page
    english = Reader(page.replace(' lang="en"', ""))
    assert "Show only" not in english.text


def test_sentences_are_complete() -> None:
    """Every sentence is there in every language, and fills in the same values."""
    for key, texts in sentences().items():
        assert set(texts) == set(LANGUAGES), key
        holes = [set(re.findall(r"{(\w+)}", text)) for text in texts.values()]
        assert holes[0] == holes[1], key


def test_same_id_elsewhere() -> None:
    """The reader is told that the same id means something else in another edition, and what."""
    warning = "The same id means something else in the edition 2025: Find most of them."
    assert warning in render_page(profile(), shown())
    assert warning in render_text(profile(), shown())
    document = to_document(profile(), HERE, NOW, NAMESAKES)
    assert document["controls"][1]["sameIdElsewhere"]["id"] == "example/2025#A-2"


@pytest.mark.parametrize("language", LANGUAGES)
def test_text(language: str) -> None:
    """The text has the counts, then each control with its state and reason."""
    text = render_text(profile(), shown(language))
    assert re.search(r"✔ (Evidenced|Con evidencia) +2  ", text)
    assert re.search(r"A-1\n +\S.+\n +→ .*eval.recall = 0.95", text)
    only = render_text(profile(), shown(language), states=frozenset({State.DOCUMENTED}))
    assert "A-2" in only
    assert "A-1" not in only


def test_withheld_is_listed() -> None:
    """For an audience the page and the text list what is withheld, without the answer."""
    public = profile(Audience.PUBLIC)
    for made in (render_page(public, shown()), render_text(public, shown())):
        head, _, withheld = made.rpartition("Withheld from this audience")
        assert "B-1" in withheld
        assert "B-1" not in head
    assert to_document(public, HERE, NOW)["withheld"] == [
        {"id": "example/2026#B-1", "audience": ["ai-office", "authority"]}
    ]


def test_document_is_json() -> None:
    """The JSON holds what the page shows."""
    document = json.loads(json.dumps(to_document(profile(), HERE, NOW)))
    assert document["counts"]["total"] == len(document["controls"]) == 3
    assert document["controls"][0]["id"] == "example/2026#A-1"
    assert document["controls"][0]["facts"][0]["path"] == "eval.recall"
    assert all(row["why"].keys() == {"en", "es"} for row in document["controls"])
