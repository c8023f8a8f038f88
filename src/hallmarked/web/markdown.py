"""Text that people wrote, as HTML that can neither act, nor load anything from elsewhere, nor break out of its place.

Four steps: Markdown (CommonMark 0.31 with tables, https://spec.commonmark.org/0.31.2/) → HTML; an allowlist of elements
and attributes (nh3) → well-formed HTML of known elements; one pass that rewrites every target, heading and table; and
characters that turn or hide text are written out. The policy header of the page is the second line of defence.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import quote, unquote, urlsplit

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from hallmarked.core.errors import FormatError
from hallmarked.core.text import show_invisible
from hallmarked.formats import readme

MOST_CHARACTERS = 1 << 17
"""Characters of one text that are rendered; parsing costs up to 50 µs for each."""
MOST_NESTING = 40
"""Depth of elements and of Markdown blocks that is kept."""
MOST_ELEMENTS = 20_000
"""Elements of one text that are kept; what follows is left out."""
LEAD, FEWEST_WORDS = 480, 4
"""Of the first paragraph: characters that are shown, and words it has at least."""
TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "blockquote", "pre", "hr", "br"),
    *("ul", "ol", "li", "dl", "dt", "dd", "details", "summary"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("a", "img", "abbr", "cite", "code", "kbd", "samp", "var", "mark", "q", "span", "small", "sub", "sup"),
    *("b", "del", "em", "i", "ins", "s", "strong", "u"),
}
"""Elements that stay; others lose their tags and keep their text."""
ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "div": {"align"},
    "h1": {"id"},
    "h2": {"id"},
    "h3": {"id"},
    "h4": {"id"},
    "h5": {"id"},
    "h6": {"id"},
    "img": {"src", "alt", "title", "width", "height"},
    "li": {"value"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "align", "style"},
    "th": {"colspan", "rowspan", "align", "style"},
}
_WITHOUT_END = {"br", "hr", "img"}
_NUMERIC = {"width", "height", "colspan", "rowspan", "start", "value"}
_ALIGNMENT = re.compile(r"(?:text-align:\s*)?(left|right|center);?", re.IGNORECASE)
_PLACE = re.compile(r"\{\{[ \t]{0,9}claim\b[^{}<>\r\n]{0,300}\}\}")
_CLAIMED = re.compile(r'<span class="place">([^<]*)</span>')
_SLUG = re.compile(r"[^\w\- ]+")
_LOOKS_LIKE_HOST = re.compile(r"(?:https?://)?(?:www\.)?((?:[\w-]+\.)+[a-z]{2,})(?:[/:?#]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands, so that its relative links and images lead to the repository's own files."""

    page: str = ""
    """Address under which a path of the repository has its page, with a final ``/``; empty when there is none."""
    raw: str = ""
    """Address under which a path of the repository has its bytes, with a final ``/``."""
    folder: str = ""
    """Folder of the text inside the repository."""
    prefix: str = "text-"
    """Put before the ids of headings, so that they cannot take the place of the page's own."""
    heading: int = 3
    """Level of its top heading on the page."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text fit for a page."""

    html: Markup
    cut: bool
    """Whether something had to be left out because the text is too long or too deep."""
    lead: str = ""
    """Its first paragraph of some length, as plain text; empty when there is none."""


def render_markdown(text: str, place: Place = Place()) -> Rendered:
    """Render what somebody wrote; front matter is dropped, nothing in it can act."""
    body = _without_front(text)
    found = _render(body[:MOST_CHARACTERS], place)
    return replace(found, cut=len(body) > MOST_CHARACTERS or found.cut)


def mark_places(text: str) -> Markup:
    """Return plain text, with its places for claims ready to be filled."""
    return Markup(_PLACE.sub(r'<span class="place">\g<0></span>', escape(show_invisible(text))))  # noqa: S704 -- escaped


def fill_places(html: Markup, claims: Mapping[str, Markup]) -> Markup:
    """Put claims into the places of a text, by the place as written; others stay as they are written."""
    return Markup(_CLAIMED.sub(lambda match: claims.get(unescape(match[1]), match[0]), html))  # noqa: S704 -- ours


@lru_cache(maxsize=32)
def _render(shown: str, place: Place) -> Rendered:
    """Render a text of bounded length; hostile ones take seconds, so that not everybody who looks shall pay again."""
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": MOST_NESTING}).enable(["table", "strikethrough"])
    allowed = nh3.clean(
        parser.render(shown),
        tags=TAGS,
        attributes=ATTRIBUTES,
        filter_style_properties={"text-align"},
        link_rel=None,
        url_schemes={"http", "https", "mailto"},
    )
    writer = _Writer(place)
    writer.feed(allowed)
    writer.close()
    return Rendered(Markup(writer.result()), writer.cut, writer.lead)  # noqa: S704 -- written by _Writer


def _without_front(text: str) -> str:
    try:
        return readme.split(text)[1]
    except FormatError:  # the check of the documentation says what is wrong; people still see every word
        return text


@dataclass(slots=True)
class _Open:
    """An element that is open, and what has to be written when it ends."""

    tag: str
    end: str
    at: int
    """Where its start tag stands in what was written."""
    target: str = ""
    text: list[str] = field(default_factory=list)


class _Writer(HTMLParser):
    """Writes allowed elements again, each attribute by its own rule; everything else arrives as text."""

    def __init__(self, place: Place) -> None:
        super().__init__(convert_charrefs=True)
        self.place = place
        self.cut = False
        self._out: list[str] = []
        self._open: list[_Open] = []
        self._elements = 0
        self._level = place.heading - 1
        self.lead = ""
        self._ids: dict[str, int] = {}

    def result(self) -> str:
        while self._open:
            self._end(self._open[-1])
        return "".join(self._out)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._elements += 1
        if tag not in TAGS or self._elements > MOST_ELEMENTS or len(self._open) >= MOST_NESTING:
            self.cut = True
            return
        given = {name: show_invisible(value or "") for name, value in attrs}
        if tag == "img":
            self._out.append(self._image(given))
        elif tag in _WITHOUT_END:
            self._out.append(f"<{tag}>")
        elif tag == "a":
            self._link(given)
        elif re.fullmatch("h[1-6]", tag):
            self._level = min(int(tag[1]) + self.place.heading - 1, self._level + 1, 6)
            self._push(tag, f"<h{self._level}>", f"</h{self._level}>")
        elif tag == "table":
            self._push("table", '<div class="wide" tabindex="0"><table>', "</table></div>")
        else:
            self._push(tag, f"<{tag}{self._plain(tag, given)}>", f"</{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self._open):
            while self._open[-1].tag != tag:
                self._end(self._open[-1])
            self._end(self._open[-1])

    def handle_data(self, data: str) -> None:
        shown = show_invisible(data)
        for element in self._open:
            if element.tag[0] in "ah" or (element.tag == "p" and not self.lead):
                element.text.append(shown)
        literal = any(element.tag in {"a", "code", "pre", "samp", "kbd"} for element in self._open)
        self._out.append(escape(shown) if literal else _PLACE.sub(r'<span class="place">\g<0></span>', escape(shown)))

    def _push(self, tag: str, start: str, end: str, target: str = "") -> None:
        self._open.append(_Open(tag, end, len(self._out), target))
        self._out.append(start)

    def _end(self, element: _Open) -> None:
        self._open.pop()
        self._out.append(element.end)
        if element.tag == "p" and not self.lead and not self._open:
            self.lead = _shorten(" ".join("".join(element.text).split()))
        if re.fullmatch("h[1-6]", element.tag):
            name = self._unique("".join(element.text))
            self._out[element.at] = f'<{element.end[2:-1]} id="{escape(name)}">'
        host = urlsplit(element.target).hostname if element.target else None
        said = _LOOKS_LIKE_HOST.match("".join(element.text).strip()) if host else None
        if said and host and _bare(said[1]) != _bare(host):
            self._out.append(f' <span class="host">(→ {escape(host)})</span>')

    def _plain(self, tag: str, given: dict[str, str]) -> str:
        kept = []
        for name, value in given.items():
            if (name in _NUMERIC and value.isascii() and value.isdigit() and len(value) < 5) or name == "title":
                kept.append(f' {name}="{escape(value)}"')
            elif name in {"align", "style"} and (found := _ALIGNMENT.fullmatch(value.strip())):
                kept.append(f' class="{found[1].lower()}"')
        if tag == "th":
            kept.append(' scope="col"')
        return "".join(kept)

    def _unique(self, name: str) -> str:
        """Return a name that no heading before it has; of many alike, the next number is not looked for again."""
        base = name = self.place.prefix + _slug(name)
        count = self._ids.get(base, 1)
        while name in self._ids:
            count += 1
            name = f"{base}-{count}"
        self._ids[base] = count
        self._ids[name] = self._ids.get(name, 1)
        return name

    def _link(self, given: dict[str, str]) -> None:
        target = self._target(given.get("href", ""), self.place.page)
        title = f' title="{escape(given["title"])}"' if given.get("title") else ""
        if not target:
            self._push("a", "<span>", "</span>")
        elif _is_elsewhere(target):
            self._push("a", f'<a href="{escape(target)}" rel="nofollow noopener noreferrer"{title}>', "</a>", target)
        else:
            self._push("a", f'<a href="{escape(target)}"{title}>', "</a>")

    def _image(self, given: dict[str, str]) -> str:
        target = self._target(given.get("src", ""), self.place.raw)
        words = escape(given.get("alt", "") or given.get("title", ""))
        if not target or target.startswith("mailto:"):
            return words
        if _is_elsewhere(target):
            host = escape(urlsplit(target).hostname or "")
            shown = f"{words} " if words else ""
            inside = any(element.tag == "a" for element in self._open)
            text = f'{shown}<span class="host">({host})</span>'
            if inside:
                return f'<span class="away">{text}</span>'
            return f'<a class="away" href="{escape(target)}" rel="nofollow noopener noreferrer">{text}</a>'
        size = self._plain("img", {name: given[name] for name in ("width", "height") if name in given})
        return f'<img src="{escape(target)}" alt="{words}" loading="lazy"{size}>'

    def _target(self, written: str, base: str) -> str:
        r"""Return where a link or image leads, or an empty string when it may lead nowhere.

        Browsers take ``\`` for ``/`` and drop tabs and line breaks inside addresses, so both are settled first.
        """
        address = "".join(c for c in written.strip() if c > " ").replace("\\", "/")
        try:
            parts = urlsplit(f"https:{address}" if address.startswith("//") else address)
            host = parts.hostname
        except ValueError:
            return ""
        if parts.scheme in {"http", "https"}:
            return parts.geturl() if host else ""
        if parts.scheme:
            return address if parts.scheme == "mailto" and base == self.place.page else ""
        if not parts.path:
            return f"#{self.place.prefix}{quote(_slug(unquote(parts.fragment)))}" if parts.fragment else ""
        if parts.path.startswith("/"):  # another page of this hub; never an image
            return quote(posixpath.normpath(unquote(parts.path)).replace("//", "/")) if base == self.place.page else ""
        path = posixpath.normpath("/" + posixpath.join(self.place.folder, unquote(parts.path))).lstrip("/")
        fragment = f"#{self.place.prefix}{quote(_slug(unquote(parts.fragment)))}" if parts.fragment else ""
        return f"{base}{quote(path)}{fragment}" if base else ""


def _shorten(text: str) -> str:
    """Return the first sentences of a paragraph; nothing of one that is too short to tell anything."""
    if text.count(" ") < FEWEST_WORDS:
        return ""
    if len(text) <= LEAD:
        return text
    end = max(text.rfind(mark, LEAD // 2, LEAD) for mark in (". ", "! ", "? ", "。"))
    return text[: end + 1] if end > 0 else text[:LEAD].rpartition(" ")[0] + " …"


def _slug(name: str) -> str:
    return _SLUG.sub("", name).strip().lower().replace(" ", "-")[:80] or "part"


def _is_elsewhere(target: str) -> bool:
    return target.startswith(("http://", "https://"))


def _bare(host: str) -> str:
    return host.lower().removeprefix("www.")
