"""What people write is shown, and can neither act, nor load anything, nor break out of its place."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.web.markdown import MOST_CHARACTERS, MOST_NESTING, TAGS, Place, _Writer, render_markdown
from tests.web.payload import PAYLOADS

PLACE = Place("/acme/x/blob/main/", "/acme/x/resolve/main/", "docs", "card-", 3)


def html(text: str) -> str:
    return str(render_markdown(text, PLACE).html)


class Balance(HTMLParser):
    """Notes what a page would notice: elements, attributes, and whether each element ends."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.deepest = 0
        self.seen: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in {"br", "hr", "img"}:
            self.open.append(tag)
            self.deepest = max(self.deepest, len(self.open))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(text: str) -> Balance:
    reader = Balance()
    reader.feed(html(text))
    reader.close()
    assert not reader.open
    return reader


def harmless(text: str) -> None:
    reader = read(text)
    assert reader.deepest <= 2 * MOST_NESTING
    for tag, attributes in reader.seen:
        assert tag in TAGS
        assert attributes.keys() <= {
            *("href", "src", "alt", "title", "id", "class", "rel", "loading", "tabindex", "scope"),
            *("width", "height", "colspan", "rowspan", "start", "value"),
        }
        assert attributes.get("src", "/acme/x/resolve/main/").startswith("/acme/x/resolve/main/")
        assert attributes.get("id", "card-").startswith("card-")
        target = attributes.get("href", "#")
        parts = urlsplit(target)
        assert parts.scheme in {"", "http", "https", "mailto"}
        assert parts.scheme or target.startswith(("#card-", "/")) or target == "#"
        assert not target.startswith("//")
        if parts.scheme in {"http", "https"}:
            assert "noopener" in attributes["rel"]


@pytest.mark.parametrize("number", range(len(PAYLOADS)))
def test_payloads_do_nothing(number: int) -> None:
    """Known ways to run script, load from elsewhere or leave the text end as text or vanish."""
    harmless(PAYLOADS[number])


@given(
    st.lists(
        st.sampled_from(
            [
                *"<>\"'=/\\ \n\t&;![]()`#|-*_:\x00\u202e",
                "img",
                "a",
                "href",
                "src",
                "svg",
                "script",
                "onload",
                "javascript:",
                "//",
                "https:",
                "data:",
                "<!--",
                "<![CDATA[",
                "style",
                "x",
            ]
        ),
        max_size=60,
    ).map("".join)
)
@settings(max_examples=150, deadline=None)
def test_anything_is_harmless(text: str) -> None:
    """Whatever is written comes out as known elements, each closed, each attribute from the list."""
    harmless(text)


def test_nothing_loads_from_elsewhere() -> None:
    """An image of another host becomes a link that names the host; the repository's own images are shown."""
    shown = html(
        "![chart](https://tracker.example/p.png) ![own](img/a b.png) <img src='//cdn.example/x.svg'>"
        " ![own](<img/a b.png>) <img src='../../../../etc/x.png' alt='up'>"
    )
    assert 'href="https://tracker.example/p.png"' in shown
    assert "(tracker.example)" in shown
    assert "(cdn.example)" in shown
    sources = re.findall(r'src="([^"]*)"', shown)
    assert sources == ["/acme/x/resolve/main/docs/img/a%20b.png", "/acme/x/resolve/main/etc/x.png"]


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        (
            "---\nlicense: mit\n---\n# M\n\n![b](https://b.example/x.svg)\n\nSorts *short* notes\ninto [5](x) levels.",
            "Sorts short notes into 5 levels.",
        ),
        ("> A quotation comes first, but not in own words.\n\nThen what it does here.", "Then what it does here."),
        ("Short.\n\n- A list of several words is not a paragraph\n", ""),
        ("<p>It sorts notes &amp; letters <script>x()</script> for nurses</p>", "It sorts notes & letters for nurses"),
        ("One sentence of some words. " * 40, ("One sentence of some words. " * 17).strip()),
        ("wordy " * 200, f"{'wordy ' * 79}wordy …"),
    ],
)
def test_the_first_paragraph(text: str, lead: str) -> None:
    """The first paragraph that tells something is given as plain text, cut where a sentence ends if it is long."""
    assert render_markdown(text, Place()).lead == lead


def test_links() -> None:
    """Relative links lead to the repository's pages, anchors stay in the text, a link that lies is told on."""
    shown = html(
        "[a](other.md#The-Part) [b](#top) [c](/datasets/acme/y) [d](mailto:a@b.example)"
        " [https://bank.example](https://thief.example/) [thief.example/x](https://www.thief.example)"
    )
    assert 'href="/acme/x/blob/main/docs/other.md#card-the-part"' in shown
    assert 'href="#card-top"' in shown
    assert 'href="/datasets/acme/y"' in shown
    assert 'href="mailto:a@b.example"' in shown
    assert shown.count("(→ thief.example)") == 1


def test_front_matter_and_headings() -> None:
    """Metadata is not shown; headings come below the page's own, without gaps, with ids of their own."""
    shown = html("---\nlicense: mit\n---\n# Title\n#### Far below\n# Title\n<h1 id='main'>x</h1>")
    assert "mit" not in shown
    assert re.findall(r"<(h\d) id=\"([^\"]*)\"", shown) == [
        ("h3", "card-title"),
        ("h4", "card-far-below"),
        ("h3", "card-title-2"),
        ("h3", "card-x"),
    ]
    assert "never closed" in html("---\nlicense: mit\nnever closed")


def test_characters_that_turn_text_are_shown() -> None:
    """Direction overrides and zero-width spaces are written out; joiners of emoji and scripts stay."""
    shown = html("a\u202eb\u2066c\u200bd e\u200df [x](y\u202ez)")
    assert "a\\u202eb\\u2066c\\u200bd" in shown
    assert "e\u200df" in shown
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown)


def test_tables_and_alignment() -> None:
    """Tables have heading cells with a scope, keep their alignment and scroll by themselves."""
    shown = html("| a | b |\n|:--|--:|\n| 1 | 2 |")
    assert '<div class="wide" tabindex="0"><table>' in shown
    assert '<th class="right" scope="col">b</th>' in shown
    assert "style" not in shown


def test_many_headings_alike() -> None:
    """Thousands of headings of one name get addresses of their own, each found without looking through all before."""

    class Counted(dict[str, int]):
        looks = 0

        def __contains__(self, key: object) -> bool:
            Counted.looks += 1
            return super().__contains__(key)

    writer = _Writer(Place())
    writer._ids = Counted()
    writer.feed("<h1>a</h1>" * 5_000 + "<h1>a-7</h1>")
    ids = re.findall('id="([^"]+)"', writer.result())
    assert len(ids) == len(set(ids)) == 5_001
    assert ids[:3] == ["text-a", "text-a-2", "text-a-3"]
    assert Counted.looks < 20_000


@pytest.mark.parametrize(
    "text",
    ["<div>" * 5000, "[" * 20_000, "> " * 3000 + "x", "![](" * 5000, "<b><i>" * 9000, "x" * (MOST_CHARACTERS + 1)],
    ids=["div", "bracket", "quote", "image", "mixed", "long"],
)
def test_bounds(text: str) -> None:
    """Text that is too long or too deep is cut, says so where something was lost, and leaves the page whole."""
    harmless(text)
    if text.startswith(("<", "x")):
        assert render_markdown(text, PLACE).cut
