"""What somebody wrote, as HTML that can neither act, nor load anything, nor break out of its place.

Every character of the text is escaped; elements come from our own rules alone. Raw HTML loses its tags and keeps its
words, images become links, links lead to web pages or mail and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping, Sequence
from functools import cache
from html import escape
from typing import Any
from urllib.parse import urlsplit

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from hallmarked.cards.block import Block, parser, strip_html
from hallmarked.core.text import show_invisible

HEADING = 1
"""How many levels headings of a card move down on a page that has headings of its own."""
_ALIGNMENT = re.compile(r"text-align:(left|right|center)")
_PLACE = re.compile(r"(\{\{[^{}\r\n]{1,320}\}\})")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def render_blocks(blocks: Sequence[Block], claims: Mapping[str, str] | None = None, headings: int = HEADING) -> str:
    """Return HTML of blocks.

    Args:
        blocks: What to show.
        claims: HTML to put in the place of a claim, by the place as written; others are shown as written.
        headings: How many levels headings move down.
    """
    renderer = _renderer()
    env: MutableMapping[str, Any] = {"claims": claims or {}, "headings": headings, "links": []}
    return "".join(renderer.render(block.tokens, parser().options, env) for block in blocks)


def render_text(text: str, claims: Mapping[str, str]) -> str:
    """Return HTML of plain text, with claims in their places."""
    parts = _PLACE.split(show_invisible(text))
    return "".join(claims.get(part) or escape(part) for part in parts)


class _Renderer(RendererHTML):
    """Writes tokens as HTML, each by a rule that keeps nothing of the author's markup."""

    def text(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Write words."""
        return escape(show_invisible(tokens[idx].content))

    def text_special(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Write a character that was escaped."""
        return self.text(tokens, idx, options, env)

    def claim(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Put a claim in its place."""
        written = tokens[idx].content
        shown: str = env["claims"].get(written) or f"<code>{escape(show_invisible(written))}</code>"
        return shown

    def code_inline(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Write code in a line."""
        return f"<code>{escape(show_invisible(tokens[idx].content))}</code>"

    def fence(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Write a block of code."""
        return self.code_block(tokens, idx, options, env)

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Write a block of code; it may be scrolled with the keyboard."""
        return f'<pre dir="ltr" tabindex="0"><code>{escape(show_invisible(tokens[idx].content))}</code></pre>\n'

    def html_block(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Write the words of raw HTML."""
        words = " ".join(strip_html(tokens[idx].content).split())
        return f"<p>{escape(show_invisible(words))}</p>\n" if words else ""

    def html_inline(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Drop a tag; only a break of a line is kept."""
        return "<br>" if _BREAK.fullmatch(tokens[idx].content) else ""

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Write a link to an image; a document that stands alone loads nothing."""
        token = tokens[idx]
        words, target = escape(show_invisible(token.content)) or "image", _target(token.attrGet("src"))
        return (
            f'<a href="{target}" rel="nofollow noopener noreferrer">{words}</a>'
            if target and not env["links"]
            else words
        )

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Begin a link, when it leads somewhere it may."""
        target = _target(tokens[idx].attrGet("href"))
        env["links"].append("</a>" if target else "</span>")
        return f'<a href="{target}" rel="nofollow noopener noreferrer">' if target else "<span>"

    def link_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """End a link."""
        end: str = env["links"].pop()
        return end

    def heading_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Begin a heading below those of the page."""
        return f"<h{_level(tokens[idx], env)}>"

    def heading_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """End a heading."""
        return f"</h{_level(tokens[idx], env)}>\n"

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Begin a table that may be scrolled with the keyboard."""
        return '<div class="wide" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """End a table."""
        return "</table></div>\n"

    def th_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Begin a cell of a head."""
        return f'<th scope="col"{_alignment(tokens[idx])}>'

    def td_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        """Begin a cell."""
        return f"<td{_alignment(tokens[idx])}>"


@cache
def _renderer() -> _Renderer:
    return _Renderer()


def _level(token: Token, env: Mapping[str, Any]) -> int:
    return min(int(token.tag[1]) + int(env["headings"]), 6)


def _alignment(token: Token) -> str:
    found = _ALIGNMENT.fullmatch(str(token.attrGet("style") or ""))
    return f' class="{found[1]}"' if found else ""


def _target(written: object) -> str:
    r"""Return where a link may lead, escaped; empty when it may lead nowhere. Browsers take ``\`` for ``/``."""
    address = "".join(character for character in str(written or "") if character > " ").replace("\\", "/")
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    allowed = parts.scheme == "mailto" or (parts.scheme in {"http", "https"} and parts.netloc)
    return escape(address) if allowed else ""
