"""Charts as drawings of bars, worked out to the point, so that a template only has to write them down.

A chart always has its numbers beside it as a table: who cannot see it, prints it or copies from it loses nothing.
Colour carries nothing; sizes do, and each bar has its label and value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

MOST_BARS = 15
"""Bars that lie below each other in one chart; the table lists more."""
MOST_LISTED = 40
"""Rows of the table beside a chart."""
WIDTH = 420
_LABELS, _VALUES = 150, 62
"""Room for labels before, and for values behind lying bars."""
_STEP, _BAR = 24, 14
_HEIGHT, _BASE, _ROOM = 150, 118, 92
"""Of a chart of standing bars, where these stand, and how high they may be."""
_LONGEST = 19
"""Characters of a label that have room."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing and how large it is."""

    label: str
    count: str
    """As it is written."""
    size: float
    """What the bar shows, 0 or more."""
    share: str = ""
    """Share of all, as it is written, with its interval where there is one."""
    interval: tuple[float, float] | None = None
    """In the units of ``size``."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Text:
    """A text at a place."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    """Which end of it stands there: ``start``, ``middle`` or ``end``."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a chart consists of."""

    width: int
    height: int
    boxes: Sequence[Box]
    texts: Sequence[Text]
    lines: Sequence[Box] = field(default_factory=tuple)
    """Intervals and the ground, as thin rectangles."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and the table beside it."""

    id: str
    """Unique on the page; letters, digits and hyphens."""
    title: str
    about: str
    """What is shown, of how many, and what is not."""
    heads: tuple[str, ...]
    """Of the columns of the table: label, count, and share where there is one."""
    bars: Sequence[Bar]
    standing: bool = False
    """Whether bars stand side by side, as for times and lengths, and do not lie below each other."""

    @property
    def drawing(self) -> Drawing:
        """Work out where everything goes."""
        return _standing(self.bars) if self.standing else _lying(self.bars[:MOST_BARS])

    @property
    def summary(self) -> str:
        """Say in words what the chart shows."""
        largest = max(self.bars, key=lambda bar: bar.size)
        shown = f"{len(self.bars)} bars; the largest is {largest.label}, {largest.count}"
        return f"{shown} ({largest.share})." if largest.share else f"{shown}."

    @property
    def listed(self) -> Sequence[Bar]:
        """Rows of the table."""
        return self.bars if self.standing and len(self.bars) <= 2 * MOST_LISTED else self.bars[:MOST_LISTED]

    @property
    def hidden(self) -> int:
        """How many rows the table leaves out."""
        return len(self.bars) - len(self.listed)


def _lying(bars: Sequence[Bar]) -> Drawing:
    room = WIDTH - _LABELS - _VALUES
    most = max([bar.size for bar in bars] + [bar.interval[1] for bar in bars if bar.interval]) or 1.0
    boxes, texts, lines = [], [], []
    for place, bar in enumerate(bars):
        top, middle = place * _STEP + (_STEP - _BAR) / 2, place * _STEP + _STEP / 2
        length = room * bar.size / most
        boxes.append(Box(_LABELS, top, _point(length), _BAR))
        texts.append(Text(_LABELS - 8, middle + 4, _short(bar.label), "end"))
        end = length
        if bar.interval:
            low, high = (room * value / most for value in bar.interval)
            lines.append(Box(_point(_LABELS + low), middle - 1, _point(max(high - low, 0.5)), 2))
            end = max(length, high)
        texts.append(Text(_point(_LABELS + end + 6), middle + 4, bar.share.partition(" (")[0] or bar.count))
    return Drawing(WIDTH, len(bars) * _STEP, boxes, texts, lines)


def _standing(bars: Sequence[Bar]) -> Drawing:
    step = WIDTH / len(bars)
    most = max(bar.size for bar in bars) or 1.0
    highest = max(bars, key=lambda bar: bar.size)
    heights = [_point(_ROOM * bar.size / most) for bar in bars]
    width = _point(step * 0.8)
    boxes = [
        Box(_point((place + 0.1) * step), _point(_BASE - height), width, height) for place, height in enumerate(heights)
    ]
    every = max(1, -(-len(bars) * max(len(bar.label) for bar in bars) // 52))
    texts = [
        Text(_point((place + 0.5) * step), _BASE + 16, bar.label, "middle")
        for place, bar in enumerate(bars)
        if place % every == 0
    ]
    at = (bars.index(highest) + 0.5) * step
    texts.append(Text(_point(min(max(at, 30), WIDTH - 30)), 18, highest.count, "middle"))
    return Drawing(WIDTH, _HEIGHT, boxes, texts, [Box(0, _BASE, WIDTH, 1)])


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"


def _point(value: float) -> float:
    return round(value, 1)
