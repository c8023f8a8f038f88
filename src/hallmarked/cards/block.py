"""The text of a card as blocks: headings, paragraphs, lists, tables and the like, as they stand one below another.

Markdown: CommonMark 0.31 (https://spec.commonmark.org/0.31.2/) plus tables. Views show blocks, translations follow
them one by one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from hallmarked.core.errors import LimitExceeded
from hallmarked.formats.readme import MAX_MARKDOWN, MAX_NESTING

HASH = 16
"""Hexadecimal digits of the digest that names the words of a block: enough to see a change."""
_CLAIM = re.compile(r"\{\{[ \t]{0,9}claim\b[^{}\r\n]{0,300}\}\}")
_TAG = re.compile(r"<!--.*?(?:-->|$)|<[^<>]*>", re.DOTALL)
_KINDS = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "blockquote_open": "quote",
    "fence": "code",
    "code_block": "code",
    "table_open": "table",
    "html_block": "html",
    "hr": "rule",
}


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two empty places on the outermost level of a text."""

    kind: str
    """``heading``, ``paragraph``, ``list``, ``quote``, ``code``, ``table``, ``html``, ``rule`` or ``definition``."""
    source: str
    """As written, without empty lines around it."""
    line: int
    """Line of the file it begins on."""
    level: int = 0
    """Of a heading: 1 to 6."""
    text: str = ""
    """Without markup; entries and rows on lines of their own."""
    items: tuple[str, ...] = ()
    """Of a list: the text of each entry, with what is nested in it."""
    tokens: Sequence[Token] = field(default=(), compare=False, repr=False)
    """What the parser made of it."""

    @property
    def hash(self) -> str:
        """Name the words of the block; white space at the end of lines does not count."""
        words = "\n".join(line.rstrip() for line in self.source.split("\n")).strip()
        return hashlib.sha256(words.encode()).hexdigest()[:HASH]

    @property
    def has_words(self) -> bool:
        """Whether there is something to translate: code, rules and definitions stay as they are."""
        return self.kind not in {"code", "rule", "definition"} and any(map(str.isalpha, self.text))


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the blocks below it, with those below smaller headings."""

    title: str
    level: int
    blocks: tuple[Block, ...]
    """Without the heading itself."""
    line: int


def split_blocks(markdown: str, line: int = 1) -> tuple[Block, ...]:
    """Cut a text into its blocks, in order; nothing but empty lines is left out.

    Args:
        markdown: The text, without front matter.
        line: The line of the file it starts on.

    Raises:
        LimitExceeded: When it is too long.
    """
    if len(markdown) > MAX_MARKDOWN:
        raise LimitExceeded(f"a card text of {len(markdown):,} characters is longer than this reader goes")
    text = markdown.replace("\r\n", "\n").replace("\r", "\n")
    rows = text.split("\n")
    return tuple(_blocks(parser().parse(text, {}), rows, line))


def sections(blocks: Sequence[Block]) -> tuple[Section, ...]:
    """Return every section of a text, each with all that is nested in it."""
    found = []
    for index, block in enumerate(blocks):
        if block.kind == "heading":
            end = next(
                (
                    at
                    for at in range(index + 1, len(blocks))
                    if blocks[at].kind == "heading" and blocks[at].level <= block.level
                ),
                len(blocks),
            )
            found.append(Section(block.text, block.level, tuple(blocks[index + 1 : end]), block.line))
    return tuple(found)


@cache
def parser() -> MarkdownIt:
    """Return the parser of card texts: CommonMark, tables, and places for claims."""
    made = MarkdownIt("commonmark", {"html": True, "maxNesting": MAX_NESTING}).enable("table")
    made.inline.ruler.before("escape", "claim", _find_claim)
    return made


def _find_claim(state: StateInline, silent: bool) -> bool:
    """Make a place for a claim a token of type ``claim``; in code there are none, since code is found first."""
    if state.src[state.pos : state.pos + 2] != "{{":
        return False
    match = _CLAIM.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        state.push("claim", "", 0).content = match.group()
    state.pos = match.end()
    return True


def _blocks(tokens: Sequence[Token], rows: Sequence[str], first: int) -> Iterator[Block]:
    done = 0
    for group in _outermost(tokens):
        start, end = group[0].map or (done, done)
        yield from _definitions(rows, done, start, first)
        while end > start and not rows[end - 1].strip():
            end -= 1
        kind = _KINDS.get(group[0].type, "paragraph")
        level = int(group[0].tag[1]) if kind == "heading" else 0
        items = tuple(_entries(group)) if kind == "list" else ()
        source = "\n".join(rows[start:end])
        yield Block(kind, source, first + start, level, plain_text(group), items, group)
        done = max(done, end)
    yield from _definitions(rows, done, len(rows), first)


def _outermost(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Group tokens by the block on the outermost level that they belong to."""
    start = 0
    for index, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            yield tokens[start : index + 1]
            start = index + 1


def _definitions(rows: Sequence[str], start: int, end: int, first: int) -> Iterator[Block]:
    """Keep what the parser uses up without a trace: the addresses that links name."""
    kept = [index for index in range(start, end) if rows[index].strip()]
    if kept:
        yield Block("definition", "\n".join(rows[kept[0] : kept[-1] + 1]), first + kept[0])


def _entries(tokens: Sequence[Token]) -> Iterator[str]:
    """Return the entries of a list on its outermost level."""
    start = 0
    for index, token in enumerate(tokens):
        if token.level == 1 and token.type == "list_item_open":
            start = index
        elif token.level == 1 and token.type == "list_item_close":
            yield plain_text(tokens[start:index])


def plain_text(tokens: Sequence[Token], fills: Mapping[str, str] | None = None) -> str:
    """Return what a reader sees, without markup.

    Args:
        tokens: Of blocks.
        fills: What to write in the place of a claim, by the place as written; without it, the place itself.
    """
    lines: list[str] = []
    cells: list[str] | None = None
    for token in tokens:
        if token.type == "tr_open":
            cells = []
        elif token.type == "tr_close" and cells is not None:
            lines.append(" | ".join(cells))
            cells = None
        elif token.type == "inline":
            said = "".join(_words(child, fills or {}) for child in token.children or ())
            (lines if cells is None else cells).append(said)
        elif token.type in {"fence", "code_block"}:
            lines.append(token.content)
        elif token.type == "html_block":
            lines.append(strip_html(token.content))
    return "\n".join(lines).strip()


def _words(token: Token, fills: Mapping[str, str]) -> str:
    if token.type in {"softbreak", "hardbreak"}:
        return "\n"
    if token.type == "claim":
        return fills.get(token.content, token.content)
    if token.type in {"text", "text_special", "code_inline", "image"}:
        return token.content
    return ""


def strip_html(source: str) -> str:
    """Return what is left of raw HTML without comments and tags."""
    return _TAG.sub(" ", source).strip()
