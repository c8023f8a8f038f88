"""``hallmarked card render``: a card with what its claims are worth."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.attested import beside
from hallmarked.audit.audit import write
from hallmarked.cards.document.document import CARD, open_document
from hallmarked.cards.known import know
from hallmarked.cards.language import check_tag
from hallmarked.cards.translation import Translation, language_of, read_translation
from hallmarked.cards.view.card import Look, make_view
from hallmarked.cards.view.format import RENDERERS
from hallmarked.cli.attested import EVIDENCE, attestations
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Subject


@click.command()
@click.argument("path", type=PATH)
@click.option(
    "--view",
    type=click.Choice([look.value for look in Look]),
    default=Look.TECHNICAL.value,
    show_default=True,
    help="All of it, in plain language, or on one page.",
)
@click.option("--lang", "language", default="", metavar="TAG", help="Language to show it in, such as es.")
@EVIDENCE
@click.option("--format", "form", type=click.Choice(list(RENDERERS)), default="html", show_default=True)
@click.option("--output", type=PATH, help="The file to write [standard output].")
def render(path: Path, view: str, language: str, evidence: Sequence[Path], form: str, output: Path | None) -> None:
    """Show the card at PATH, a folder or its README.md, with the status of everything it claims.

    Numbers and statuses come from the evidence of an audit and of others; the HTML is one file that asks nobody for
    anything, and prints.
    """
    if language:
        check_tag(language)
    folder = path.parent if path.is_file() else path
    document = open_document(path if path.is_file() else folder / CARD)
    stated = attestations(folder, evidence)
    subject = open_artifact(folder).subject if stated else Subject(folder.resolve().name, {})
    shown = make_view(
        document,
        know(stated, subject),
        subject,
        datetime.now(UTC).replace(microsecond=0),
        look=Look(view),
        language=language,
        translations=_translations(folder, Path(document.file).name),
    )
    proof = (*beside(folder), *evidence)
    commands = [f"hallmarked verify {shlex.quote(str(file))} {shlex.quote(str(folder))}" for file in proof]
    text = RENDERERS[form](shown, language, commands)
    if output is None:
        click.echo(text, nl=False)
    else:
        write(output.parent, {output.name: text.encode()})
        click.echo(f"Card: {output}", err=True)


def _translations(folder: Path, card: str) -> list[Translation]:
    """Read the translations beside a card.

    Raises:
        InputError: When one says another language than its name does.
    """
    found = []
    for file in sorted(folder.glob("*.md")):
        tag = language_of(file.name, card)
        if tag:
            translation = read_translation(open_document(file))
            if translation.language != tag:
                raise InputError(f"{file} says that it is in {translation.language}, and its name says {tag}")
            found.append(translation)
    return found
