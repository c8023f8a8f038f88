"""A card as one HTML file that asks nobody for anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from itertools import groupby

import jinja2
from markupsafe import Markup

from hallmarked import __version__
from hallmarked.cards.language import direction
from hallmarked.cards.sheet import sheet
from hallmarked.cards.sheet.sheet import open_templates, shape
from hallmarked.cards.translation import Passage, State
from hallmarked.cards.view.card import CardView, Look
from hallmarked.cards.view.label import LACKS, ROLES, STATUSES, Words, interface, words
from hallmarked.cards.view.limitation import Limitation
from hallmarked.cards.view.line import ClaimLine
from hallmarked.cards.view.prose import render_blocks, render_text
from hallmarked.core.text import show_invisible

MOST_ON_PAGE = 8
"""Claims and limitations on one page; it says how many more there are."""


@dataclass(frozen=True, slots=True)
class Run:
    """Passages that stand one below another, in one language and one state."""

    state: str
    language: str
    direction: str
    html: Markup
    now: Markup | None
    """When stale: what the card says now."""


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template may use."""

    view: CardView
    look: str
    language: str
    """Language of the words around the card."""
    direction: str
    css: Markup
    marks: Markup
    prose: Sequence[Run]
    """Of the technical look."""
    summary: Sequence[Run]
    use: Sequence[Run]
    contact: Sequence[Run]
    claims: Sequence[ClaimLine]
    claims_hidden: int
    shown: Sequence[ClaimLine]
    """What is shown in the prose and is no claim of the card."""
    limitations: Sequence[tuple[str, Markup]]
    """Language and words."""
    limitations_hidden: int
    commands: Sequence[str]
    version: str


def render(view: CardView, language: str = "", commands: Sequence[str] = ()) -> str:
    """Return the document.

    Args:
        view: The card.
        language: Language of the words around it; that of its prose by default.
        commands: How to check it without believing this document, line by line.
    """
    wanted = interface(language or view.language)
    page = make_page(view, wanted, commands)
    return _template(wanted).render(page=page)


def make_page(view: CardView, language: str, commands: Sequence[str]) -> Page:
    """Work out what the document shows."""
    t = words(language)
    fills = {written: fill(line, t) for written, line in view.places.items()}
    most = MOST_ON_PAGE if view.look is Look.PAGE else max(len(view.claims), len(view.limitations))
    limits = view.limitations
    if view.look is Look.PLAIN and view.summary is not None:
        limits = view.summary.unsaid
    declared = {line.id for line in view.claims}
    shown = {line.id: line for line in view.places.values() if line.id not in declared}
    written = set(map(id, view.summary.blocks)) if view.summary else set()
    return Page(
        view,
        view.look.value,
        language,
        direction(language),
        Markup(sheet.style() + _resource("card.css")),  # noqa: S704 -- our own files
        Markup(sheet.marks()),  # noqa: S704 -- our own file
        runs(below_title(view), fills) if view.look is Look.TECHNICAL else (),
        runs([each for each in view.passages if id(each.block) in written], fills),
        runs(view.section("use"), fills),
        runs(view.section("contact"), fills),
        view.claims[:most],
        max(0, len(view.claims) - most),
        tuple(shown.values()),
        [_limit(each, fills) for each in limits[:most]],
        max(0, len(limits) - most),
        commands,
        __version__,
    )


def runs(passages: Sequence[Passage], fills: Mapping[str, str]) -> tuple[Run, ...]:
    """Write passages as HTML, those of one language and state together."""
    made = []
    for (state, language, alone), group in groupby(passages, lambda each: (each.state, each.language, _alone(each))):
        members = list(group)
        html = Markup(render_blocks([each.block for each in members], fills))  # noqa: S704 -- escaped by our renderer
        source = members[0].source
        now = Markup(render_blocks([source], fills)) if alone and source is not None else None  # noqa: S704 -- likewise
        made.append(Run(state.value, language, direction(language), html, now))
    return tuple(made)


def below_title(view: CardView) -> Sequence[Passage]:
    """Leave out the heading that is the title of the document already."""
    first = view.passages[:1]
    return view.passages[1:] if first and first[0].block.text == view.title else view.passages


def _limit(limit: Limitation, fills: Mapping[str, str]) -> tuple[str, Markup]:
    return limit.language, Markup(render_text(limit.text, fills))  # noqa: S704 -- escaped by our renderer


def _alone(passage: Passage) -> int:
    """Keep each stale passage apart from the next, since each stands beside what the card says now."""
    return id(passage) if passage.state is State.STALE else 0


def fill(line: ClaimLine, t: Words) -> str:
    """Write a claim for its place in the prose: its value, its status, and the way to the proof."""
    value = escape(show_invisible(line.value)) if line.value else escape(t("nothing is stated"))
    mark = f'<svg aria-hidden="true"><use href="#{shape(line.status)}"/></svg>{escape(t(STATUSES[line.status]))}'
    link = f'<a class="mark {line.status}" href="#claim-{escape(line.id)}">{mark}</a>'
    return f'<span class="claimed"><bdi>{value}</bdi> {link}</span>'


def _resource(name: str) -> str:
    return (files("hallmarked.cards.view") / name).read_text(encoding="utf-8")


@cache
def _template(language: str) -> jinja2.Template:
    environment = open_templates("hallmarked.cards.view")
    t = words(language)
    environment.globals |= {
        "t": t,
        "status": lambda status: t(STATUSES[status]),
        "shape": shape,
        "direction": direction,
        "role": lambda role: t(ROLES[role]) if role in ROLES else "",
        "lack": lambda name: t(LACKS[name]),
    }
    return environment.get_template("card.html.j2")
