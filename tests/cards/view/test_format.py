"""A card as HTML, Markdown and data: the same in each, and nothing in it can act."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from hallmarked.cards.document.declared import Declared
from hallmarked.cards.document.document import read_document
from hallmarked.cards.known import know
from hallmarked.cards.translation import blocks_of, read_translation, write_translation
from hallmarked.cards.view import label
from hallmarked.cards.view.card import CardView, Look, make_view
from hallmarked.cards.view.format import RENDERERS
from hallmarked.cards.view.html import _resource
from hallmarked.cards.view.line import claim_lines
from tests.cards.stating import NOW as STATED
from tests.cards.stating import checked
from tests.cards.view.example import CARD, HERE, NOW, recall, said

VOID = {"meta", "br", "hr", "link", "path", "circle", "rect"}
HOSTILE = """# T <script>alert(1)</script>

[x](javascript:alert(1)) ![y](https://evil.example/x.png) <img src=x onerror=alert(1)> [d](data:text/html,x)

<div onclick="alert(1)"><style>*{display:none}</style>words</div>

\u202eturned {{claim nobody}} {{claim "><script>alert(2)</script>}}
"""


class Reader(HTMLParser):
    """Notes elements, and whether each that opens is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def shown(card: str = CARD, look: Look = Look.TECHNICAL, language: str = "") -> CardView:
    """Show a card with a translation into Hebrew."""
    document = read_document(card.encode())
    written = write_translation(blocks_of(document), "he", machine="Example MT").decode()
    translation = read_translation(read_document(written.replace("Triage helper", "עוזר מיון").encode()))
    facts = know([recall(), said("files.total", "3", role="hub")], HERE)
    return make_view(document, facts, HERE, NOW, look=look, language=language, translations=[translation])


def read(text: str) -> Reader:
    """Read a document, and hold it to be well formed."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("look", list(Look))
@pytest.mark.parametrize("language", ["", "es", "he"])
def test_documents_are_well_formed_and_link_to_what_is_there(look: Look, language: str) -> None:
    """Every mark in the prose leads to its claim on the same page."""
    found = read(RENDERERS["html"](shown(look=look, language=language), language, ("hallmarked verify e t",))).found
    ids = {values["id"] for _, values in found if "id" in values}
    targets = {values["href"] for tag, values in found if tag == "a" and str(values.get("href", "")).startswith("#")}
    assert {str(target)[1:] for target in targets} <= ids
    assert len([values["id"] for _, values in found if "id" in values]) == len(ids)


def test_no_number_without_its_status() -> None:
    """A value in the prose stands beside a word and a shape."""
    text = RENDERERS["html"](shown(), "", ())
    fills = re.findall(
        r'<span class="claimed"><bdi>([^<]*)</bdi> <a class="mark ([\w-]+)"[^>]*><svg[^>]*>.*?</svg>(\w+)', text
    )
    assert ("0.951 (0.912 to 0.973), n = 204, age 80+", "supported", "Supported") in fills
    assert ("3", "supported", "Supported") in fills


def test_nothing_an_author_writes_can_act_or_load() -> None:
    """No script, no handler, no address but web pages and mail, no picture."""
    found = read(RENDERERS["html"](shown(HOSTILE), "", ())).found
    assert not {"script", "img", "iframe", "form"} & {tag for tag, _ in found}
    assert sum(tag == "style" for tag, _ in found) == 1
    for _, values in found:
        assert not [name for name in values if name.startswith("on")]
        assert str(values.get("href") or "#").startswith(("#", "https://", "mailto:"))
    assert "\u202e" not in RENDERERS["html"](shown(HOSTILE), "", ())


def test_texts_in_other_languages_say_so() -> None:
    """A translation is written from right to left, and what is not translated keeps its own direction."""
    text = RENDERERS["html"](shown(language="he"), "he", ())
    assert '<h1 lang="he" dir="rtl">עוזר מיון</h1>' in text
    assert 'is-untranslated" lang="en" dir="ltr"' in text
    assert "Translated by a program: <bdi>Example MT</bdi>" in text


def test_the_plain_look_holds_every_limitation() -> None:
    """What the summary does not say follows in the words of the card; without a summary all of them do."""
    whole = shown(look=Look.PLAIN)
    for form in ("html", "md"):
        text = RENDERERS[form](whole, "", ())
        assert "Few Spanish notes were measured." in text
        assert all(limit.text in text or limit not in whole.summary.unsaid for limit in whole.limitations)  # type: ignore[union-attr]
    bare = CARD.replace("## Plain-language summary", "## Other")
    text = RENDERERS["html"](shown(bare, Look.PLAIN), "", ())
    assert "Its author wrote no summary in plain language." in text
    assert all(limit.text in text for limit in shown(bare).limitations)
    none = RENDERERS["md"](shown("# Title\n", Look.PLAIN), "", ())
    assert "The card names no limit. That does not mean that there is none." in none


def test_one_page_says_how_much_it_leaves_out() -> None:
    """Claims and limitations beyond what fits are counted."""
    rows = "\n".join(f"- Limit number {index} of many words" for index in range(30))
    text = RENDERERS["html"](shown(CARD.replace("- Misses", f"{rows}\n- Misses"), Look.PAGE), "", ())
    assert "More limits, in the whole card: 25" in text


def test_markdown_keeps_the_prose_and_fills_places() -> None:
    """In code a place stays what it looks like."""
    text = RENDERERS["md"](shown(), "", ())
    assert "Worst recall: 0.951 (0.912 to 0.973), n = 204, age 80+ ([Supported](#claim-recall-worst))" in text
    assert "`{{claim small}}`" in text


def test_markdown_leaves_out_what_is_for_authors_and_ends_sentences_once() -> None:
    """Comments and questions of a template are not shown, but in code; no sentence ends twice."""
    card = """---
hallmarked:
  kind: model
  claims: [{id: recall, path: eval.recall, op: ">=", value: "0.9", text: {en: It finds nine of ten.}}]
---
# Heron

<!-- Who answers
for it? -->

Known <!-- not yet --> limits. <!-- limit: spanish -->

Write `<!-- x -->` for a comment.
"""
    said = RENDERERS["md"](shown(card), "", ())
    assert said.count("<!--") == 1
    assert "Known  limits.\n\nWrite `<!-- x -->` for" in said
    assert "nine of ten. " in said
    assert ".." not in said
    assert "\n\n\n" not in said


def test_what_is_in_the_way_of_reading_is_said() -> None:
    """A card with broken metadata says so in Markdown too; two claims of one id have places of their own."""
    assert "> **!** README.md, line 3: not YAML" in RENDERERS["md"](shown("---\nlicense: [mit\n---\n# x\n"), "", ())
    twice = (
        "---\nhallmarked:\n  claims:\n"
        "  - {id: a, path: eval.recall, op: present}\n  - {id: a, path: eval.f1, op: present}\n---\n# x\n"
    )
    here, stated = checked({"README.md": twice})
    found = [line.id for line in claim_lines(Declared(), know(stated, here), STATED)]
    assert len(found) == len(set(found)) == 2


def test_data_says_the_same() -> None:
    """The JSON holds claims with their evidence, the summary with what it lacks, and the prose."""
    data = json.loads(RENDERERS["json"](shown(language="he"), "", ()))
    assert data["places"]["{{claim recall-worst}}"]["evidence"][0]["n"] == 204
    assert data["direction"] == "rtl"
    assert data["languages"][1]["machine"] == "Example MT"
    assert {passage["state"] for passage in data["prose"]} == {"translated", "untranslated"}


def test_every_word_around_a_card_is_translated() -> None:
    """Each sentence of the template and of the code has its Spanish."""
    asked = set(re.findall(r't\("([^"]+)"\)', _resource("card.html.j2")))
    asked |= {text for table in (label.STATUSES, label.ROLES, label.LACKS) for text in table.values()}
    spanish = label.words("es")
    assert [text for text in sorted(asked) if spanish(text) == text] == []
