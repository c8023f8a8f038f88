"""``hallmarked card gaps``: what nobody evaluated."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.living import look
from hallmarked.cards.claim import derive_claims
from hallmarked.cards.document.document import CARD, open_document
from hallmarked.cards.matrix import Ask, Cell, Matrix, State, compare, of_claims, of_context, of_template, to_json
from hallmarked.cards.template.checklist import kind_and_tier
from hallmarked.cards.template.template import find_template
from hallmarked.cli.attested import EVIDENCE, attestations
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError
from hallmarked.core.text import clean, name_part
from hallmarked.policy.file import contexts

MARKS = {State.EVALUATED: "✓", State.STALE: "~", State.UNDERPOWERED: "?", State.NOT_EVALUATED: "·"}


@click.command()
@click.argument("path", type=PATH)
@EVIDENCE
@click.option("--context", "names", multiple=True, metavar="NAME", help="What it shall be used for; may be repeated.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.pass_context
def command(ctx: click.Context, path: Path, evidence: Sequence[Path], names: Sequence[str], form: str) -> None:
    """Show what the card at PATH, its scope, its template and contexts ask to be measured, against what is there.

    A cell says whether something was measured: on these bytes, recently, at enough examples, by somebody whose word
    counts. Whether it is good enough say the claims (card status) and decisions (policy decide).

    Exit status: 0 everything was evaluated, 2 something was not.
    """
    known_contexts = contexts()
    for name in names:
        if name not in known_contexts:
            raise InputError(f"no context is called {name}; there are: {', '.join(known_contexts)}")
    time = datetime.now(UTC).replace(microsecond=0)
    known = look(open_artifact(path), attestations(path, evidence), time)
    claims = derive_claims(known, time)
    asks: list[Ask] = list(of_claims(claims))
    if path.is_dir() and (path / CARD).is_file():
        asks += of_template(find_template(*kind_and_tier(open_document(path / CARD))), claims)
    for name in names:
        asks += of_context(known_contexts[name])
    matrix = compare(asks, known, time)
    click.echo(
        json.dumps(to_json(matrix), ensure_ascii=False, indent=1) if form == "json" else "\n".join(_as_text(matrix))
    )
    ctx.exit(2 if matrix.gaps else 0)


def _as_text(matrix: Matrix) -> Iterator[str]:
    if not matrix.cells:
        yield "Nobody asks for anything to be measured: the card declares no claim, and no --context was named."
    for cell in matrix.cells:
        yield clean(
            f"{MARKS[cell.state]} {cell.state.value:14} {_name(cell)}  (asked for by {', '.join(cell.asked_by)})"
        )
        if cell.state is not State.EVALUATED:
            yield clean(f"    {cell.reason}")
        for part, state in cell.parts:
            yield clean(f"    {MARKS[state]} {state.value:14} {', '.join(f'{key} {value}' for key, value in part)}")
    counts = ", ".join(f"{count} {state.value}" for state, count in matrix.counts.items())
    if counts:
        yield counts


def _name(cell: Cell) -> str:
    if isinstance(cell.slice, str):
        return f"{cell.path}, every part"
    part = name_part(cell.slice)
    return f"{cell.path}{f', {part}' if part else ''}"
