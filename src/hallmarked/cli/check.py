"""``hallmarked check``: what is checked, and by which rules."""

from __future__ import annotations

import json

import click

from hallmarked.checks import registry
from hallmarked.checks.ruleset import rule_set_digest


@click.group()
def command() -> None:
    """List the checks and their rules."""


@command.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
def list_checks(form: str) -> None:
    """List every installed check with its question, version, origin and rules."""
    loaded = [registry.load(name) for name in registry.available()]
    if form == "json":
        rows = [
            {
                "id": check.id,
                "version": check.version,
                "title": check.title,
                "extent": check.extent,
                "origin": f"{origin.package} {origin.version}",
                "rules": [
                    {"id": rule.id, "level": rule.level, "title": rule.title, "help": rule.help} for rule in check.rules
                ],
            }
            for check, origin in loaded
        ]
        click.echo(json.dumps({"ruleSet": rule_set_digest(), "checks": rows}, indent=1, ensure_ascii=False))
        return
    for check, origin in loaded:
        made = f"{origin.package} {origin.version}, version {check.version}"
        click.echo(f"{check.id}  {check.title}  ({made}; looks at {check.extent.words})")
        for rule in check.rules:
            click.echo(f"    {rule.id}  {rule.level:7}  {rule.title}")
    click.echo(f"rule set {rule_set_digest()}")
