"""``hallmarked governance``: how a project is run, as far as statements show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from hallmarked.audit.recount import Recount, recount
from hallmarked.audit.report.view import json_text
from hallmarked.cards.governance.governance import govern, to_json, to_text
from hallmarked.cli.attested import EVIDENCE, attestations
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError
from hallmarked.core.text import clean


@click.command()
@click.argument("path", type=PATH, required=False)
@EVIDENCE
@click.option("--counts", "hub", metavar="URL", help="Count again from the public log of this hub.")
@click.option("--key", "keys", multiple=True, metavar="ID", help="With --counts: the id of the hub's signing key.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    path: Path | None,
    evidence: Sequence[Path],
    hub: str | None,
    keys: Sequence[str],
    form: str,
) -> None:
    """List who answers for what around PATH, what was decided, and what was changed without a decision.

    Statements come from PATH.hallmarked, and from --evidence; those of strangers do not count. --counts reads the whole
    public log of a hub, checks that it is the one the hub signed, and counts opt-outs, requests and takedowns from it.

    Exit status: 0 every change of a gate, threshold or rule has a decision; 1 one has none.
    """
    if path is None and hub is None:
        raise InputError("say about what: name a PATH, or a hub with --counts")
    counted = recount(hub, keys) if hub is not None else None
    if path is None:
        assert counted is not None
        click.echo(json_text(_counts(counted)).rstrip() if form == "json" else "\n".join(_lines(counted)))
        return
    found = govern(attestations(path, evidence), datetime.now(UTC), counted.counts if counted else None)
    if form == "json":
        click.echo(json_text(to_json(found)).rstrip())
    else:
        click.echo("\n".join([to_text(found), *(_origin(counted) if counted else ())]))
    ctx.exit(0 if found.complete else 1)


def _counts(counted: Recount) -> dict[str, object]:
    return {**asdict(counted), "counts": asdict(counted.counts)}


def _lines(counted: Recount) -> list[str]:
    rows = asdict(counted.counts).items()
    return [*(f"{name.replace('_', '-'):10} {value:>9,}" for name, value in rows), *_origin(counted)]


def _origin(counted: Recount) -> list[str]:
    lines = ["", f"counted from the {counted.size:,} entries of the log {clean(counted.origin)}, as it is signed"]
    if counted.withheld:
        lines.append(f"? {counted.withheld:,} statements were not handed out, and are not counted")
    if not counted.vouched:
        lines.append("? the keys are those that the hub names; give the id of its signing key with --key")
    return lines
