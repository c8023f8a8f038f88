"""``hallmarked run check``: where planned runs stand."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import click

from hallmarked.audit.run import record_decisions
from hallmarked.cli.attested import TRUST
from hallmarked.cli.option import LANGUAGE
from hallmarked.cli.run.option import EVIDENCE, PACKS, PAGE, now, open_evidence, open_packs, save, show
from hallmarked.cli.setting import PATH, home, passphrase
from hallmarked.core.errors import InputError
from hallmarked.core.text import clean
from hallmarked.ledger.ledger import Ledger
from hallmarked.profiles.run.decide import Filing
from hallmarked.profiles.run.page import Shown, render_page
from hallmarked.profiles.run.rebuttal import Recomputed, recompute
from hallmarked.profiles.run.render import rebuttal_document, rebuttal_lines, review_document, review_lines
from hallmarked.profiles.run.review import Review, review
from hallmarked.records.record import read_all, records
from hallmarked.records.run_deviation import RunDeviation
from hallmarked.records.run_plan import RunPlan
from hallmarked.records.run_rebuttal import RunRebuttal


@click.command()
@click.argument("evidence", type=PATH)
@EVIDENCE
@PACKS
@PAGE
@LANGUAGE
@TRUST
@click.option("--record", type=PATH, metavar="FILE", help="Sign today's verdicts too, and write all evidence to FILE.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    evidence: Path,
    others: Sequence[Path],
    packs: Sequence[str],
    trust_file: Path | None,
    record: Path | None,
    **shown: str,
) -> None:
    """Say where the runs planned in EVIDENCE stand: logged in time or late, what changed, today's verdict, what is due.

    Verdicts that were signed under earlier rules stay beside today's. Rebuttals are compared again from the statements
    they cite, which --evidence brings.

    Exit status: 0 nothing is late, overdue or newly to be filed; 1 something is; 2 it cannot be told.
    """
    held, time = open_evidence([evidence, *others], trust_file), now()
    found = review(held, open_packs(packs), time)
    wrong = [each for kind in (RunPlan, RunDeviation, RunRebuttal) for each in read_all(kind, held)[1]]
    for one, why in wrong:
        click.echo(clean(f"{one.id} counts for nothing: {why}"), err=True)
    if not found:
        raise InputError(f"{evidence} has no statement of a run plan{' that can be read' if wrong else ''}")
    made = [recompute(one.record, held, time) for one in records(RunRebuttal, held)]
    if shown["form"] == "html":
        if len(found) > 1:
            raise InputError(f"the evidence has {len(found)} run plans, and a page shows one; give the evidence of one")
        click.echo(_page(found[0], made, time, shown["language"], evidence), nl=False)
    else:
        _print(found, made, shown)
    if record is not None:
        with Ledger.open(home(), create=False, passphrase=passphrase()) as ledger:
            filed = [record_decisions(ledger, one, time) for one in found]
        save(record, filed[-1].evidence)
    covered = [one for one in found if any(each.filing is not Filing.NOTHING for each in one.decisions)]
    if any(one.is_late or one.changed or any(each.overdue for each in one.reminders) for one in covered):
        ctx.exit(1)
    if any(each.filing is Filing.OPEN for one in found for each in one.decisions):
        ctx.exit(2)


def _page(one: Review, made: Sequence[Recomputed], time: datetime, language: str, evidence: Path) -> str:
    known = one.plan.record
    command_line = shlex.join(["hallmarked", "run", "check", str(evidence), "--format", "html", "--lang", language])
    shown = Shown(known, one.projection, one.decisions, one.reminders, time, language, one, made, command_line)
    return render_page(shown)


def _print(found: Sequence[Review], made: Sequence[Recomputed], shown: Mapping[str, str]) -> None:
    lines = [line for one in found for line in (*review_lines(one, shown["language"]), "")][:-1]
    for one in made:
        lines += ["", *rebuttal_lines(one, shown["language"])]
    document = {"runs": [review_document(one) for one in found], "rebuttals": [rebuttal_document(one) for one in made]}
    show(lines, document, shown["form"])
