"""``hallmarked convert``: pickled weights to safetensors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.convert import Request, convert_weights, prepare, summarise
from hallmarked.cli.setting import PATH, home, passphrase
from hallmarked.core.text import clean
from hallmarked.ledger.ledger import Ledger


@click.command()
@click.argument("path", type=PATH)
@click.option("--output", type=PATH, help="New folder for the results [PATH-safetensors].")
@click.option("--only", "paths", multiple=True, metavar="FILE", help="Convert only this file of PATH; may be repeated.")
@click.option("--select", metavar="KEY", help="Which part of a checkpoint is meant, when it holds several.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print.")
@click.pass_context
def command(
    ctx: click.Context, path: Path, output: Path | None, paths: Sequence[str], select: str | None, form: str
) -> None:
    """Turn pickled weights into safetensors without loading or executing anything.

    PATH is a file that torch.save wrote, or a folder with such files. Only what the serialization check proves is
    converted. Beside the results lie conversion.json, with every tensor's digest before and after, and evidence.json,
    signed. PATH is not changed, and nothing is overwritten.

    Exit status: 0 all that looks like weights was converted and is equal, 1 something was refused, 2 could not do it;
    then nothing was written.
    """
    artifact = open_artifact(path)
    request = Request(artifact, prepare(artifact, output), paths, select)
    console = Console(stderr=True)
    # The ledger is opened first: who cannot sign should know before the work, not after it.
    with Ledger.open(home(), passphrase=passphrase()) as ledger, console.status("Looking for weights") as status:
        converted = convert_weights(
            request,
            ledger,
            datetime.now(UTC).replace(microsecond=0),
            progress=lambda text: status.update(escape(clean(text))),
        )
    click.echo(converted.report.decode() if form == "json" else "\n".join(summarise(converted)), nl=form != "json")
    ctx.exit(0 if converted.complete else 1)
