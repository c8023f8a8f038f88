"""``hallmarked corpus signals``: what machine-readable signals say of training on pages and files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hallmarked.artifacts.source import describe, open_artifact
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError
from hallmarked.core.text import clean
from hallmarked.corpus.engine.model import Engine, Job
from hallmarked.corpus.engine.run import map_parts

TASK = "hallmarked.corpus.signal.tree:evaluate_tree"
STATUS = {"allowed": 0, "denied": 1, "unknown": 2}


@click.command()
@click.argument("snapshots", nargs=-1, required=True, type=PATH)
@click.option(
    "--crawler", "crawlers", multiple=True, metavar="NAME", help="Name under which you fetch; may be repeated."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print.")
@click.pass_context
def command(ctx: click.Context, snapshots: Sequence[Path], crawlers: Sequence[str], form: str) -> None:
    """Say of pages and files whether their signals allow training on them. The most restrictive signal wins.

    SNAPSHOTS are folders as they were fetched, one folder per host in each (robots.txt, ai.txt,
    .well-known/tdmrep.json, pages and files, and NAME.headers beside them), or JSON files with lists of snapshots.
    Nothing is fetched. A source that could not be read makes the verdict unknown, never allowed.

    Exit status: 0 everything is allowed, 1 something is denied, 2 something is unknown or could not be done.
    """
    rows = [row for path in snapshots for row in _evaluate(path, crawlers)]
    if not rows:
        raise InputError("there are no pages or files to judge")
    if form == "json":
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for row in rows:
            click.echo(f"{row['decision']:<8} {clean(row['url'])}")
            for reason in row["reasons"]:
                click.echo(f"         {reason['decision']}, by {reason['kind']}: {clean(reason['words'])}")
    statuses = {STATUS[row["decision"]] for row in rows}
    ctx.exit(1 if 1 in statuses else max(statuses))


def _evaluate(path: Path, crawlers: Sequence[str]) -> list[dict[str, Any]]:
    """Read and judge in a confined process: what was fetched may be made to harm who reads it."""
    artifact = open_artifact(path)
    job = Job(TASK, describe(artifact), {"crawlers": list(crawlers)})
    with tempfile.TemporaryDirectory(prefix="hallmarked-") as folder:
        (learned,) = map_parts(job, [{}], Engine(1), Path(folder))
        if learned.broke:
            raise InputError(f"{path}: {learned.broke}")
        with learned.open() as stream:
            rows: list[dict[str, Any]] = json.loads(stream.read())
    return rows
