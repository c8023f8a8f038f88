"""``hallmarked run notify``: seal a plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hallmarked.audit.run import decide_plan, notify
from hallmarked.cli.run.option import PACKS, now, open_packs, save
from hallmarked.cli.setting import PATH, home, passphrase
from hallmarked.ledger.ledger import Ledger
from hallmarked.profiles.run.decide import Filing
from hallmarked.profiles.run.file import read_plan


@click.command()
@click.argument("plan", type=PATH)
@PACKS
@click.option("--output", type=PATH, help="Where the evidence goes [PLAN.evidence.json].")
@click.option("--voluntary", is_flag=True, help="Seal the plan even when nothing is to be filed.")
@click.pass_context
def command(ctx: click.Context, plan: Path, packs: Sequence[str], output: Path | None, voluntary: bool) -> None:
    """Sign and log PLAN, with what it comes to under dated rules, before the first training step.

    When no rule covers the run there is nothing to file, and nothing is written: nobody files nil reports.

    Exit status: 0 filed in time or nothing to file, 1 filed after the day on which the plan begins, 2 could not do it.
    """
    file, time, rules = read_plan(plan), now(), open_packs(packs)
    if all(one.filing is Filing.NOTHING for one in decide_plan(file, rules, time)) and not voluntary:
        click.echo("Nothing to file: no rule covers this run, and nothing was written.")
        return
    with Ledger.open(home(), passphrase=passphrase()) as ledger:
        filed = notify(ledger, file, rules, time)
    save(output or plan.with_name(f"{plan.name}.evidence.json"), filed.evidence)
    click.echo(filed.id)
    if time > file.plan.start:
        click.echo(f"This is late: the plan begins on {file.plan.start:%Y-%m-%d}.", err=True)
        ctx.exit(1)
