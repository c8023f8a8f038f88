"""What a card says that a thing cannot do or must not be used for, and whether a summary says it too.

A limitation is an entry of a list, a row of a table or a paragraph under a heading such as "Bias, Risks, and
Limitations" or "Out-of-Scope Use". A summary says it when one or two of its sentences share most of its telling words;
where the words are wholly other ones, an author ties both together by the same comment: ``<!-- limit: children -->``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from hallmarked.cards.block import Block, Section, plain_text, sections
from hallmarked.cards.language import primary
from hallmarked.cards.readability import split_sentences
from hallmarked.checks.documentation.sections import content, normalise

SHARE = 0.5
"""Share of the telling words of a limitation that a sentence which says it has."""
STEM, SHORTEST = 5, 4
"""Letters at the beginning by which words are compared, and letters of a word that tells something."""
MOST_LIMITATIONS = 500
_TIE = re.compile(r"<!--\s{0,9}limit(?:ation)?:\s{0,9}([\w-]{1,60})\s{0,9}-->")
_WORD = re.compile(r"[^\W\d_]+")
_INTRODUCES = (":", "：")


@dataclass(frozen=True, slots=True)
class Limitation:
    """Something that a card says against what it is about."""

    text: str
    """Without markup."""
    section: str
    """Heading it stands under."""
    line: int
    language: str = ""
    """Language tag of the words."""
    tie: str = ""
    """Name by which an author ties it to the words of the summary; empty when they did not."""


def limitations(blocks: Sequence[Block], language: str, spoken: Sequence[str] | None = None) -> tuple[Limitation, ...]:
    """Return every limitation that a card names, in order.

    Args:
        blocks: Of the card.
        language: The language it is written in; English headings are known in every card.
        spoken: The language of each block, where some are not translated.
    """
    tongues = dict(zip(map(id, blocks), spoken or (), strict=bool(spoken)))
    found: dict[int, tuple[str, Block]] = {}
    for section in sections(blocks):
        if is_titled(section.title, "limitation", language):
            for block in section.blocks:
                found.setdefault(block.line, (section.title, block))
    inside = [each for _, each in found.items()]
    made = []
    for index, (title, block) in enumerate(inside):
        following = inside[index + 1][1] if index + 1 < len(inside) else None
        if following is not None and following.kind in {"list", "table"} and block.text.endswith(_INTRODUCES):
            continue  # it only introduces the list
        tongue = tongues.get(id(block), language)
        made += [Limitation(text, title, block.line, tongue, tie) for text, tie in _parts(block) if content(text)]
    return tuple(made[:MOST_LIMITATIONS])


def is_titled(title: str, subject: str, language: str) -> bool:
    """Say whether a heading is one under which cards say something.

    Args:
        title: The heading.
        subject: ``plain``, ``limitation``, ``contact`` or ``use``.
        language: The language of the card.
    """
    return normalise(title) in _titles(subject, primary(language))


def section_of(blocks: Sequence[Block], subject: str, language: str) -> Section | None:
    """Return the first section under a heading for a subject; None when there is none."""
    return next((each for each in sections(blocks) if is_titled(each.title, subject, language)), None)


def unsaid(limits: Sequence[Limitation], blocks: Sequence[Block], language: str) -> tuple[Limitation, ...]:
    """Return the limitations that a summary does not say.

    Args:
        limits: What the card says.
        blocks: Of the summary.
        language: The language of both.
    """
    ties = {tie for block in blocks for tie in _TIE.findall(block.source)}
    said = [_telling(sentence, language) for sentence in split_sentences("\n\n".join(each.text for each in blocks))]
    said += [one | other for one, other in pairwise(said)]
    return tuple(limit for limit in limits if limit.tie not in ties and not _is_said(limit, said, language))


def _is_said(limit: Limitation, said: Sequence[frozenset[str]], language: str) -> bool:
    words = _telling(limit.text, language)
    return bool(words) and any(len(words & each) >= SHARE * len(words) for each in said)


def _telling(text: str, language: str) -> frozenset[str]:
    """Return the beginnings of the words that tell something."""
    common = _common(primary(language))
    words = (word.casefold() for word in _WORD.findall(text))
    return frozenset(word[:STEM] for word in words if len(word) >= SHORTEST) - common


def _parts(block: Block) -> Iterator[tuple[str, str]]:
    """Yield the entries or rows of a block, or the whole, each with its tie."""
    if block.kind == "list":
        yield from _items(block)
    elif block.kind == "table":
        for row in block.text.split("\n")[1:]:
            yield row, ""
    elif block.kind in {"paragraph", "quote", "html"}:
        yield block.text, _tie(block.source)


def _items(block: Block) -> Iterator[tuple[str, str]]:
    start = 0
    for index, token in enumerate(block.tokens):
        if token.level == 1 and token.type == "list_item_open":
            start = index
        elif token.level == 1 and token.type == "list_item_close":
            item = block.tokens[start:index]
            yield plain_text(item), _tie("".join(each.content for each in item))


def _tie(source: str) -> str:
    match = _TIE.search(source)
    return match[1] if match else ""


@cache
def table() -> Mapping[str, Any]:
    """Return the headings and cues, by language."""
    return tomllib.loads((files("hallmarked.cards.view") / "words.toml").read_text(encoding="utf-8"))


@cache
def _titles(subject: str, language: str) -> frozenset[str]:
    known = table()["headings"][subject]
    return frozenset(map(normalise, [*known["en"], *known.get(language, ())]))


@cache
def _common(language: str) -> frozenset[str]:
    return frozenset(word[:STEM] for word in table()["common"].get(language, ()))
