"""``hallmarked card export`` and ``import``: what is known, in the formats of other standards."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.audit import write
from hallmarked.audit.verify import read_file
from hallmarked.cards.claim import derive_claims
from hallmarked.cards.known import know
from hallmarked.checks.documentation.check import find_card
from hallmarked.checks.documentation.check import read_file as read_member
from hallmarked.cli.attested import EVIDENCE, attestations
from hallmarked.cli.policy.option import POLICY, context_of, policy_of
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import BackendError, FormatError, InputError
from hallmarked.exchange.format import FORMATS, validate
from hallmarked.exchange.gather import Source, gather_sheet
from hallmarked.formats.blob import Budget
from hallmarked.policy.decide import decide

FORMAT = click.option("--format", "form", type=click.Choice(sorted(FORMATS)), required=True, help="Which standard.")


@click.command()
@click.argument("path", type=PATH)
@FORMAT
@EVIDENCE
@click.option(
    "--context", "names", multiple=True, metavar="NAME", help="Also what this context comes to; may be repeated."
)
@POLICY
@click.option("--output", type=PATH, help="The file to write [standard output].")
def export(
    path: Path, form: str, evidence: Sequence[Path], names: Sequence[str], file: Path | None, output: Path | None
) -> None:
    """Write what is known about the files at PATH in the format of another standard.

    Numbers come from the evidence of an audit, so audit first. Where the standard's own validator is installed
    (pip install 'hallmarked[exchange]'), it is asked before anything is written.
    """
    artifact = open_artifact(path)
    stated = attestations(path, evidence)
    if not stated:
        raise InputError(f"nothing is stated about {path}: run hallmarked audit {path} first, or name --evidence")
    card = find_card(artifact)
    readme = read_member(artifact, card, Budget(card.size)) if card else None
    time = datetime.now(UTC).replace(microsecond=0)
    known = know(stated, artifact.subject)
    contexts = [context_of(policy_of(file), name) for name in names]
    decisions = [decide(known.facts, context, time) for context in contexts]
    claims = derive_claims(known, time)
    sheet = gather_sheet(Source(artifact.subject, readme, stated, claims, time, decisions))
    data = FORMATS[form].write(sheet)
    problem = validate(form, data)
    if problem:
        raise BackendError(
            f"the document would not be valid {FORMATS[form].title}, so that nothing was written: {problem}"
        )
    if output is None:
        click.echo(data, nl=False)
        return
    write(output.parent, {output.name: data})
    judged = "asked its own validator: valid" if problem == "" else "not asked any validator"
    click.echo(f"{output}: {FORMATS[form].title}, {judged}")


@click.command(name="import")
@click.argument("file", type=PATH)
@FORMAT
@click.option("--output", type=PATH, default="README.md", show_default=True, help="The file to write.")
def import_(file: Path, form: str, output: Path) -> None:
    """Make a README.md from a document of another standard.

    What the document says is a claim like any other: an audit says how far evidence bears it out.
    """
    reader = FORMATS[form].read
    if reader is None:
        raise InputError(f"{FORMATS[form].title} is written only, and not read")
    if os.path.lexists(output):
        raise InputError(f"{output} is there already; choose another --output")
    try:
        sheet = reader(read_file(file))
    except FormatError as error:
        raise InputError(f"{file}: {error}") from error
    write(output.parent, {output.name: FORMATS["hub"].write(sheet)})
    click.echo(f"{output}: {sheet.kind} card of {sheet.name or 'something without a name'}")
