"""Signals that come with a page: fields of the HTTP response, and ``<meta>`` of the page itself.

``X-Robots-Tag`` and ``<meta name="robots">`` hold directives, ``noai`` and ``noimageai`` among them. Who does not want
a page indexed or kept does not want it learned either. TDM Reservation Protocol:
https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from hallmarked.corpus.signal.model import Crawlers, Decision, Said
from hallmarked.corpus.signal.tdm import read_reservation
from hallmarked.corpus.signal.usage import read_usage

REFUSING = frozenset({"noai", "noml", "noindex", "none", "noarchive", "nocache"})
IMAGES = frozenset({"noimageai", "noimageindex"})
"""Refuse the images only."""
NEUTRAL = frozenset(
    {"", "all", "index", "follow", "nofollow", "nosnippet", "notranslate", "nositelinkssearchbox", "noodp", "noydir"}
    | {"indexifembedded", "max-snippet", "max-image-preview", "max-video-preview", "archive", "ai", "imageai"}
)
"""Say nothing of training, or allow it."""
TIMED = "unavailable_after"
_WITH_VALUE = frozenset({"max-snippet", "max-image-preview", "max-video-preview", TIMED})
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:(.*)")
MOST_HTML = 1 << 18
"""Characters of a page that are read; its head stands at the beginning."""


def read_headers(text: str, media: str, crawlers: Crawlers) -> Iterator[Said]:
    """Say what the fields of a response say; a field may come several times."""
    for line in text.splitlines():
        found = _FIELD.match(line)
        if found is None:
            continue
        name, value = found[1].lower(), found[2].strip()
        if name == "x-robots-tag":
            yield from read_directives("X-Robots-Tag", value, media, crawlers)
        elif name in ("content-usage", "content-signal"):
            yield from read_usage(found[1], value)
        elif name == "tdm-reservation":
            yield from (read_reservation("tdm-reservation", part) for part in value.split(","))


def read_directives(name: str, value: str, media: str, crawlers: Crawlers) -> Iterator[Said]:
    """Read ``noai, noimageai`` or ``somebot: noai, otherbot: noindex``.

    What is said to a named crawler counts when it collects for training, or is ours, or when it is about training.
    """
    whom = ""
    for part in value.split(","):
        directive = part.strip().lower()
        agent, colon, rest = directive.partition(":")
        agent = agent.strip()
        if colon and agent not in _WITH_VALUE:
            whom, directive = agent, rest.strip()
        elif colon:
            directive = agent
        ours = not whom or whom in crawlers.names or whom in ("*", "robots")
        yield from _directive(f"{name} ({whom})" if whom else name, directive, media, ours)


def _directive(name: str, directive: str, media: str, ours: bool) -> Iterator[Said]:
    if directive in IMAGES:
        if media != "text":
            yield Said(Decision.DENIED, f"{name} refuses the use of images: {directive}")
    elif directive in REFUSING:
        if ours or directive in ("noai", "noml"):
            yield Said(Decision.DENIED, f"{name} says {directive}")
    elif directive == TIMED:
        if ours:
            yield Said(Decision.UNKNOWN, f"{name} says when the page is withdrawn, which the snapshot cannot tell")
    elif directive not in NEUTRAL and ours:
        yield Said(Decision.DENIED, f"{name} says something that is not known here, which counts as a refusal")


class _Metas(HTMLParser):
    """Collects the ``<meta>`` of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "meta":
            values = {key.lower(): value or "" for key, value in reversed(attrs)}
            name = values.get("name") or values.get("http-equiv") or ""
            self.found.append((name.strip().lower(), values.get("content", "")))


def read_html(text: str, media: str, crawlers: Crawlers) -> Iterator[Said]:
    """Say what the ``<meta>`` of a page say."""
    head, metas = text[:MOST_HTML], _Metas()
    try:
        metas.feed(head)
        metas.close()
    except AssertionError:  # what the parser raises about some declarations
        yield Said(Decision.UNKNOWN, "the page cannot be read as HTML")
    if len(text) > MOST_HTML and "<body" not in head.lower():
        yield Said(Decision.UNKNOWN, "the head of the page is longer than what is read of it")
    for name, content in metas.found:
        if name == "robots" or name in crawlers.names:
            yield from read_directives(f"meta {name}", content, media, crawlers)
        elif name == "x-robots-tag":
            yield from read_directives("meta X-Robots-Tag", content, media, crawlers)
        elif name in ("content-usage", "content-signal"):
            yield from read_usage(f"meta {name}", content)
        elif name == "tdm-reservation":
            yield read_reservation("meta tdm-reservation", content)
