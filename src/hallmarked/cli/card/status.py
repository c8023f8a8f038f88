"""``hallmarked card status``: how each claim of a card stands right now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.living import look
from hallmarked.cards.status import Status
from hallmarked.cards.summary import Line, Summary, summarise_card, to_json
from hallmarked.cards.system import inherit
from hallmarked.cards.system import to_json as parts_json
from hallmarked.cards.system import to_text as parts_text
from hallmarked.cli.attested import EVIDENCE, attestations
from hallmarked.cli.setting import PATH
from hallmarked.core.text import clean

MARKS = {
    Status.CONTRADICTED: "✗",
    Status.DISPUTED: "!",
    Status.WITHDRAWN: "-",
    Status.STALE: "~",
    Status.SUPPORTED: "✓",
    Status.UNKNOWN: "?",
    Status.NOT_EVALUATED: "?",
    Status.SELF_ASSERTED: "○",
}
UNSETTLED = (Status.DISPUTED, Status.STALE, Status.UNKNOWN)
"""Statuses that leave open whether a claim that was backed once, or should be, still is."""
MOST = 40
"""Claims that only the card makes which are shown, unless all are asked for."""


@click.command()
@click.argument("path", type=PATH)
@EVIDENCE
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.option("-v", "--verbose", is_flag=True, help="Show every claim, with the statements that were compared with it.")
@click.pass_context
def command(ctx: click.Context, path: Path, evidence: Sequence[Path], form: str, verbose: bool) -> None:
    """Say how each claim of the card at PATH stands: what backs it, who says so, how old that is, what would renew it.

    The evidence of the last audit (PATH.hallmarked/evidence.json) and what --evidence names are read; nothing is
    stored. Claims turn stale by themselves when files, checks or time move on.

    Exit status: 0 nothing speaks against the card, 1 a claim is contradicted, 2 a claim is stale, disputed or cannot be
    told, or there is no card.
    """
    stated = attestations(path, evidence)
    time = datetime.now(UTC).replace(microsecond=0)
    known = look(open_artifact(path), stated, time)
    summary = summarise_card(known, time)
    parts = inherit(known, stated)
    if form == "json":
        click.echo(json.dumps(to_json(summary) | parts_json(parts), ensure_ascii=False, indent=1))
    else:
        click.echo("\n".join([*_as_text(summary, path, verbose), *parts_text(parts)]))
    ctx.exit(_status(summary))


def _status(summary: Summary) -> int:
    if summary.counts.get(Status.CONTRADICTED):
        return 1
    return 2 if not summary.lines or any(summary.counts.get(status) for status in UNSETTLED) else 0


def _as_text(summary: Summary, path: Path, verbose: bool) -> Iterator[str]:
    if not summary.lines:
        yield f"{path}: no card here claims anything that evidence could bear out; see hallmarked card new"
    quiet = (Status.SELF_ASSERTED, Status.NOT_EVALUATED)
    shown = 0
    for line in summary.lines:
        shown += line.status in quiet
        if verbose or line.status not in quiet or shown <= MOST:
            yield from _claim(line, verbose)
    if shown > MOST and not verbose:
        yield f"… and {shown - MOST} more that only the card says (-v shows them)"
    if summary.outside:
        yield "What others measured"
    for one in summary.outside:
        fact = one.fact
        part = ", ".join(f"{key} {value}" for key, value in fact.place)
        bounds = f" ({fact.interval[0]} to {fact.interval[1]})" if fact.interval else ""
        counted = f", n {fact.n:,}" if fact.n is not None else ""
        said = f"{fact.path}{f' for {part}' if part else ''} = {fact.value}{bounds}{counted}"
        who = fact.source.signer or fact.source.role or "nobody that is known here"
        yield clean(f"  {said}, by {who}: {'; '.join(one.words)}")
    counts = ", ".join(f"{count} {status.value}" for status, count in summary.counts.items())
    if counts:
        yield f"{counts}"


def _claim(line: Line, verbose: bool) -> Iterator[str]:
    claim = line.claim
    also = f" (also {', '.join(one.status.value for one in line.others)})" if line.others else ""
    yield clean(f"{MARKS[claim.status]} {claim.status.value + also:16} {claim.text}  [{claim.id}]")
    if claim.status is not Status.SELF_ASSERTED or verbose:
        yield clean(f"    {claim.reason}")
    for one in line.others:
        yield clean(f"    {one.status.value}: {one.reason}")
    for source in line.sources if verbose else line.sources[:1]:
        how = f"check {source.how}, " if source.how else ""
        yield clean(f"    {how}{source.who}, {source.days} days ago, {source.statement}")
    if line.until:
        yield f"    until {line.until:%Y-%m-%d}"
    if line.renew:
        yield clean(f"    what would help: {line.renew}")
