"""``hallmarked audit``: the main job."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.audit import judge, sign, write
from hallmarked.audit.examine import examine
from hallmarked.audit.report import text
from hallmarked.audit.report.formats import FILES, RENDERERS
from hallmarked.audit.report.report import Report
from hallmarked.cli.setting import PATH, home, passphrase
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Level, Outcome
from hallmarked.ledger.ledger import TRUST, Ledger
from hallmarked.policy.context import Context, contexts

EXIT = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNKNOWN: 2}

STYLES = {
    "error": "bold red",
    "fail": "bold red",
    "contradicted": "red",
    "warning": "yellow",
    "stale": "yellow",
    "pass": "green",
    "supported": "green",
    "unknown": "cyan",
    "disputed": "magenta",
}


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    base: Path | None
    form: str
    output: Path | None
    no_output: bool
    checks: Sequence[str]
    quiet: bool
    verbose: bool


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATH)
@click.option("--base", type=PATH, help="The model it says it was made from, to compare with.")
@click.option("--context", "context_name", default="default", show_default=True, help="What to judge it for.")
@click.option(
    "--fail-on", type=click.Choice([level.value for level in Level]), help="Lowest level that fails [the context says]."
)
@click.option("--allow-unknown", is_flag=True, help="Accept what could not be established.")
@click.option("--check", "checks", multiple=True, metavar="ID", help="Run only this check; may be repeated.")
@click.option("--format", "form", type=click.Choice(list(RENDERERS)), default="text", help="What to print.")
@click.option("--output", type=PATH, help="Folder for report and evidence [PATH.hallmarked].")
@click.option("--no-output", is_flag=True, help="Only print; sign and write nothing.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing when nothing fails.")
@click.option("-v", "--verbose", is_flag=True, help="Also print notes, every place and every claim.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    paths: Sequence[Path],
    context_name: str,
    fail_on: str | None,
    allow_unknown: bool,
    **options: object,
) -> None:
    """Test a model folder, file or archive, and write signed evidence of what was found.

    Exit status: 0 no finding at the threshold, 1 findings, 2 could not do it or something stayed unknown.
    """
    chosen = Options(**options)  # type: ignore[arg-type]  # click has checked them
    if chosen.output and (len(paths) > 1 or chosen.no_output):
        raise InputError("--output goes with one PATH, and not with --no-output")
    known = contexts()
    if context_name not in known:
        raise InputError(f"no context is called {context_name}; there are: {', '.join(known)}")
    context = known[context_name].adjusted(fail_on=Level(fail_on) if fail_on else None, allow_unknown=allow_unknown)
    if not chosen.no_output:
        _try_ledger()
    statuses = [_audit(path, context, chosen) for path in dict.fromkeys(paths)]
    # Findings weigh more than what could not be judged.
    ctx.exit(1 if 1 in statuses else max(statuses))


def _try_ledger() -> None:
    """Open the ledger there is: who cannot sign should know before the work, not after it."""
    if os.path.lexists(home() / TRUST):
        Ledger.open(home(), create=False, passphrase=passphrase()).close()


def _audit(path: Path, context: Context, options: Options) -> int:
    artifact = open_artifact(path, base=options.base)
    folder = None if options.no_output else _folder(artifact, options.output)
    console = Console(stderr=True)
    with console.status(f"Auditing {path}") as status:
        examination = examine(
            artifact,
            checks=options.checks or None,
            progress=lambda check: status.update(f"Auditing {path}: {check} done"),
        )
    report = judge(examination, context, datetime.now(UTC).replace(microsecond=0))
    if folder is not None:
        report = _publish(report, path, folder)
    if not options.quiet or report.verdict.outcome is not Outcome.PASS:
        _print(report, options)
    if folder is not None and not options.quiet:
        click.echo(f"Report: {folder / 'report.html'}", err=options.form != "text")
    return EXIT[report.verdict.outcome]


def _folder(artifact: LocalArtifact, output: Path | None) -> Path:
    """Return where to write, which is never inside of what is audited: that would change its digest."""
    path = artifact.path.resolve()
    folder = output or path.with_name(f"{path.name}.hallmarked")
    if folder.resolve().is_relative_to(path):
        raise InputError(f"{folder} lies inside of what is audited; choose another --output")
    there = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
    if not os.path.isdir(there):
        raise InputError(f"{there} is not a folder; choose another --output")
    if not os.access(there, os.W_OK):
        raise InputError(f"nothing may be written into {there}; choose another --output, or --no-output")
    return folder


def _publish(report: Report, path: Path, folder: Path) -> Report:
    """Sign and log the statements, and write report and evidence."""
    verify = f"hallmarked verify {shlex.quote(str(folder / 'evidence.json'))} {shlex.quote(str(path))}"
    with Ledger.open(home(), passphrase=passphrase()) as ledger:
        signed = sign(report, ledger, verify)
    contents = {name: RENDERERS[form](signed.report).encode() for name, form in FILES.items()}
    write(folder, {**contents, "evidence.json": signed.bundle})
    return signed.report


def _print(report: Report, options: Options) -> None:
    if options.form != "text":
        click.echo(RENDERERS[options.form](report), nl=False)
        return
    console = Console(highlight=False, soft_wrap=True, markup=False)
    if not console.is_terminal:
        click.echo(text.render(report, verbose=options.verbose))
        return

    def paint(words: str, status: str) -> str:
        with console.capture() as captured:
            console.print(words, style=STYLES.get(status, "dim"), end="")
        return captured.get()

    sys.stdout.write(text.render(report, paint=paint, verbose=options.verbose) + "\n")
