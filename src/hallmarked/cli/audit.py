"""``hallmarked audit``: the main job."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.artifacts.remote.address import Address
from hallmarked.artifacts.source import Auditable, open_artifact
from hallmarked.audit.attested import gather
from hallmarked.audit.audit import judge, sign, write
from hallmarked.audit.examine import examine
from hallmarked.audit.report import text
from hallmarked.audit.report.formats import FILES, RENDERERS
from hallmarked.audit.report.report import Report
from hallmarked.cli.attested import machine_trust
from hallmarked.cli.benchmark import BENCHMARK, open_benchmarks
from hallmarked.cli.progress import watch_progress
from hallmarked.cli.setting import PATH, PATH_OR_ADDRESS, home, passphrase
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Attestation, Level, Outcome
from hallmarked.corpus.engine.model import MOST_PROCESSES, NATIVE, Engine, parse_engine
from hallmarked.ledger.ledger import TRUST, Ledger
from hallmarked.policy.context import Context
from hallmarked.policy.fact import check_of
from hallmarked.policy.file import load_shipped, read_policy

EXIT = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNKNOWN: 2}

STYLES = {
    "error": "bold red",
    "fail": "bold red",
    "contradicted": "red",
    "warning": "yellow",
    "stale": "yellow",
    "pass": "green",
    "supported": "green",
    "met": "green",
    "fails": "bold red",
    "underpowered": "yellow",
    "missing": "cyan",
    "wrong_attester": "cyan",
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
    endpoint: str | None
    benchmarks: Sequence[str]
    evidence: Sequence[Path]
    engine: str
    processes: int | None
    quiet: bool
    verbose: bool


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATH_OR_ADDRESS, metavar="PATH|hf://OWNER/NAME[@REVISION]...")
@click.option("--base", type=PATH, help="The model it says it was made from, to compare with.")
@click.option("--context", "context_name", default="default", show_default=True, help="What to judge it for.")
@click.option("--policy", type=PATH, metavar="FILE", help="A policy file with more contexts, or a folder of them.")
@click.option("--evidence", multiple=True, type=PATH, metavar="FILE", help="Evidence of others; may be repeated.")
@click.option(
    "--fail-on", type=click.Choice([level.value for level in Level]), help="Lowest level that fails [the context says]."
)
@click.option("--allow-unknown", is_flag=True, help="Accept what could not be established.")
@click.option("--check", "checks", multiple=True, metavar="ID", help="Run only this check; may be repeated.")
@click.option("--format", "form", type=click.Choice(list(RENDERERS)), default="text", help="What to print.")
@click.option("--output", type=PATH, help="Folder for report and evidence [PATH.hallmarked].")
@click.option("--no-output", is_flag=True, help="Only print; sign and write nothing.")
@BENCHMARK
@click.option("--endpoint", metavar="URL", help="The hub that hf:// means [HF_ENDPOINT, or the public one].")
@click.option(
    "--engine",
    default=NATIVE,
    show_default=True,
    metavar="NAME",
    help="Who reads data sets: native (this machine), ray, or a Ray cluster's address (ray://head:10001).",
)
@click.option(
    "--processes",
    type=click.IntRange(1, MOST_PROCESSES),
    metavar="N",
    help="How many processes read data sets on this machine [one per core].",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing when nothing fails.")
@click.option("-v", "--verbose", is_flag=True, help="Also print notes, every place and every claim.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    paths: Sequence[Path | Address],
    context_name: str,
    fail_on: str | None,
    allow_unknown: bool,
    policy: Path | None,
    **options: object,
) -> None:
    """Test a model folder, file or archive, and write signed evidence of what was found.

    A repository on a hub (hf://owner/name, hf://datasets/owner/name@revision) is tested without downloading it: of
    large files only the parts are read that the checks need. HF_TOKEN is used as the hub's own clients do.

    Exit status: 0 no finding at the threshold, 1 findings, 2 could not do it or something stayed unknown.
    """
    chosen = Options(**options)  # type: ignore[arg-type]  # click has checked them
    if chosen.output and (len(paths) > 1 or chosen.no_output):
        raise InputError("--output goes with one PATH, and not with --no-output")
    engine = parse_engine(chosen.engine, chosen.processes or 0)
    known = (load_shipped() if policy is None else read_policy(policy)).contexts
    if context_name not in known:
        raise InputError(f"no context is called {context_name}; there are: {', '.join(known)}")
    context = known[context_name].adjusted(fail_on=Level(fail_on) if fail_on else None, allow_unknown=allow_unknown)
    for path in paths:  # a wrong path is told of before a log that cannot be opened
        if isinstance(path, Path):
            open_artifact(path, base=chosen.base)
    if not chosen.no_output:
        _try_ledger()
    statuses = [_audit(path, context, engine, chosen) for path in dict.fromkeys(paths)]
    # Findings weigh more than what could not be judged.
    ctx.exit(1 if 1 in statuses else max(statuses))


def _try_ledger() -> None:
    """Open the ledger there is: who cannot sign should know before the work, not after it."""
    if os.path.lexists(home() / TRUST):
        Ledger.open(home(), create=False, passphrase=passphrase()).close()


def _audit(path: Path | Address, context: Context, engine: Engine, options: Options) -> int:
    if isinstance(path, Address):
        if options.base is not None:
            raise InputError("--base needs the whole model: download it first, then audit the folder")
        folder = (
            None
            if options.no_output
            else _writable(options.output or Path(f"{path.repo.rpartition('/')[2]}.hallmarked"))
        )
        with _opened(path, options.endpoint) as remote:
            return _report(remote, Shown(str(path), "FOLDER", folder), context, engine, options)
    local = open_artifact(path, base=options.base)
    folder = None if options.no_output else _folder(local, options.output)
    return _report(local, Shown(str(path), shlex.quote(str(path)), folder), context, engine, options)


@contextmanager
def _opened(address: Address, endpoint: str | None) -> Iterator[Auditable]:
    try:
        from hallmarked.artifacts.remote.open import open_remote  # noqa: PLC0415 -- needs the extra "hub"
        from hallmarked.artifacts.remote.token import find_login  # noqa: PLC0415 -- likewise
    except ImportError as error:
        raise InputError("reading from a hub needs more packages: pip install 'hallmarked[hub]'") from error
    with open_remote(address, find_login(endpoint)) as artifact:
        yield artifact


@dataclass(frozen=True, slots=True)
class Shown:
    """What the user is told of what is audited."""

    name: str
    files: str
    """What the command that verifies is given."""
    folder: Path | None
    """Where report and evidence go."""


def _report(artifact: Auditable, shown: Shown, context: Context, engine: Engine, options: Options) -> int:
    artifact.beside = open_benchmarks(options.benchmarks)
    outside = _outside(options.evidence)
    with watch_progress(shown.name) as watcher:
        examination = examine(
            artifact,
            checks=options.checks or None,
            progress=watcher.done,
            engine=engine,
            meter=watcher.move,
        )
    folder = shown.folder
    report = judge(examination, context, datetime.now(UTC).replace(microsecond=0), outside=outside)
    if folder is not None:
        report = _publish(report, shown.files, folder)
    if not options.quiet or report.verdict.outcome is not Outcome.PASS:
        _print(report, options)
    if folder is not None and not options.quiet:
        click.echo(f"Report: {folder / 'report.html'}", err=options.form != "text")
    return EXIT[report.verdict.outcome]


def _outside(files: Sequence[Path]) -> list[Attestation]:
    """Read what others state. What checks of our own saw before is left out: they look again now."""
    if not files:
        return []
    own = ""
    if os.path.lexists(home() / TRUST):
        with Ledger.open(home(), create=False, passphrase=passphrase()) as ledger:
            own = ledger.key.keyid
    return [one for one in gather(files, machine_trust()) if one.keyid != own or not check_of(one.statement)]


def _folder(artifact: LocalArtifact, output: Path | None) -> Path:
    """Return where to write, which is never inside of what is audited: that would change its digest."""
    path = artifact.path.resolve()
    folder = output or path.with_name(f"{path.name}.hallmarked")
    if folder.resolve().is_relative_to(path):
        raise InputError(f"{folder} lies inside of what is audited; choose another --output")
    return _writable(folder)


def _writable(folder: Path) -> Path:
    there = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
    if not os.path.isdir(there):
        raise InputError(f"{there} is not a folder; choose another --output")
    if not os.access(there, os.W_OK):
        raise InputError(f"nothing may be written into {there}; choose another --output, or --no-output")
    return folder


def _publish(report: Report, files: str, folder: Path) -> Report:
    """Sign and log the statements, and write report and evidence."""
    verify = f"hallmarked verify {shlex.quote(str(folder / 'evidence.json'))} {files}"
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
