"""The style sheet and the marks that reports, cards, profiles and pages share.

Every status is a shape, a word and a colour, so that each alone is enough.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

SHAPES = {
    "pass": "pass",
    "proven": "pass",
    "supported": "pass",
    "met": "pass",
    "fail": "fail",
    "fails": "fail",
    "error": "fail",
    "contradicted": "fail",
    "malformed": "fail",
    "warning": "warning",
    "unproven": "warning",
    "underpowered": "warning",
    "note": "note",
    "stale": "stale",
    "disputed": "disputed",
    "self-asserted": "asserted",
    "withdrawn": "asserted",
    "waived": "asserted",
}
"""Which mark stands for a status; what is not listed is unknown."""


def shape(status: str) -> str:
    """Name the mark of a status."""
    return SHAPES.get(status, "unknown")


@cache
def style() -> str:
    """Return the style sheet."""
    return _text("sheet.css")


@cache
def marks() -> str:
    """Return the shapes of the marks, as symbols that ``<use>`` can name."""
    return _text("marks.svg").rstrip()


def _text(name: str) -> str:
    return (files("hallmarked.cards.sheet") / name).read_text(encoding="utf-8")
