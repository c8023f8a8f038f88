"""``hallmarked corpus search``: find rows by keyword."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from hallmarked.cli.setting import PATH
from hallmarked.core.text import clean
from hallmarked.corpus.search.index import Index

SHOWN = 160
"""Characters of a row that are printed."""


@click.command()
@click.argument("index", type=PATH)
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 1000), help="Rows that are shown.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print.")
@click.pass_context
def command(ctx: click.Context, /, index: Path, words: tuple[str, ...], limit: int, form: str) -> None:
    """Show the rows of INDEX that have all WORDS; words in quotation marks have to stand together.

    Exit status: 0 something was found, 1 nothing was, 2 could not do it.
    """
    total, found = Index.open(index).search(" ".join(words), limit)
    if form == "json":
        rows = [{**asdict(place), "text": text} for place, text in found]
        click.echo(json.dumps({"documents": total, "shown": rows}, ensure_ascii=False, indent=1))
    else:
        click.echo(f"{total:,} rows")
        for place, text in found:
            start = " ".join(clean(text[: 4 * SHOWN]).split())[:SHOWN]
            click.echo(f"{place.path} row {place.row:,}{_told(place.source, place.licence)}: {start}")
    ctx.exit(0 if total else 1)


def _told(*parts: str) -> str:
    shown = ", ".join(clean(part) for part in parts if part)
    return f" ({shown})" if shown else ""
