"""The style sheet, the marks and the rules of templates that reports, cards, profiles and pages share.

Every status is a shape, a word and a colour, so that each alone is enough.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import jinja2

from hallmarked.core.text import clean

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


def open_templates(package: str, *texts: type) -> jinja2.Environment:
    """Return the templates beside the modules of a package, for documents that stand alone.

    What is put into them is escaped, and shows no control characters; a value that is missing is an error.

    Args:
        package: Name of the package.
        texts: Types besides ``str`` that are shown as what they are as texts.
    """
    shown = {str, *texts}
    return jinja2.Environment(
        autoescape=True,
        loader=jinja2.FunctionLoader(lambda name: (files(package) / name).read_text(encoding="utf-8")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean(value) if type(value) in shown else value,
    )


def _text(name: str) -> str:
    return (files("hallmarked.cards.sheet") / name).read_text(encoding="utf-8")
