"""``hallmarked policy test``: given facts, and what a policy has to make of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hallmarked.cli.policy.option import POLICY, policy_of
from hallmarked.cli.setting import PATH
from hallmarked.core.text import clean
from hallmarked.policy.file import read_sources
from hallmarked.policy.trial import run_all, shipped_trials


@click.command()
@click.argument("files", nargs=-1, type=PATH, metavar="[FILE]...")
@POLICY
@click.pass_context
def test(ctx: click.Context, files: Sequence[Path], file: Path | None) -> None:
    """Run the cases of test FILEs, by default those of the shipped contexts.

    Exit status: 0 all came out as expected, 1 some did not, 2 a file cannot be used.
    """
    sources = [source for each in files for source in read_sources(each)] if files else shipped_trials()
    results = list(run_all(sources, policy_of(file).contexts))
    for result in results:
        if result.differences:
            click.echo(f"✖ {clean(result.case.name)}  ({clean(result.case.place)})")
            for difference in result.differences:
                click.echo(f"    {clean(difference)}")
    failed = sum(bool(result.differences) for result in results)
    click.echo(f"{len(results) - failed} of {len(results)} cases came out as expected")
    ctx.exit(1 if failed else 0)
