"""Options that commands of profiles share."""

from __future__ import annotations

import click

from hallmarked.profiles.language import LANGUAGES

LANGUAGE = click.option(
    "--lang",
    "language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="Language of the sentences.",
)
