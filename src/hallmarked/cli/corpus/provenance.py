"""``hallmarked corpus provenance``: from what a version was made, and whether that holds together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from hallmarked.audit.build.trace import trace
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError


@click.command()
@click.argument("folder", type=PATH)
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="NAME=PATH",
    help="Where a source lies, to compare its bytes; may be repeated.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.pass_context
def command(ctx: click.Context, folder: Path, sources: Sequence[str], form: str) -> None:
    """Follow a version to what it was made from, build by build, and name every step that does not hold.

    FOLDER is a version that hallmarked corpus build made. Who signed its evidence is for hallmarked verify to say.

    Exit status: 0 every step holds, 1 one is broken, 2 one could not be told, for example because a source is not here.
    """
    inputs: dict[str, Path] = {}
    for each in sources:
        name, equals, path = each.partition("=")
        if not (name and equals and path):
            raise InputError(f"{each} is not like NAME=PATH")
        inputs[name] = Path(path)
    traced = trace(folder, inputs)
    if form == "json":
        click.echo(json.dumps({"status": traced.status, "edges": [asdict(edge) for edge in traced.edges]}, indent=2))
    else:
        click.echo("\n".join(traced.lines or ["✔ It was made from nothing."]))
    ctx.exit(traced.status)
