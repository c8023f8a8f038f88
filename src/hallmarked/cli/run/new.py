"""``hallmarked run new``: the form of a plan."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import click

from hallmarked.audit.audit import write
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError


@click.command()
@click.argument("plan", type=PATH)
def command(plan: Path) -> None:
    """Write the form of a plan to PLAN, a TOML file, with what each field means."""
    if os.path.lexists(plan):
        raise InputError(f"{plan} is there already; nothing is overwritten")
    if plan.suffix.lower() in {".yaml", ".yml"}:
        raise InputError("the form is TOML; name the file .toml, or write YAML with the same fields")
    write(plan.parent, {plan.name: (files("hallmarked.profiles.run") / "form.toml").read_bytes()})
    click.echo(f"Fill in {plan}, then: hallmarked run plan {plan}", err=True)
