"""Hub-style ``README.md`` files: YAML front matter between ``---`` lines, then Markdown.

Front matter: https://huggingface.co/docs/hub/model-cards#model-card-metadata, as ``huggingface_hub`` cuts it out of the
file (nothing but white space before the opening line, both lines exactly ``---``). Markdown: CommonMark 0.31
(https://spec.commonmark.org/0.31.2/) plus tables. Nothing is rendered; HTML is kept apart as HTML.

The steps can be called one by one, so that broken metadata does not hide the text below it: ``decode``, ``split``,
``read_metadata``, ``read_markdown``; ``read_readme`` does all of them. Lines count from 1 in the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from ruamel.yaml.events import Event

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Budget
from hallmarked.formats.document import read_yaml

MAX_MARKDOWN = 1 << 19
"""Characters of Markdown: twice the longest real card seen; the parser needs up to 50 µs and 1 KiB for each."""
MAX_FRONT = 10 << 20
"""Bytes of metadata; the largest real ones carry thousands of evaluation results in a few hundred KiB."""
MAX_NESTING = 50

_OPEN = re.compile(r"\s*---(?:\r\n|\r|\n)")
_CLOSE = re.compile(r"^---[ \t]*$", re.MULTILINE)
_BREAK = re.compile(r"\r\n?|\n")
_BOM = "\ufeff"
_TAG = re.compile(r"<[^<>]*>")
_HTML_TARGET = re.compile(r"<(?:a|img)\b[^<>]*?\b(?:href|src)\s*=\s*[\"']([^\"'<>]*)[\"']", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text as a reader sees it: a paragraph, a table row, a block of code."""

    kind: str
    """``text``, ``row``, ``code`` or ``html`` (what is left of raw HTML without its tags and comments)."""
    text: str
    """Without markup; line breaks kept; cells of a row joined by `` | ``."""
    line: int
    info: str = ""
    """Language of a code block, as written."""
    cells: tuple[str, ...] = ()
    """Cells of a table row."""
    head: tuple[str, ...] = ()
    """Heading cells of the row's table; empty for the heading row itself."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link or image."""

    target: str
    """As written, with the percent signs the Markdown parser adds."""
    text: str
    line: int
    image: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Inline code."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it, up to the next heading of any level."""

    title: str
    """Heading without markup; empty for what stands before the first heading."""
    level: int
    """1 to 6; 0 before the first heading."""
    line: int
    blocks: tuple[Block, ...] = ()
    links: tuple[Link, ...] = ()
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Front:
    """The metadata block, not yet parsed."""

    text: str
    """Between the two ``---`` lines, with ``\\n`` as line end."""
    line: int
    """Line of its first line."""

    def line_of(self, key: str) -> int:
        """Return the line of a top-level ``key``, or the first line of the block when it cannot be told."""
        for number, row in enumerate(self.text.split("\n")):
            name, colon, _ = row.partition(":")
            if colon and name.strip("\"'") == key:
                return self.line + number
        return self.line


@dataclass(frozen=True, slots=True)
class Readme:
    """A card as read from the file."""

    front: Front | None
    data: Mapping[str, object]
    """Metadata; empty when there is none."""
    sections: tuple[Section, ...]


def decode(data: bytes) -> str:
    """Return the text of a README.

    Raises:
        FormatError: When it is not UTF-8, or its byte order mark would hide the metadata from other readers.
        LimitExceeded: When it is too long.
    """
    if len(data) > MAX_FRONT + 4 * MAX_MARKDOWN:
        raise LimitExceeded(f"a card of {len(data):,} bytes is longer than this reader goes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError("the card is not UTF-8 text", offset=error.start) from error
    if "\0" in text:
        raise FormatError("the card contains NUL characters", offset=data.index(b"\0"))
    return text


def split(text: str) -> tuple[Front | None, str, int]:
    """Cut a card into metadata block (``None`` when it has none), Markdown, and the line the Markdown starts on.

    Raises:
        FormatError: When the metadata block is opened but not closed, or hidden behind a byte order mark.
    """
    if text.startswith(_BOM):
        if _OPEN.match(text, 1):
            raise FormatError("a byte order mark before the metadata hides it from other readers", offset=0)
        text = text[1:]
    start = _OPEN.match(text)
    if start is None:
        return None, text, 1
    # A closing line ends in any of the three line ends; `$` alone would only know "\n".
    unified = _BREAK.sub("\n", text[start.end() :])
    close = _CLOSE.search(unified)
    line = len(_BREAK.findall(start.group())) + 1
    if close is None:
        message = f"the metadata opened on line {line - 1} is never closed by a line of three hyphens"
        raise FormatError(message, line=line - 1)
    body = unified[close.end() + 1 :]
    return Front(unified[: close.start()], line), body, line + unified.count("\n", 0, close.end()) + 1


def read_metadata(
    front: Front | None, budget: Budget, watch: Callable[[Event], None] = lambda _event: None
) -> dict[str, object]:
    """Return the metadata of a card; nothing at all counts as an empty mapping. ``watch`` is as for ``read_yaml``.

    Raises:
        FormatError: When it is not a YAML mapping with text keys, or costs more than the budget.
    """
    if front is None:
        return {}
    data = front.text.encode()
    if len(data) > MAX_FRONT:
        raise LimitExceeded(f"metadata of {len(data):,} bytes is longer than this reader goes")
    value = read_yaml(data, budget, front.line, watch)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise FormatError("the metadata is not a list of “key: value” lines", line=front.line)
    return {str(key): item for key, item in value.items()}


def read_markdown(text: str, line: int, budget: Budget) -> tuple[Section, ...]:
    """Return the sections of Markdown ``text`` that starts on ``line`` of its file.

    Raises:
        LimitExceeded: When it is too long.
    """
    if len(text) > MAX_MARKDOWN:
        raise LimitExceeded(f"a card text of {len(text):,} characters is longer than this reader goes")
    budget.spend("nodes", len(text))
    return tuple(_sections(_parser().parse(text), line))


def read_readme(data: bytes, budget: Budget) -> Readme:
    """Read a whole card.

    Raises:
        FormatError: When a reader of the Hub would trip over it, or it costs more than the budget.
    """
    front, body, line = split(decode(data))
    return Readme(front, read_metadata(front, budget), read_markdown(body, line, budget))


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True, "maxNesting": MAX_NESTING}).enable("table")


@dataclass(slots=True)
class _Open:
    """The section that is being filled."""

    title: str
    level: int
    line: int
    blocks: list[Block] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    def close(self) -> Section:
        return Section(self.title, self.level, self.line, tuple(self.blocks), tuple(self.links), tuple(self.spans))


@dataclass(slots=True)
class _Table:
    """The rows of the table that is being read."""

    head: tuple[str, ...] = ()
    cells: list[str] | None = None
    """Cells of the open row; ``None`` outside of a row."""
    in_head: bool = False

    def feed(self, token: Token, line: int) -> Iterator[Block]:
        """Take a token that opens or closes a part of a table; yield a row when it ends."""
        match token.type:
            case "table_open":
                self.head = ()
            case "thead_open" | "thead_close":
                self.in_head = token.type == "thead_open"
            case "tr_open":
                self.cells = []
            case "tr_close" if self.cells is not None:
                cells = tuple(self.cells)
                yield Block("row", " | ".join(cells), line, cells=cells, head=self.head)
                self.head, self.cells = cells if self.in_head else self.head, None


def _sections(tokens: Sequence[Token], first: int) -> Iterator[Section]:
    """Group the parser's flat list of tokens under their headings."""
    section, table = _Open("", 0, first), _Table()
    heading, line = False, first
    for token in tokens:
        if token.map is not None:
            line = first + token.map[0]
        match token.type:
            case "heading_open":
                yield section.close()
                section, heading = _Open("", int(token.tag[1:]), line), True
            case "inline":
                text = _inline(token, line, section)
                if heading:
                    section.title, heading = " ".join(text.split()), False
                elif table.cells is not None:
                    table.cells.append(text)
                else:
                    section.blocks.append(Block("text", text, line))
            case "fence" | "code_block":
                start = line + (token.type == "fence")
                section.blocks.append(Block("code", token.content, start, token.info.strip()))
            case "html_block":
                section.blocks.append(Block("html", _strip_html(token.content), line))
                section.links.extend(_html_links(token.content, line))
            case _:
                section.blocks.extend(table.feed(token, line))
    yield section.close()


def _inline(token: Token, line: int, section: _Open) -> str:
    """Return the text of inline content and add its links and code spans to ``section``."""
    parts: list[str] = []
    opened: list[tuple[str, int, int]] = []  # target, index in parts, line
    for child in token.children or ():
        match child.type:
            case "text" | "text_special":
                parts.append(child.content)
            case "code_inline":
                parts.append(child.content)
                if not opened:  # inside of a link, the link says what is meant
                    section.spans.append(Span(child.content, line))
            case "softbreak" | "hardbreak":
                parts.append("\n")
                line += 1
            case "link_open":
                opened.append((str(child.attrGet("href") or ""), len(parts), line))
            case "link_close" if opened:
                target, start, at = opened.pop()
                section.links.append(Link(target, "".join(parts[start:]), at))
            case "image":
                parts.append(child.content)
                section.links.append(Link(str(child.attrGet("src") or ""), child.content, line, image=True))
            case "html_inline":
                section.links.extend(_html_links(child.content, line))
            case _:
                pass
    return "".join(parts)


def _strip_html(source: str) -> str:
    """Return what is left of an HTML block without comments and tags, whether or not a comment is closed."""
    kept = []
    for index, part in enumerate(source.split("<!--")):
        kept.append(part if index == 0 else part.partition("-->")[2])
    return _TAG.sub(" ", "".join(kept)).strip()


def _html_links(source: str, line: int) -> Iterator[Link]:
    for match in _HTML_TARGET.finditer(source):
        image = match.group().lower().startswith("<img")
        yield replace(Link(match.group(1), "", line), image=image)
