"""``hallmarked card prompts``: what different system prompts lead to, side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.living import look
from hallmarked.cards.prompt import Cell, Standing, Table, compare_prompts
from hallmarked.cards.system import inherit
from hallmarked.cli.attested import EVIDENCE, attestations
from hallmarked.cli.option import FORMAT
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Subject
from hallmarked.core.text import clean

PROMPT = "prompt"


@click.command()
@click.argument("path", type=PATH)
@EVIDENCE
@FORMAT
@click.pass_context
def command(ctx: click.Context, path: Path, evidence: Sequence[Path], form: str) -> None:
    """Compare what was measured under each system prompt that the card at PATH lists, and under earlier ones.

    Results come from evidence: whoever probes a prompt states them (hallmarked attest result) with its digest in the
    slice, prompt = "sha256:…". A prompt that changed has another digest, so that its old row is stale.

    Exit status: 0 every prompt was probed, 2 one was not.
    """
    stated = attestations(path, evidence)
    known = look(open_artifact(path), stated, datetime.now(UTC).replace(microsecond=0))
    parts = [part for part in inherit(known, stated) if part.kind == PROMPT]
    prompts = [Subject(part.name, part.subject.digest) for part in parts if part.subject is not None]
    if not prompts:
        raise InputError(f"the card at {path} lists no prompt with its digest among the components of a system")
    table = compare_prompts(stated, prompts)
    click.echo(
        json.dumps(_document(table), ensure_ascii=False, indent=1) if form == "json" else "\n".join(_lines(table))
    )
    ctx.exit(2 if any(row.standing is Standing.NOT_EVALUATED for row in table.rows) else 0)


def _lines(table: Table) -> Iterator[str]:
    for row in table.rows:
        yield clean(f"{row.standing.value:<14} {row.name or 'no longer part of it'}  sha256:{row.digest[:12]}…")
        for column in table.columns:
            for cell in row.cells.get(column, ()):
                yield clean(f"    {column} = {_said(cell)}, by {cell.by}, {cell.source.id}")
    yield ""
    yield from (clean(table.difference(column)) for column in table.columns)


def _said(cell: Cell) -> str:
    unit = f" {cell.unit}" if cell.unit else ""
    bounds = f" ({cell.interval[0]} to {cell.interval[1]})" if len(cell.interval) == 2 else ""
    return f"{cell.value}{unit}{bounds}{'' if cell.n is None else f', n {cell.n:,}'}"


def _document(table: Table) -> dict[str, object]:
    return {
        "differences": {column: table.difference(column) for column in table.columns},
        "prompts": [
            {
                "name": row.name,
                "sha256": row.digest,
                "standing": row.standing.value,
                "measured": {
                    column: [
                        {"value": cell.value, "n": cell.n, "interval": list(cell.interval), "statement": cell.source.id}
                        for cell in cells
                    ]
                    for column, cells in row.cells.items()
                },
            }
            for row in table.rows
        ],
    }
