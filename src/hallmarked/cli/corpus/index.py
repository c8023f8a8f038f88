"""``hallmarked corpus index``: make a data set searchable."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.report.view import size
from hallmarked.cli.setting import PATH
from hallmarked.corpus.engine.model import parse_engine
from hallmarked.corpus.search.infinigram import advice
from hallmarked.corpus.search.line import INFINI_GRAM
from hallmarked.corpus.search.make import index_data
from hallmarked.corpus.search.manifest import Options, Summary

EXIT_INCOMPLETE = 2


@click.command()
@click.argument("dataset", type=PATH)
@click.argument("index", type=PATH)
@click.option("--mask", is_flag=True, help="Take personal data out of the texts first, so that outsiders may ask it.")
@click.option("--licence", default="", metavar="SPDX", help="Licence of rows that name none.")
@click.option("--for", "backend", type=click.Choice([INFINI_GRAM]), help="Write what that engine indexes instead.")
@click.option("--no-keywords", is_flag=True, help="Only passages can be found then; smaller and sooner made.")
@click.option(
    "--block-mib", default=64, show_default=True, help="Size of its blocks; memory is about eight times that."
)
@click.option("--engine", default="native", show_default=True, help="Who reads: native, or a Ray cluster's address.")
@click.option("--processes", default=0, help="Processes that read on this machine [as many as it has cores].")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.pass_context
def command(
    ctx: click.Context, /, dataset: Path, index: Path, engine: str, processes: int, quiet: bool, **options: object
) -> None:
    """Make the folder INDEX, in which the texts of DATASET can be searched.

    Rows are read by processes that can neither write nor reach a network. Source and licence of each row come from
    the columns that dataset.toml names, else from columns called source, url, licence or license.

    Exit status: 0 every row is in it, 2 could not do it, or rows could not be read (the index has the others).
    """
    mask = bool(options.pop("mask"))
    backend = str(options.pop("backend") or "")
    keywords = not options.pop("no_keywords") and not backend
    chosen = Options(keywords=keywords, backend=backend, **options)  # type: ignore[arg-type]  # click has checked them
    bar = None if quiet or not sys.stderr.isatty() else Console(stderr=True)

    def report(done: int, total: int) -> None:
        if bar is not None:
            bar.print(f"read {size(done)} of {size(total)}", end="\r", highlight=False)

    summary = index_data(
        open_artifact(dataset), index, chosen, mask=mask, engine=parse_engine(engine, processes), report=report
    )
    _show(summary, index)
    if backend:
        click.echo(f"Now let {backend} index it: {advice(index)}")
    ctx.exit(0 if summary.whole else EXIT_INCOMPLETE)


def _show(summary: Summary, index: Path) -> None:
    click.echo(f"{index}: {summary.documents:,} rows, {summary.words:,} words, {size(summary.bytes)} of text")
    for place in summary.places:
        row = "" if place.row is None else f", row {place.row:,}"
        click.echo(f"not in it: {place.path}{row}: {place.reason}", err=True)
    rest = summary.unread + summary.lost - len(summary.places)
    if rest > 0:
        click.echo(f"not in it: {rest:,} more rows or parts that cannot be read", err=True)
