"""``hallmarked corpus build``: a new version of a data set, with the account of every row."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from hallmarked.audit.build.build import Request, build_dataset
from hallmarked.audit.build.summary import summarise
from hallmarked.cli.setting import PATH, home, passphrase
from hallmarked.core.errors import InputError, NotFound
from hallmarked.core.text import clean
from hallmarked.corpus.engine.model import Engine
from hallmarked.corpus.proof.key import RowKey, create_row_key, load_row_key
from hallmarked.ledger.ledger import Ledger
from hallmarked.transforms.dataset.member import MOST_BYTES
from hallmarked.transforms.dataset.recipe import read_recipe

KEY = "rows.pem"


@click.command()
@click.argument("recipe", type=PATH)
@click.option("--output", type=PATH, required=True, help="New folder for the version.")
@click.option("--rows-key", type=PATH, help="Key that makes identifiers of contents [made in the home folder].")
@click.option("--processes", type=click.IntRange(0), default=0, help="How many processes read [as many as cores].")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print.")
@click.pass_context
def command(ctx: click.Context, recipe: Path, output: Path, rows_key: Path | None, processes: int, form: str) -> None:
    """Build a version of a data set from sources, by a recipe, and account for every row.

    RECIPE is a TOML file. The new folder holds the rows, changes.gz with every row that was left out and why,
    provenance.json with the sources, rows.ids with the identifiers of all contents, a card with the facts, and
    evidence.json, signed. The sources are not changed, and nothing is overwritten.

    Exit status: 0 every row is accounted for, 1 something could not be read or the licences do not go together,
    2 could not do it; then nothing was written.
    """
    written = _read(recipe)
    read = read_recipe(written, recipe.parent, str(recipe))
    folder = _new(output)
    console = Console(stderr=True)
    # The ledger is opened first: who cannot sign should know before the work, not after it.
    with Ledger.open(home(), passphrase=passphrase()) as ledger, console.status("Opening sources") as status:
        built = build_dataset(
            Request(read, written, folder, _key(rows_key), Engine(processes)),
            ledger,
            datetime.now(UTC).replace(microsecond=0),
            progress=lambda text: status.update(escape(clean(text))),
        )
    click.echo(built.document.dump().decode() if form == "json" else "\n".join(summarise(built)), nl=form != "json")
    ctx.exit(0 if built.complete else 1)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error


def _new(output: Path) -> Path:
    """Make sure that there is nothing yet."""
    folder = output.resolve()
    try:
        taken = folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))
    except OSError as error:
        raise InputError(f"{folder}: {(error.strerror or 'cannot be read').lower()}") from error
    if taken:
        raise InputError(f"{folder} is there already; nothing is overwritten, choose another --output")
    return folder


def _key(path: Path | None) -> RowKey:
    """Return the key that was named, or that of this machine, made when it is not there yet."""
    if path is not None:
        return load_row_key(path)
    try:
        return load_row_key(home() / KEY)
    except NotFound:
        return create_row_key(home() / KEY)
