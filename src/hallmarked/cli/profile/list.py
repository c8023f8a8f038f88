"""``hallmarked profile list``: frameworks and their editions."""

from __future__ import annotations

import click

from hallmarked.audit.report.view import json_text
from hallmarked.cli.option import LANGUAGE
from hallmarked.profiles.language import pick
from hallmarked.profiles.registry import families


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@LANGUAGE
def command(form: str, language: str) -> None:
    """List the frameworks and their editions, the current edition first."""
    known = families()
    if form == "json":
        rows = [
            {
                "id": family.id,
                "title": dict(family.title),
                "editions": [
                    {"id": f"{family.id}/{name}", "title": dict(text)} for name, text in family.editions.items()
                ],
            }
            for family in known.values()
        ]
        click.echo(json_text(rows).rstrip())
        return
    for family in known.values():
        click.echo(pick(family.title, language))
        for name, text in family.editions.items():
            click.echo(f"    {family.id}/{name}  {pick(text, language)}")
