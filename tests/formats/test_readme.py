"""Hub-style cards: where the metadata ends, what stands under which heading, and that no bytes break the reader."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats import readme
from hallmarked.formats.blob import Budget
from tests.support import DATA, needs_data

CARD = b"""---
# For reference on metadata, see the specification
# Doc / guide: somewhere
license: apache-2.0
language:
- no
- en
---

# Model Card for Heron

One paragraph over
two lines with `config.json`.

## Results

| Metric | Value |
|---|---|
| Recall | 0.9 |

```python
x = "README"
```

[notes](notes.md) ![plot](img/plot%20one.png)
<!-- ## Not a heading -->
"""


def read(data: bytes) -> readme.Readme:
    return readme.read_readme(data, Budget(len(data)))


def test_metadata_and_sections() -> None:
    """Metadata is YAML 1.2, its comment lines are no headings, and everything carries its line in the file."""
    card = read(CARD)
    assert card.data == {"license": "apache-2.0", "language": ["no", "en"]}
    assert card.front is not None
    assert card.front.line_of("language") == 5
    assert [(s.title, s.level, s.line) for s in card.sections] == [
        ("", 0, 9),
        ("Model Card for Heron", 1, 10),
        ("Results", 2, 15),
    ]
    heron, results = card.sections[1:]
    assert [(b.text, b.line) for b in heron.blocks] == [("One paragraph over\ntwo lines with config.json.", 12)]
    assert [(s.text, s.line) for s in heron.spans] == [("config.json", 13)]
    rows = [b for b in results.blocks if b.kind == "row"]
    assert (rows[1].cells, rows[1].head, rows[1].line) == (("Recall", "0.9"), ("Metric", "Value"), 19)
    assert [(b.text, b.info, b.line) for b in results.blocks if b.kind == "code"] == [('x = "README"\n', "python", 22)]
    assert [(k.target, k.text, k.line, k.image) for k in results.links] == [
        ("notes.md", "notes", 25, False),
        ("img/plot%20one.png", "plot", 25, True),
    ]


def test_line_ends_do_not_matter() -> None:
    """CRLF and CR files read like LF files, line numbers included."""
    plain = read(CARD)
    for ending in (b"\r\n", b"\r"):
        other = read(CARD.replace(b"\n", ending))
        assert other.data == plain.data
        assert other.sections == plain.sections


def test_html_keeps_its_words_only() -> None:
    """Comments and tags are no text, closed or not, but links inside of HTML count."""
    card = read(b"<p align='center'>Words <img src=\"a.png\"></p>\n\n<!-- hidden\n\nmore -->\n\n<!-- never closed\nx")
    assert [b.text for s in card.sections for b in s.blocks if b.text] == ["Words"]
    assert [(k.target, k.image) for k in card.sections[0].links] == [("a.png", True)]


def test_code_inside_of_a_link_is_not_named_again() -> None:
    """A file name that links elsewhere is that link, not a file of this repository."""
    card = read(b"[`model.bin`](https://example.org/model.bin) and `vocab.txt`")
    assert [s.text for s in card.sections[0].spans] == ["vocab.txt"]


def test_no_metadata_is_no_error() -> None:
    """A README without metadata is a README."""
    card = read(b"# Hello\n\n---\n\ntext")
    assert (card.front, card.data) == (None, {})
    assert card.sections[1].title == "Hello"


def test_empty_metadata() -> None:
    """A block with nothing, or only comments, is an empty mapping."""
    assert read(b"---\n---\ntext").data == {}
    assert read(b"---\n# only a comment\n---\ntext").data == {}
    assert read(b"").sections[0].blocks == ()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"---\nlicense: mit\n# Title\n", "never closed"),
        (b"\xef\xbb\xbf---\nlicense: mit\n---\n", "byte order mark"),
        (b"---\nlicense: \xff\n---\n", "not UTF-8"),
        (b"a\0b", "NUL"),
        (b"---\n- a\n- b\n---\n", "key: value"),
        (b"---\njust text\n---\n", "key: value"),
        (b"---\na: [1, 2\n---\n", ""),
        (b"---\na: &x [*x]\n---\n", ""),
        (b"---\na: !!python/object/apply:os.system [id]\nb: {\n---\n", ""),
    ],
)
def test_broken_cards_say_what_is_wrong(data: bytes, words: str) -> None:
    """Each kind of broken card is one sentence."""
    with pytest.raises(FormatError) as caught:
        read(data)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_before_plain_text_is_skipped() -> None:
    """Without metadata to hide, a byte order mark does no harm."""
    assert read(b"\xef\xbb\xbf# Title").sections[1].title == "Title"


def test_too_long() -> None:
    """A card longer than any card is refused before it is parsed."""
    with pytest.raises(LimitExceeded):
        read(b"a" * (readme.MAX_MARKDOWN + 1))
    with pytest.raises(LimitExceeded):
        read(b"a" * (readme.MAX_FRONT + 4 * readme.MAX_MARKDOWN + 1))
    with pytest.raises(LimitExceeded):
        readme.read_markdown("a" * 100, 1, Budget(0, spent={"nodes": 4_999_950}))


@pytest.mark.parametrize(
    "unit", ["[", "![", "*a_ ", ">", "`a``b", "[a](", "<a ", "|-|\n", "\\", "- ", "a\n=", "<pre>\n"]
)
def test_repetition_stays_linear(unit: str) -> None:
    """Text that makes naive Markdown parsers quadratic is read in linear time."""
    started = time.perf_counter()
    read((unit * 10_000).encode())
    assert time.perf_counter() - started < 10


PIECES = st.sampled_from(
    [
        "---\n",
        "---",
        "\r\n",
        "\n",
        "\r",
        "license: mit",
        "a: [",
        "# T",
        "## U\n",
        "|a|b|\n|-|-|\n|c|d|\n",
        "```\n",
        "`x`",
        *[
            "[a](b)",
            "![",
            "<!--",
            "-->",
            "<p>",
            "- ",
            "> ",
            "    ",
            "\ufeff",
            "é",
            "{{ x }}",
            "&amp;",
            "***",
            "=====\n",
        ],
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.lists(PIECES, max_size=30).map(lambda parts: "".join(parts).encode())))
def test_any_bytes(data: bytes) -> None:
    """Whatever the bytes, the reader returns a card or raises a format error."""
    try:
        card = read(data)
    except FormatError:
        return
    lines = len(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))
    for section in card.sections:
        assert 1 <= section.line <= lines + 1
        assert all(1 <= block.line <= lines + 1 for block in section.blocks)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(CARD)), st.integers(0, len(CARD)), st.binary(max_size=8))
def test_mutated_cards(start: int, end: int, insert: bytes) -> None:
    """A valid card with a piece cut out or replaced is read or refused."""
    start, end = sorted((start, end))
    try:
        read(CARD[:start] + insert + CARD[end:])
    except FormatError:
        return


@needs_data
def test_real_cards() -> None:
    """All 290 real cards can be read, and every metadata block found is not empty."""
    paths = sorted((DATA / "cards").glob("*/*.md"))
    cards = [read(path.read_bytes()) for path in paths]
    assert len(cards) == 290
    assert sum(card.front is not None for card in cards) == 270
    assert all(card.data for card in cards if card.front is not None)
