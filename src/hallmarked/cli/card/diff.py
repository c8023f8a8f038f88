"""``hallmarked card diff``: what changed between two versions of a card."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from hallmarked.cards.document.difference import compare
from hallmarked.cards.document.document import open_document
from hallmarked.cli.setting import PATH
from hallmarked.core.text import clean


@click.command()
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.pass_context
def command(ctx: click.Context, old: Path, new: Path, form: str) -> None:
    """Say what changed from the card OLD to the card NEW: claims (loosened ones first), metadata, sections.

    OLD and NEW are README.md files or folders with one.

    Exit status: 0 they say the same, 1 something changed, 2 could not do it.
    """
    changes = compare(open_document(old).require(), open_document(new).require())
    if form == "json":
        click.echo(json.dumps([asdict(change) for change in changes], ensure_ascii=False, indent=1))
    else:
        for change in changes:
            at = f" (line {change.line})" if change.line else ""
            click.echo(f"{change.way:9}  {clean(change.sentence)}{at}")
        if not changes:
            click.echo("the cards say the same")
    ctx.exit(int(bool(changes)))
