"""What a revision was made from: a drawing, the table beside it, and what is wrong with what lies behind it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from markupsafe import Markup
from starlette.requests import Request

from hallmarked.cards.lineage import view
from hallmarked.cards.lineage.chain import follow
from hallmarked.cards.lineage.drawing import draw
from hallmarked.cards.lineage.graph import build
from hallmarked.cards.lineage.inherit import inherited
from hallmarked.web.language import Language, load_languages
from hallmarked.web.page.repository import KINDS, Head, open_page
from hallmarked.web.render import Html, Page, context

MOST_ROWS = 200
"""Rows of one list on the page."""


@context
class Row:
    """One stage of one thing."""

    stage: str
    """What was done: ``collected``, ``trained``, …"""
    what: str
    """The thing."""
    digest: str
    """Its digest, shortened."""
    by: str
    """Who did it and answers for it."""
    contact: str
    """How to reach them."""
    signer: str
    """Whose key signed."""
    time: str
    """When it was done; empty when nobody says."""
    state: str
    """``signed``, ``unknown signer``, ``nobody signed`` or ``written by a program``."""


@context
class Behind:
    """Something that is wrong with what it was made from."""

    kind: str
    """``finding`` or ``dispute``."""
    level: str
    """Level of a finding; empty otherwise."""
    name: str
    """What it was found in."""
    text: str
    """What is wrong."""


@context
class Lineage:
    """What a revision was made from."""

    head: Head
    """What stands on top."""
    holds: bool
    """Whether every link back to the data is there and signed by somebody known."""
    broken: bool
    """Whether something in it cannot be true."""
    drawing: Mapping[str, Html]
    """A drawing (SVG), by language."""
    rows: tuple[Row, ...]
    """Who answers for each stage."""
    problems: tuple[tuple[str, str], ...]
    """What is wrong: its kind, and a sentence."""
    behind: tuple[Behind, ...]
    """Findings and disputes about what it was made from."""


def show_lineage(request: Request, kind: str) -> Lineage:
    """Follow a revision back to the data."""
    with open_page(request, kind) as opened:
        graph = build(opened.stated, opened.subject)
        chain = follow(graph, licence=opened.head.licence)
        return Lineage(
            opened.head,
            chain.holds,
            chain.broken,
            {
                code: Markup(draw(chain, rtl=tongue.direction == "rtl", say=tongue.gettext))  # noqa: S704 -- escaped there
                for code, tongue in _languages().items()
            },
            tuple(
                Row(row.stage, row.what, row.digest, row.by, row.contact, row.signer, row.time, row.state)
                for row in view.table(chain)[:MOST_ROWS]
            ),
            tuple((one.trouble.value, one.message) for one in chain.problems[:MOST_ROWS]),
            tuple(
                Behind(one.kind, one.level, one.name, one.text) for one in inherited(graph, opened.stated)[:MOST_ROWS]
            ),
        )


@cache
def _languages() -> Mapping[str, Language]:
    return load_languages()


PAGES = (
    Page("/{owner}/{name}/lineage", "repository/lineage.html.j2", show_lineage, KINDS),
    Page("/{owner}/{name}/lineage/{revision}", "repository/lineage.html.j2", show_lineage, KINDS),
)
