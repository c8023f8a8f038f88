"""The formats a card is shown in, by the name the command line uses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from hallmarked.cards.view import data, html, markdown
from hallmarked.cards.view.card import CardView

Render = Callable[[CardView, str, Sequence[str]], str]


def _json(view: CardView, _language: str, _commands: Sequence[str]) -> str:
    return json.dumps(data.to_data(view), indent=1) + "\n"  # escaped, so that it can be printed to a terminal


RENDERERS: Mapping[str, Render] = {"html": html.render, "md": markdown.render, "json": _json}
