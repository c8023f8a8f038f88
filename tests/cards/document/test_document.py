"""Cards are kept byte for byte, and read as far as they can be."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.cards.document.document import open_document, read_document
from hallmarked.core.errors import InputError
from tests.cards.document.support import CARDS, cards

PROSE = """\
---
license: mit
hallmarked:
  claims:
    - {id: recall-worst, path: eval.recall, op: ">=", value: "0.9", slice: worst}
---
Before.

# One
Recall is {{claim recall-worst}}, or {{claim eval.recall slice=worst}}; `{{claim not-this}}`.

```
{{claim nor-this}}
```

Two
===
{{ claim eval.f1 slice=group:women,age:old }} and {{claim}} and {{claims are fine}}
"""


def test_blocks_are_prose_and_claims_in_order() -> None:
    """The text is cut at headings and placeholders, each with its line; joined it is the text."""
    document = read_document(PROSE.encode())
    blocks = list(document.blocks())
    assert "".join(block.text for block in blocks) == document.text[document.body :] == PROSE.split("---\n", 2)[2]
    shown = [(block.line, block.section, block.claim.name if block.claim else None) for block in blocks]
    assert shown == [
        (7, "", None),
        (9, "One", None),
        (10, "One", "recall-worst"),
        (10, "One", None),
        (10, "One", "eval.recall"),
        (10, "One", None),
        (16, "Two", None),
        (18, "Two", "eval.f1"),
        (18, "Two", None),
        (18, "Two", ""),
        (18, "Two", None),
    ]


def test_placeholders_name_a_claim_or_a_fact() -> None:
    """A placeholder finds the claim by its id, or by path and slice; one that cannot be read says so by no name."""
    document = read_document(PROSE.encode())
    by_id, by_path, fact, empty = document.placeholders
    (claim,) = document.declared.claims
    assert by_id.claim(document.declared) is by_path.claim(document.declared) is claim
    assert (fact.slice, fact.claim(document.declared), fact.is_path) == ({"group": "women", "age": "old"}, None, True)
    assert (empty.name, empty.is_path) == ("", False)
    assert PROSE[by_id.start : by_id.end] == "{{claim recall-worst}}"


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_line_ends_and_lines(eol: str) -> None:
    """Whatever ends a line, the same lines are named and the blocks join to the text."""
    text = PROSE.replace("\n", eol)
    document = read_document(text.encode())
    assert [block.line for block in document.blocks()] == [7, 9, 10, 10, 10, 10, 16, 18, 18, 18, 18]
    assert "".join(block.text for block in document.blocks()) == text[document.body :]
    assert document.line_of(("hallmarked", "claims", 0, "op")) == 5


@pytest.mark.parametrize(
    ("raw", "line", "said"),
    [
        (b"---\nlicense: mit\n# Title\n", 1, "never closed"),
        (b"---\na: 1\na: 2\n---\n", 3, "appears twice"),
        (b"---\n- a\n---\n", 2, "not a list of"),
        (b"text\n\xff\n", 2, "not UTF-8"),
        (b"\xef\xbb\xbf---\na: 1\n---\n", 1, "byte order mark"),
        (b"---\na: &a [*a]\n---\n", 2, "alias"),
        (b"---\nn: " + b"9" * 5000 + b"\n---\n", 2, "digits"),
        (b"---\na: " + b"[" * 200 + b"]" * 200 + b"\n---\n", 2, "nested"),
    ],
)
def test_broken_cards(raw: bytes, line: int, said: str) -> None:
    """What cannot be read is one finding with its line, and using the card is refused with that sentence."""
    document = read_document(raw)
    (finding,) = document.findings
    assert finding.rule == "CRD001"
    assert finding.location
    assert finding.location.line == line
    assert said in finding.message
    with pytest.raises(InputError, match=f"README.md, line {line}: "):
        document.require()


def test_an_alias_bomb_is_refused() -> None:
    """Aliases that unfold to billions of nodes are refused before they unfold."""
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    (finding,) = read_document("\n".join(["---", *rows, "---", ""]).encode()).findings
    assert "more than 5,000,000 nodes" in finding.message


def test_what_is_not_there(tmp_path: Path) -> None:
    """A folder without a card is told of in one sentence."""
    with pytest.raises(InputError, match=r"README\.md cannot be read: no such file"):
        open_document(tmp_path)
    (tmp_path / "README.md").write_bytes(b"# Title\n")
    assert open_document(tmp_path).sections[1].title == "Title"


@CARDS
def test_every_development_card_is_read_and_kept() -> None:
    """All public cards at hand are read without an error, and their blocks join to their bytes."""
    read = 0
    for path in cards():
        raw = path.read_bytes()
        document = read_document(raw)
        assert document.require().findings == (), path.name
        joined = document.text[: document.body] + "".join(block.text for block in document.blocks())
        assert joined.encode() == raw, path.name
        read += 1
    assert read == 290


@given(st.binary(max_size=400))
@settings(max_examples=150)
def test_any_bytes(raw: bytes) -> None:
    """Whatever the bytes, reading ends with a document, and the text that was read is in it once."""
    document = read_document(raw)
    joined = document.text[: document.body] + "".join(block.text for block in document.blocks())
    assert joined == document.text
    assert document.raw == raw
