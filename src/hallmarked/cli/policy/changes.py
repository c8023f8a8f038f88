"""``hallmarked policy changes``: what has to be looked at again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from hallmarked.audit.attested import gather
from hallmarked.audit.report.view import json_text
from hallmarked.cli.attested import machine_trust
from hallmarked.cli.option import FORMAT
from hallmarked.cli.setting import PATH
from hallmarked.core.text import clean
from hallmarked.policy.change import compare, reexamine
from hallmarked.policy.file import read_policy


@click.command()
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@click.option("--evidence", multiple=True, type=PATH, metavar="FILE", help="Decisions to look for in; may be repeated.")
@FORMAT
@click.pass_context
def changes(ctx: click.Context, old: Path, new: Path, evidence: Sequence[Path], form: str) -> None:
    """List what has to be looked at again when the policy NEW takes the place of OLD: files, or folders of them.

    These are requirements that are not what they were, those whose definition of a harm is another one now, and, of the
    decisions in --evidence, those that were made by another policy or definition than the one in force.

    Exit status: 0 nothing, 1 something has to be looked at again, 2 a file cannot be used.
    """
    now = datetime.now(UTC)
    before, after = (read_policy(path, instead=True) for path in (old, new))
    found = compare(before, after, now)
    decided = list(reexamine(gather(evidence, machine_trust()), after, now))
    if form == "json":
        rows = {
            "requirements": [
                {"context": each.context, "requirement": each.requirement, "change": each.sentence} for each in found
            ],
            "decisions": [
                {"statement": one.id, "subject": [each.name for each in one.statement.subjects], "why": why}
                for one, why in decided
            ],
        }
        click.echo(json_text(rows), nl=False)
    else:
        for each in found:
            click.echo(clean(f"{' '.join(filter(None, (each.context, each.requirement)))}: {each.sentence}"))
        for one, why in decided:
            names = ", ".join(each.name for each in one.statement.subjects)
            click.echo(clean(f"decision of {one.time:%Y-%m-%d} about {names} ({one.id}): {why}"))
        if not found and not decided:
            click.echo("nothing has to be looked at again")
    ctx.exit(1 if found or decided else 0)
