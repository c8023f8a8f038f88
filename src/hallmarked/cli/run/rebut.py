"""``hallmarked run rebut``: argue from evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hallmarked.audit.run import find_plan, rebut
from hallmarked.cli.attested import TRUST
from hallmarked.cli.option import FORMAT, LANGUAGE
from hallmarked.cli.run.option import EVIDENCE, now, open_evidence, save, show
from hallmarked.cli.setting import PATH, home, passphrase
from hallmarked.ledger.ledger import Ledger
from hallmarked.profiles.run.file import read_rebuttal
from hallmarked.profiles.run.rebuttal import Standing, recompute
from hallmarked.profiles.run.render import rebuttal_document, rebuttal_lines

EXIT = {Standing.HOLDS: 0, Standing.FAILS: 1, Standing.MISSING: 2, Standing.UNSETTLED: 2}


@click.command()
@click.argument("evidence", type=PATH)
@click.argument("argument", type=PATH)
@EVIDENCE
@TRUST
@FORMAT
@LANGUAGE
@click.option("--output", type=PATH, metavar="FILE", help="Sign the argument too, and write the evidence to FILE.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    evidence: Path,
    argument: Path,
    others: Sequence[Path],
    trust_file: Path | None,
    output: Path | None,
    **shown: str,
) -> None:
    """Compare again what ARGUMENT, a TOML or YAML file, says of the run planned in EVIDENCE.

    Each comparison names the statement that measured this model and the one that measured a model that exists; both
    are brought by --evidence. With --output the argument is signed and logged, also when it does not hold.

    Exit status: 0 every comparison holds, 1 one does not, 2 evidence is missing or too weak.
    """
    held, time = open_evidence([evidence, *others], trust_file), now()
    plan = find_plan(held)
    rebuttal = read_rebuttal(argument, plan.source.id, plan.record.speaks)
    made = recompute(rebuttal, held, time)
    show(rebuttal_lines(made, shown["language"]), rebuttal_document(made), shown["form"])
    if output is not None:
        with Ledger.open(home(), create=False, passphrase=passphrase()) as ledger:
            filed = rebut(ledger, held, rebuttal, plan.source.id, time)
        save(output, filed.evidence)
    ctx.exit(EXIT[made.standing])
