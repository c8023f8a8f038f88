"""``hallmarked lineage``: who answers for what, from the files at hand back to the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.attested import beside, gather
from hallmarked.audit.lineage import Lineage, trace
from hallmarked.audit.report.view import json_text
from hallmarked.audit.verify import read_file, trust_of
from hallmarked.cards.lineage.drawing import draw
from hallmarked.cards.lineage.view import to_json, to_text
from hallmarked.cli.attested import EVIDENCE, TRUST, machine_trust
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import NotFound
from hallmarked.ledger.bundle import carried_evidence
from hallmarked.ledger.trust import Trust
from hallmarked.records.stage import Step

Command = Callable[..., Any]


@click.group()
def command() -> None:
    """Say who answers for each stage of a model or data set, and what it was made from."""


def _options(function: Command) -> Command:
    options = (
        click.argument("path", type=PATH),
        EVIDENCE,
        click.option("--key", "keys", multiple=True, metavar="ID", help="Id of a key you trust; may be repeated."),
        TRUST,
        click.option(
            "--stage",
            "stages",
            multiple=True,
            type=click.Choice([step.value for step in Step]),
            help="A stage somebody must answer for; may be repeated [what is usual].",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@command.command()
@_options
@click.option("--format", "form", type=click.Choice(["text", "json", "svg"]), default="text", help="What to make.")
def show(form: str, **given: Any) -> None:
    """Show from what PATH was made and who answers for each stage, as a table, as JSON or as a drawing.

    Statements come from PATH.hallmarked, and from --evidence: of the data sets and models it was made from.
    """
    found = _trace(**given)
    if form == "json":
        click.echo(json_text(to_json(found.chain, found.collection, found.inherited)).rstrip())
    elif form == "svg":
        click.echo(draw(found.chain))
    else:
        click.echo(to_text(found.chain, found.collection, found.inherited))


@command.command()
@_options
@click.pass_context
def verify(ctx: click.Context, /, **given: Any) -> None:
    """Say whether the chain from PATH back to the data holds, without a network.

    Exit status: 0 every stage is signed by somebody known, 1 something in the chain cannot be true, 2 something is
    missing or signed by somebody you do not know.
    """
    found = _trace(**given)
    click.echo(to_text(found.chain, found.collection, found.inherited))
    ctx.exit(found.status)


def _trace(
    path: Path, evidence: Sequence[Path], keys: Sequence[str], trust_file: Path | None, stages: Sequence[str]
) -> Lineage:
    artifact = open_artifact(path)
    files = (*beside(path), *evidence)
    if not files:
        raise NotFound(f"there is no evidence beside {path}; name some with --evidence")
    trust = _trust(files, keys, trust_file)
    return trace(artifact, gather(files, trust), [Step(stage) for stage in stages])


def _trust(files: Sequence[Path], ids: Sequence[str], trust_file: Path | None) -> Trust:
    """Return whom to trust: this machine's keys, those of a trust file, and those named by id."""
    data = read_file(trust_file) if trust_file else None
    known = {key.public: key for key in machine_trust().keys}
    for file in files:
        for key in trust_of(carried_evidence(read_file(file)), ids, data).keys:
            known.setdefault(key.public, key)
    return Trust(tuple(known.values()))
