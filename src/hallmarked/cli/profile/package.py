"""``hallmarked profile package``: forms and their evidence for a regulator."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.attested import beside
from hallmarked.audit.audit import with_keys, write
from hallmarked.audit.package.archive import write_zip
from hallmarked.audit.package.make import Request, make_package
from hallmarked.audit.verify import read_file
from hallmarked.cli.attested import EVIDENCE, machine_trust
from hallmarked.cli.setting import PATH, home, passphrase
from hallmarked.core.errors import InputError
from hallmarked.core.text import clean
from hallmarked.ledger.bundle import carried_evidence
from hallmarked.ledger.ledger import Ledger
from hallmarked.profiles.framework import Audience
from hallmarked.profiles.registry import load


@click.command()
@click.argument("path", type=PATH)
@click.option("--profile", "names", multiple=True, metavar="FRAMEWORK/EDITION", help="A form; may be repeated.")
@click.option(
    "--audience", type=click.Choice([each.value for each in Audience]), help="Put in only what this audience may see."
)
@EVIDENCE
@click.option("--output", type=PATH, required=True, metavar="FOLDER|FILE.zip", help="Where it goes; nothing is there.")
def command(path: Path, names: Sequence[str], audience: str | None, evidence: Sequence[Path], output: Path) -> None:
    """Put the forms for PATH, its cards, keys and evidence into one package that verifies itself.

    Training runs whose evidence is named with --evidence get forms too, judged by the rule packs that are shipped. The
    list of all files is signed and logged. For an audience only those statements go in that the fields it may see
    rest on; a statement goes in whole.
    """
    if os.path.lexists(output):
        raise InputError(f"{output} is there already; nothing is overwritten")
    frameworks = [load(name) for name in dict.fromkeys(names)]
    artifact, time = open_artifact(path), datetime.now(UTC).replace(microsecond=0)
    if output.resolve().is_relative_to(artifact.path.resolve()):
        raise InputError(f"{output} lies inside of what the forms are about; choose another --output")
    listed = dict.fromkeys(file.resolve() for file in (*beside(path), *evidence))
    data = {f"{at}-{file.name}": carried_evidence(read_file(file)) for at, file in enumerate(listed, 1)}
    chosen = Audience(audience) if audience else None
    with Ledger.open(home(), passphrase=passphrase()) as ledger:
        request = Request(artifact, frameworks, data, machine_trust(), time, chosen)
        contents = make_package(request, ledger)
        check = with_keys(f"hallmarked profile verify {shlex.quote(str(output))}", ledger)
    if output.suffix.lower() == ".zip":
        write(output.parent, {output.name: write_zip(contents)})
    else:
        for place in sorted({Path(name).parent for name in contents}):
            inside = {Path(name).name: data for name, data in contents.items() if Path(name).parent == place}
            write(output / place, inside)
    lines = [f"{output}: {len(contents)} files", "", "Check it yourself:", *(f"  {line}" for line in check)]
    click.echo("\n".join(map(clean, lines)))
