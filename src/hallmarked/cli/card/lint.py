"""``hallmarked card lint``: what is wrong with a card, and what it leaves open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from hallmarked.artifacts.source import open_artifact
from hallmarked.cards.claim import derive_claims
from hallmarked.cards.document.document import open_document
from hallmarked.cards.document.lint import lint
from hallmarked.cards.known import know
from hallmarked.cards.quality import MEANING, Quality, measure
from hallmarked.cards.template.checklist import Checklist, check, kind_and_tier
from hallmarked.cards.template.template import find_template
from hallmarked.cli.attested import EVIDENCE, attestations
from hallmarked.cli.setting import PATH
from hallmarked.core.evidence import Finding, Level
from hallmarked.core.text import clean

TEMPLATE = click.option(
    "--template", "own", type=PATH, metavar="FILE", help="Your own template, or a folder of them [ours]."
)


@click.command()
@click.argument("path", type=PATH)
@TEMPLATE
@EVIDENCE
@click.option(
    "--fail-on",
    type=click.Choice([level.value for level in Level]),
    default=Level.ERROR.value,
    show_default=True,
    help="Lowest level that fails.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.pass_context
def command(
    ctx: click.Context, path: Path, own: Path | None, evidence: Sequence[Path], fail_on: str, form: str
) -> None:
    """Say what is wrong with the card at PATH, line by line, and which questions of its template it leaves open.

    PATH is a README.md or a folder with one. The template follows from the kind and tier that the card declares under
    “hallmarked:” in its metadata; an ordinary card of the Hub is asked for the least. With the evidence of an audit it
    is also counted how many claims are borne out, by evidence how young, by others than the maker, on these very bytes.

    Exit status: 0 nothing at the threshold, 1 something, 2 could not do it.
    """
    document = open_document(path)
    template = find_template(*kind_and_tier(document), own)
    checklist = check(document, template)
    findings = [*lint(document), *checklist.findings(document.file)]
    quality = _quality(path, evidence, checklist)
    if form == "json":
        click.echo(_as_json(findings, checklist, quality))
    else:
        click.echo(_as_text(findings, checklist, document.file))
        for name, ratio in quality.named() if quality else ():
            click.echo(f"{name:12}  {ratio!s:13}  {MEANING[name]}")
    ctx.exit(int(any(finding.level.rank >= Level(fail_on).rank for finding in findings)))


def _quality(path: Path, evidence: Sequence[Path], checklist: Checklist) -> Quality | None:
    """Measure the card of a folder against what is stated about the folder; None when nothing is."""
    stated = attestations(path, evidence) if path.is_dir() else ()
    if not stated:
        return None
    time = datetime.now(UTC).replace(microsecond=0)
    known = know(stated, open_artifact(path).subject)
    return measure(checklist, derive_claims(known, time), known, time)


def _as_text(findings: Sequence[Finding], checklist: Checklist, file: str) -> str:
    rows = [f"{finding.level:7}  {finding.rule}  {clean(finding.message)}" for finding in findings]
    counts = [(what, *checklist.count(what)) for what in ("section", "field", "claim")]
    filled = ", ".join(f"{filled} of {asked} {what}s" for what, filled, asked in counts if asked)
    rows.append(f"{clean(file)}: {filled} that the template {checklist.template} asks for are filled")
    rows.append(f"template {checklist.digest}")
    return "\n".join(rows)


def _as_json(findings: Sequence[Finding], checklist: Checklist, quality: Quality | None) -> str:
    rows = [
        {
            "rule": finding.rule,
            "level": finding.level.value,
            "message": finding.message,
            "path": finding.location.path if finding.location else None,
            "line": finding.location.line if finding.location else None,
            **({"asked": finding.data["asked"]} if "asked" in finding.data else {}),
        }
        for finding in findings
    ]
    template = {"id": checklist.template, "sha256": checklist.digest, "outcome": checklist.outcome.value}
    asked = [
        {"what": item.asked.what, "id": item.asked.id, "filled": item.filled, "line": item.line}
        for item in checklist.items
    ]
    ratios = {name: {"part": ratio.part, "whole": ratio.whole} for name, ratio in quality.named()} if quality else None
    shown = {"template": template, "findings": rows, "asked": asked, "quality": ratios}
    return json.dumps(shown, ensure_ascii=False, indent=1)
