"""What is said of the front matter of cards."""

from __future__ import annotations

import pytest

from hallmarked.hub.catalog.tag import groups_of, tags_of
from hallmarked.hub.repository.card import judge_card, read_card


@pytest.mark.parametrize(
    ("front", "error"),
    [
        ("license: mit", ""),
        ("license: [mit, apache-2.0]\nlanguage: en\ntags: [a]", ""),
        ("license: made-up", '"license" must be one of'),
        ("model-index: foo", '"model-index" must be a list'),
        ("pipeline_tag: [a]", '"pipeline_tag" must be a text'),
        ("tags: {a: b}", '"tags" must be a text or a list'),
        ("a: [", "YAML"),
    ],
    ids=["plain", "lists", "licence", "index", "text", "list", "broken"],
)
def test_errors_name_the_field(front: str, error: str) -> None:
    """A field of the wrong kind is refused by its name; everything else passes."""
    found = judge_card(f"---\n{front}\n---\n# Card\n".encode())
    assert bool(found.errors) == bool(error)
    assert not error or error in found.errors[0]


@pytest.mark.parametrize("shape", ["aliases", "wide"])
def test_cards_that_unfold_are_not_kept(shape: str) -> None:
    """A card of a few bytes that stands for very many, or one with very many parts, counts as none, and is refused."""
    rows = [f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 8)}]" for n in range(6)]
    front = "\n".join(["a: &a [x, x]", *rows] if shape == "aliases" else [f"k{n}: v" for n in range(60_000)])
    data = f"---\n{front}\n---\n".encode()
    assert read_card(data) == {}
    assert judge_card(data).errors


def test_all_errors_at_once_and_warnings() -> None:
    """Several mistakes are told together; a card without metadata is a warning, not an error."""
    assert len(judge_card(b"---\nlicense: 7\nmodel-index: x\nsdk: [a]\n---\n").errors) == 3
    found = judge_card(b"# No metadata\n")
    assert not found.errors
    assert found.warnings


def test_tags_are_what_clients_filter_by() -> None:
    """Fields become tags with the prefixes clients write, and groups that pages offer; odd values are left out."""
    card = {"license": "mit", "language": ["en", 7], "pipeline_tag": "fill-mask", "tags": ["a", "a", "x" * 1000, None]}
    assert tags_of("model", card, gate="auto") == ["fill-mask", "license:mit", "en", "a", "gated:auto"]
    assert tags_of("dataset", card) == ["license:mit", "language:en", "a"]
    assert groups_of("model", card) == {"task": ["fill-mask"], "licence": ["mit"], "language": ["en"]}
