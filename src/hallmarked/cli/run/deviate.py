"""``hallmarked run deviate``: how a run went otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.run import changes_between, counted, deviate, find_plan
from hallmarked.cli.attested import TRUST
from hallmarked.cli.run.option import PACKS, now, open_evidence, open_packs, save
from hallmarked.cli.setting import PATH, home, passphrase
from hallmarked.ledger.ledger import Ledger
from hallmarked.profiles.run.file import read_plan
from hallmarked.profiles.run.log import read_log
from hallmarked.profiles.run.project import project
from hallmarked.records.field import write
from hallmarked.records.run_deviation import RunDeviation


@click.command()
@click.argument("evidence", type=PATH)
@click.option("--reason", required=True, help="Why, or what happened.")
@click.option("--by", "by", help="Who states it [who filed the plan].")
@click.option("--plan", "changed", type=PATH, help="The plan as it is now: what differs is stated.")
@click.option("--log", "logged", type=PATH, help="A log of the run, for what it took.")
@click.option("--began", metavar="TIME", help="When the first training step was taken.")
@click.option("--ended", metavar="TIME", help="When the last one was.")
@click.option("--model", type=PATH, help="What came out of it: then the statement is about the model too.")
@PACKS
@TRUST
@click.option("--output", type=PATH, help="Where the evidence goes [EVIDENCE].")
def command(
    evidence: Path,
    reason: str,
    by: str | None,
    packs: Sequence[str],
    trust_file: Path | None,
    output: Path | None,
    **said: Any,
) -> None:
    """State that the run planned in EVIDENCE began, ended, or went otherwise; the plan stays as it was logged."""
    held, time = open_evidence([evidence], trust_file), now()
    plan = find_plan(held)
    row: dict[str, Any] = {"plan": plan.source.id, "by": by or plan.record.speaks, "reason": reason}
    row |= {key: said[key] for key in ("began", "ended") if said[key]}
    if said["changed"]:
        new = read_plan(said["changed"]).plan
        row["changes"] = write(changes_between(plan.record, new))
        row["measurements"] = write(project(new).measurements)
    if said["logged"]:
        counts = counted(read_log(said["logged"]))
        taken = {one.metric for one in counts}
        others = [each for each in row.get("measurements", []) if each["metric"] not in taken]
        row["measurements"] = [*others, *write(counts)]
    deviation = RunDeviation.of(row)
    model = open_artifact(said["model"]).subject if said["model"] else None
    with Ledger.open(home(), create=False, passphrase=passphrase()) as ledger:
        filed = deviate(ledger, held, deviation, open_packs(packs), time, model)
    save(output or evidence, filed.evidence)
    click.echo(filed.id)
