"""``hallmarked profile verify``: check a package for regulators."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hallmarked.audit.package.archive import read_package
from hallmarked.audit.package.check import verify_package
from hallmarked.audit.report.view import json_text
from hallmarked.audit.verify import read_file
from hallmarked.cli.setting import PATH


@click.command()
@click.argument("package", type=PATH)
@click.option("--key", "keys", multiple=True, metavar="ID", help="Id of a key you trust; may be repeated.")
@click.option("--trust", "trust_file", type=PATH, help="A trust file instead of single keys.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.pass_context
def command(ctx: click.Context, package: Path, keys: Sequence[str], trust_file: Path | None, form: str) -> None:
    """Check PACKAGE, a folder or archive, by itself and without a network.

    Says who signed it, which files are not as they were signed, whether its evidence holds, and whether the forms come
    out the same when they are filled in again from it.

    Exit status: 0 all of it holds, 1 something does not, 2 you named no key you trust, or it could not be done.
    """
    checked = verify_package(read_package(package), keys, read_file(trust_file) if trust_file else None)
    document = {"status": checked.status, "summary": checked.lines}
    click.echo(json_text(document).rstrip() if form == "json" else "\n".join(checked.lines))
    ctx.exit(checked.status)
