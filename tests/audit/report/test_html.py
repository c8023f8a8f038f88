"""The page asks nobody for anything, runs nothing, and can be read by everyone."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from hallmarked.audit.report import html
from hallmarked.cards.sheet import sheet
from tests.audit.example import report


class Reader(HTMLParser):
    """Collects what matters of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def page() -> Reader:
    reader = Reader()
    reader.feed(html.render(report()))
    return reader


def test_nothing_is_requested_or_run(page: Reader) -> None:
    """There is no script, no style sheet, image or frame from elsewhere, and a policy that forbids them."""
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert all(not name.startswith("on") for _, attributes in page.tags for name in attributes)
    targets = [value for _, attributes in page.tags for name, value in attributes.items() if name in {"href", "src"}]
    assert all(target and target.startswith("#") for target in targets)
    policies = [a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies
    assert policies[0]
    assert policies[0].startswith("default-src 'none'")


def test_hostile_text_stays_text(page: Reader) -> None:
    """What a file says appears as text, with characters that do not show made visible."""
    text = "".join(page.text)
    assert "<script>alert(1)</script>\\x1b[2J\\u202e\\nx" in text
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", text)


def test_structure(page: Reader) -> None:
    """Language, title, one main heading, a skip link, and headings in order."""
    tags = [tag for tag, _ in page.tags]
    assert ("html", {"lang": "en"}) in page.tags
    assert tags.count("h1") == tags.count("main") == tags.count("title") == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {value for _, a in page.tags if (value := a.get("href"))}
    assert {link[1:] for link in links} <= set(ids)
    assert all("scope" in a for tag, a in page.tags if tag == "th")


def test_everything_is_said(page: Reader) -> None:
    """Findings, gaps, a broken check, claims, checks that did not apply, digests and the way to verify are there."""
    text = " ".join("".join(page.text).split())
    for expected in (
        "A file runs a program",
        "Do not load it.",
        "calls again",
        "no daemon answered",
        "the check broke: X",
        "templates?nothing to look at",
        "ab" * 32,
        "cd" * 32,
        "hallmarked verify e m",
        "Left out by rule: .git",
        "02 January 2026",
    ):
        assert expected in text


def test_every_status_has_a_word_and_a_mark(page: Reader) -> None:
    """Colour never stands alone: each mark is a shape beside a word."""
    marks = [a for tag, a in page.tags if tag == "span" and (a.get("class") or "").startswith("mark")]
    shapes = [a for tag, a in page.tags if tag == "use"]
    assert len(marks) + 1 == len(shapes)  # and the brand


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


def check_contrast(css: str) -> None:
    """Assert a contrast of 4.5 to 1 or more for text on every surface, in both schemes (WCAG 2.2, 1.4.3)."""
    colours = {n: (a, b) for n, a, b in re.findall(r"--(\w+):light-dark\((#\w{6}),(#\w{6})\)", css)}
    assert {"ink", "soft", "paper", "sheet", "wash", "ok", "bad", "old", "talk", "accent"} <= colours.keys()
    for surface in ("paper", "sheet", "wash"):
        for text in ("ink", "soft", "accent", "ok", "bad", "old", "talk"):
            for scheme in (0, 1):
                assert contrast(colours[text][scheme], colours[surface][scheme]) >= 4.5, (text, surface, scheme)


def test_contrast() -> None:
    """Text has a contrast of 4.5 to 1 or more on every surface, in the light and the dark scheme (WCAG 2.2, 1.4.3)."""
    check_contrast(sheet.style())
