"""``hallmarked card scope``: what a thing is for, clause by clause, and how each clause stands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.living import edition
from hallmarked.audit.verify import read_file
from hallmarked.cards.held import sentence
from hallmarked.cards.known import know
from hallmarked.cards.scope.assertion import run, to_assertions
from hallmarked.cards.scope.reader import read_scope
from hallmarked.cards.scope.scope import TITLES, Clause, Scope
from hallmarked.cards.scope.standing import Stood, deviations, stand
from hallmarked.cards.status import Status
from hallmarked.checks.documentation.scope import SCOPE
from hallmarked.cli.attested import EVIDENCE, attestations
from hallmarked.cli.card.status import MARKS, UNSETTLED
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import FormatError, InputError
from hallmarked.core.evidence import Finding, Level
from hallmarked.core.text import clean
from hallmarked.formats.blob import Budget
from hallmarked.formats.document import read_json


@click.command()
@click.argument("path", type=PATH)
@EVIDENCE
@click.option("--results", type=PATH, metavar="FILE", help="Your own measurements as JSON, to hold against the scope.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "assertions"]),
    default="text",
    help="How to print; assertions: what an evaluator can run.",
)
@click.pass_context
def command(ctx: click.Context, path: Path, evidence: Sequence[Path], results: Path | None, form: str) -> None:
    """Show what the scope at PATH says, and how each clause stands against the evidence.

    PATH is a folder with a scope.yaml, or the file alone: then nothing is known but what --results holds, a list of
    measurements (metric, value, n, interval, slice), as an evaluator has them who was given nothing but the scope.

    Exit status: 0 nothing deviates, 1 something measured is worse than the scope says, 2 the scope cannot be read, or
    a clause cannot be told.
    """
    file = path / SCOPE if path.is_dir() else path
    try:
        scope, problems = read_scope(read_file(file), str(file))
    except FormatError as error:
        raise InputError(f"{file}: {error}") from error
    if form == "assertions":
        click.echo(json.dumps(to_assertions(scope), ensure_ascii=False, indent=1))
        ctx.exit(2 if _errors(problems) else 0)
    time = datetime.now(UTC).replace(microsecond=0)
    if results is not None:
        stood = run(scope, read_results(results))
    elif path.is_dir():
        known = know(attestations(path, evidence), open_artifact(path).subject, edition=edition())
        stood = stand(scope, known, time)
    else:
        stood = stand(scope, know(attestations(path, evidence)), time)
    found = [*problems, *deviations(scope, stood)]
    click.echo(_as_json(scope, stood, found) if form == "json" else "\n".join(_as_text(scope, stood, problems)))
    ctx.exit(_status(stood, problems))


def read_results(path: Path) -> list[Mapping[str, Any]]:
    """Read an evaluator's own measurements: a list, or an object with ``measurements``.

    Raises:
        InputError: When the file holds something else.
    """
    data = read_file(path)
    try:
        document = read_json(data, Budget(len(data)))
    except FormatError as error:
        raise InputError(f"{path}: {error}") from error
    listed = document.get("measurements") if isinstance(document, dict) else document
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        raise InputError(f"{path} holds no list of measurements, each with metric and value")
    return listed


def _errors(problems: Sequence[Finding]) -> bool:
    return any(finding.level is Level.ERROR for finding in problems)


def _status(stood: Sequence[Stood], problems: Sequence[Finding]) -> int:
    if any(one.deviates for one in stood):
        return 1
    return 2 if _errors(problems) or any(one.status in UNSETTLED for one in stood) else 0


def _as_text(scope: Scope, stood: Sequence[Stood], problems: Sequence[Finding]) -> Iterator[str]:
    yield clean(f"Scope, version {scope.version or 'not given'}")
    for group, title in TITLES.items():
        rows = [one for one in stood if one.clause.group == group]
        if rows:
            yield title
        for one in rows:
            yield clean(f"  {_mark(one)} {_said(one.clause)}  [{one.clause.reference}]")
            if one.clause.requirement is not None:
                for each in one.standings:
                    yield clean(f"      {each.status.value}: {each.reason}")
    missing = [title for group, title in TITLES.items() if not scope.of_group(group)]
    if missing:
        yield f"Nothing is said about: {', '.join(missing)}"
    for finding in problems:
        yield clean(f"{finding.level:7}  {finding.rule}  {finding.message}")
    yield f"sha256:{scope.digest}"


def _mark(one: Stood) -> str:
    return MARKS[one.status] if one.clause.requirement is not None else "·"


def _said(clause: Clause) -> str:
    if clause.text:
        return clause.text.get("en") or next(iter(clause.text.values()))
    if clause.requirement is not None:
        return sentence(clause.requirement)
    limit = ", ".join(f"at most {most} {unit}" for unit, most in clause.limit.items())
    return clause.language or f"{clause.modality}{f', {limit}' if limit else ''}"


def _as_json(scope: Scope, stood: Sequence[Stood], found: Sequence[Finding]) -> str:
    rows = [
        {
            "clause": one.clause.reference,
            "group": one.clause.group,
            "text": dict(one.clause.text),
            "status": one.status.value if one.clause.requirement is not None else Status.SELF_ASSERTED.value,
            "standings": [{"status": each.status.value, "reason": each.reason} for each in one.standings],
            "evidence": list(dict.fromkeys(item.statement for item in one.evidence if item.statement)),
        }
        for one in stood
    ]
    findings = [{"rule": each.rule, "level": each.level.value, "message": each.message} for each in found]
    said = {"version": scope.version, "digest": {"sha256": scope.digest}, "clauses": rows, "findings": findings}
    return json.dumps(said, ensure_ascii=False, indent=1)
