"""``hallmarked run plan``: what a plan comes to."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from hallmarked.audit.run import decide_plan
from hallmarked.cli.option import LANGUAGE
from hallmarked.cli.run.option import PACKS, PAGE, now, open_packs, show
from hallmarked.cli.setting import PATH
from hallmarked.profiles.run.decide import Filing
from hallmarked.profiles.run.file import read_plan
from hallmarked.profiles.run.page import Shown, render_page
from hallmarked.profiles.run.project import project
from hallmarked.profiles.run.render import plan_document, plan_lines
from hallmarked.profiles.run.review import remind

EXIT = {Filing.NOTHING: 0, Filing.FILE: 1, Filing.OPEN: 2}


@click.command()
@click.argument("plan", type=PATH)
@PACKS
@PAGE
@LANGUAGE
@click.pass_context
def command(ctx: click.Context, plan: Path, packs: Sequence[str], form: str, language: str) -> None:
    """Say what PLAN comes to under dated rules: projected operations, each rule with its reason, what is due.

    PLAN is a TOML or YAML file; hallmarked run new writes one to fill in. Nothing is signed and nothing is sent.

    Exit status: 0 nothing to file, 1 to be filed, 2 it cannot be told or could not be done.
    """
    file, time = read_plan(plan), now()
    projection, decisions = project(file.plan), decide_plan(file, open_packs(packs), time)
    due = tuple(remind(file.plan, decisions, time))
    if form == "html":
        command_line = shlex.join(["hallmarked", "run", "plan", str(plan), "--format", "html", "--lang", language])
        shown = Shown(file.plan, projection, decisions, due, time, language, command=command_line)
        click.echo(render_page(shown), nl=False)
    else:
        lines = plan_lines(file.plan, projection, decisions, due, language)
        show(lines, plan_document(file.plan, projection, decisions, due), form)
    filings = {one.filing for one in decisions}
    ctx.exit(next(EXIT[each] for each in (Filing.FILE, Filing.OPEN, Filing.NOTHING) if each in filings))
