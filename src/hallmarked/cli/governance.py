"""``hallmarked governance``: how a project is run, as far as statements show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from hallmarked.audit.report.view import json_text
from hallmarked.cards.governance.governance import govern, to_json, to_text
from hallmarked.cli.attested import EVIDENCE, attestations
from hallmarked.cli.setting import PATH


@click.command()
@click.argument("path", type=PATH)
@EVIDENCE
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.pass_context
def command(ctx: click.Context, /, path: Path, evidence: Sequence[Path], form: str) -> None:
    """List who answers for what around PATH, what was decided, and what was changed without a decision.

    Statements come from PATH.hallmarked, and from --evidence; those of strangers do not count.

    Exit status: 0 every change of a gate, threshold or rule has a decision; 1 one has none.
    """
    found = govern(attestations(path, evidence), datetime.now(UTC))
    click.echo(json_text(to_json(found)).rstrip() if form == "json" else to_text(found))
    ctx.exit(0 if found.complete else 1)
