"""A chain as a drawing (https://www.w3.org/TR/SVG2/): one thing below the other, with lines to what it was made from.

It is as wide as the narrowest screen, so that it is read there without being moved; every state is a shape and a word;
title and description tell the same in words, and the table (``view.table``) has all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from hallmarked.cards.lineage.chain import Chain, Trouble
from hallmarked.cards.lineage.graph import Basis, Edge, Node
from hallmarked.cards.lineage.thing import short
from hallmarked.core.text import clean

WIDTH = 320
MOST_THINGS = 40
"""Things that are drawn; the table has all."""
_ROW, _BOX = 64, 48
_LANE, _LANES = 9, 5
_TOP = 8
_GUTTER = _LANE * _LANES + 6
_LONGEST = 30
"""Characters of a name that have room."""
_MARKS = {
    "signed": '<circle r="8" fill="currentColor"/><path d="m-4 0 3 3 5-6" fill="none" stroke="Canvas" '
    'stroke-width="2"/>',
    "broken": '<path d="M0-9 9 0 0 9-9 0z" fill="currentColor"/><path d="m-3-3 6 6m0-6-6 6" stroke="Canvas" '
    'stroke-width="2"/>',
    "unknown signer": '<circle r="8" fill="none" stroke="currentColor" stroke-width="2"/>',
    "open": '<rect x="-8" y="-8" width="16" height="16" rx="2" fill="none" stroke="currentColor" stroke-width="2" '
    'stroke-dasharray="3 2"/><text y="4" text-anchor="middle" font-size="12">?</text>',
}
"""The shape of each state, around its middle."""


@dataclass(frozen=True, slots=True)
class _Page:
    """How it is written."""

    rtl: bool
    say: Callable[[str], str]

    def x(self, at: float) -> float:
        """Return a place counted from the side on which lines of text begin."""
        return WIDTH - at if self.rtl else at


def draw(chain: Chain, *, name: str = "lineage", rtl: bool = False, say: Callable[[str], str] = str) -> str:
    """Draw a chain.

    Args:
        chain: What to draw.
        name: Unique on the page; letters, digits and hyphens.
        rtl: Whether lines of text run from right to left.
        say: Translates the words of the drawing; names and sentences of the chain are not among them.
    """
    page = _Page(rtl, say)
    keys = chain.order[:MOST_THINGS]
    place = {key: at for at, key in enumerate(keys)}
    edges = [edge for edge in chain.graph.edges if edge.child in place and edge.parent in place]
    left = len(chain.order) - len(keys)
    height = _TOP + _ROW * len(keys) + (20 if left else 0)
    direction = ' direction="rtl"' if rtl else ""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-labelledby="{name}-title {name}-about" font-family="system-ui, sans-serif"{direction}>',
        f'<title id="{name}-title">{_safe(say("What it was made from"))}: {_safe(_title(chain, keys[0]))}</title>',
        f'<desc id="{name}-about">{_safe(_about(chain, keys, page))}</desc>',
        *_lines(edges, place, page),
        *(_box(chain, chain.node(key), at, page) for key, at in place.items()),
    ]
    if left:
        more = f"{say('not drawn, see the table')}: {left:,}"
        parts.append(_text(more, 8, height - 6, page, size=12))
    return "\n".join([*parts, "</svg>"])


def state(chain: Chain, key: str) -> str:
    """Return the state of a thing in a chain: ``broken``, ``open``, ``unknown signer`` or ``signed``."""
    troubles = {problem.trouble for problem in chain.problems if key in problem.things}
    if any(trouble.breaks for trouble in troubles):
        return "broken"
    if Trouble.MISSING in troubles:
        return "open"
    return "unknown signer" if Trouble.UNKNOWN_SIGNER in troubles else "signed"


def _about(chain: Chain, keys: Sequence[str], page: _Page) -> str:
    """Tell in words what is drawn."""
    told = [f"{_title(chain, key)}: {page.say(state(chain, key))}" for key in keys]
    return "; ".join(told + [problem.message for problem in chain.problems[:10]])


def _lines(edges: Sequence[Edge], place: dict[str, int], page: _Page) -> list[str]:
    """Draw each link once, in the lane nearest to the boxes that is free between its ends."""
    drawn, busy = [], [[False] * (len(place) + 1) for _ in range(_LANES)]
    pairs: dict[tuple[int, int], list[Edge]] = {}
    for edge in edges:
        pairs.setdefault((place[edge.child], place[edge.parent]), []).append(edge)
    for (start, end), found in sorted(pairs.items(), key=lambda pair: (abs(pair[0][1] - pair[0][0]), pair[0])):
        low, high = min(start, end), max(start, end)
        free = [lane for lane in range(_LANES) if not any(busy[lane][low:high])]
        lane = free[0] if free else _LANES - 1
        busy[lane][low:high] = [True] * (high - low)
        x, edge_x = page.x(_GUTTER - _LANE * (lane + 1)), page.x(_GUTTER)
        y1, y2 = _middle(start) + 8, _middle(end) - 8
        believed = any(edge.source.role and edge.basis in {Basis.STAGE, Basis.PROVENANCE} for edge in found)
        dashes = "" if believed else ' stroke-dasharray="4 3"'
        tip = 5 if page.rtl else -5
        drawn.append(
            f'<path d="M{edge_x:g} {y1:g}H{x:g}V{y2:g}H{edge_x:g}m{tip} -4 {-tip} 4 {tip} 4" fill="none" '
            f'stroke="currentColor" stroke-width="1.5"{dashes}/>'
        )
    return drawn


def _middle(at: int) -> float:
    return _TOP + at * _ROW + _BOX / 2


def _box(chain: Chain, node: Node, at: int, page: _Page) -> str:
    """Draw a thing: its mark, its name, and the state with the stages somebody signed."""
    how = state(chain, node.key)
    stages = ", ".join(dict.fromkeys(page.say(one.record.stage.value) for one in reversed(node.stages)))
    middle, inner = _middle(at), WIDTH - _GUTTER - 4
    x = 4 if page.rtl else _GUTTER
    dashes = "" if node.known else ' stroke-dasharray="4 3"'
    words = " · ".join(filter(None, [page.say(how), stages]))
    shown = (
        f"<g><title>{_safe(node.title)} ({_safe(short(node.digest))})</title>"
        f'<rect x="{x:g}" y="{middle - _BOX / 2:g}" width="{inner:g}" height="{_BOX}" rx="4" fill="none" '
        f'stroke="currentColor"{dashes}/>'
        f'<g transform="translate({page.x(_GUTTER + 16):g} {middle:g})">{_MARKS[how]}</g>'
    )
    return (
        shown
        + _text(node.title, _GUTTER + 32, middle - 4, page)
        + _text(words, _GUTTER + 32, middle + 14, page, size=12, longest=_LONGEST + 4)
        + "</g>"
    )


def _text(text: str, at: float, y: float, page: _Page, *, size: int = 14, longest: int = _LONGEST) -> str:
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return f'<text x="{page.x(at):g}" y="{y:g}" font-size="{size}" fill="currentColor">{_safe(cut)}</text>'


def _title(chain: Chain, key: str) -> str:
    return chain.node(key).title


def _safe(text: str) -> str:
    return escape(clean(text))
