"""Options that commands of several groups share."""

from __future__ import annotations

import click

from hallmarked.profiles.language import LANGUAGES

FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
LANGUAGE = click.option(
    "--lang",
    "language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="Language of the sentences.",
)
