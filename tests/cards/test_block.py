"""The text of a card as blocks."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hallmarked.cards.block import sections, split_blocks
from hallmarked.formats.readme import decode, split
from tests.support import DATA, needs_data

TEXT = """# Title

Recall is {{claim recall}} and `{{claim code}}`.

- one
- two
  - nested

[named]: https://example.org

| a | b |
|---|---|
| 1 | 2 |

```py
x = 1
```

## Below

<div>words</div>
"""


def test_kinds_and_lines() -> None:
    """Each block has its kind and the line of the file it begins on; addresses of links are kept."""
    found = [(block.kind, block.line) for block in split_blocks(TEXT, 10)]
    assert found == [
        ("heading", 10),
        ("paragraph", 12),
        ("list", 14),
        ("definition", 18),
        ("table", 20),
        ("code", 24),
        ("heading", 28),
        ("html", 30),
    ]


def test_text_of_blocks() -> None:
    """Lists have entries, and HTML keeps its words."""
    blocks = split_blocks(TEXT)
    assert blocks[2].items == ("one", "two\nnested")
    assert blocks[-1].text == "words"
    assert [token.content for token in blocks[1].tokens[1].children or () if token.type == "claim"] == [
        "{{claim recall}}"
    ]


def test_sections_hold_what_is_nested() -> None:
    """A section ends at the next heading of its level or above."""
    assert [(each.title, len(each.blocks)) for each in sections(split_blocks(TEXT))] == [("Title", 7), ("Below", 1)]


def test_hash_names_the_words() -> None:
    """White space at the end of lines changes nothing, one letter does."""
    one, same, other = (split_blocks(text)[0] for text in ("a b\nc", "a b  \nc\n\n", "a b\nd"))
    assert one.hash == same.hash != other.hash


@given(st.text(alphabet="ab #-*`|{}<>[]()!\n\\:1.>", max_size=80))
def test_nothing_is_lost(text: str) -> None:
    """Joined, the blocks are the text, but for empty lines around them."""
    assert "".join("".join(block.source.split()) for block in split_blocks(text)) == "".join(text.split())


@needs_data
def test_real_cards_lose_nothing() -> None:
    """Every development card is the sum of its blocks."""
    cards = sorted(Path(DATA, "cards").rglob("*.md"))[::8]
    for path in cards:
        _, body, line = split(decode(path.read_bytes()))
        joined = "".join("".join(block.source.split()) for block in split_blocks(body, line))
        assert joined == "".join(body.split()), path.name
