"""``hallmarked card translate``: a file for somebody to translate, and the same again when the card has changed."""

from __future__ import annotations

from pathlib import Path

import click

from hallmarked.audit.audit import write
from hallmarked.cards.document.document import CARD, open_document, read_document
from hallmarked.cards.translation import (
    align,
    blocks_of,
    name_of,
    progress,
    read_translation,
    source_language,
    write_translation,
)
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError


@click.command()
@click.argument("path", type=PATH)
@click.option("--lang", "language", required=True, metavar="TAG", help="Language to translate into, such as es.")
@click.option("--machine", default="", metavar="NAME", help="Name of the program that translates, if one does.")
@click.option("--current", is_flag=True, help="Say that you looked at what is out of date, and it is right again.")
def translate(path: Path, language: str, machine: str, current: bool) -> None:
    """Begin the translation of the card at PATH, or bring the one there is up to date.

    Writes README.TAG.md beside the card: every block that nobody translated is there in the words of the card, to be
    written over. What was translated stays. Running it again after a change adds what is new.
    """
    card = open_document(path if path.is_file() else path / CARD)
    own = source_language(card.data)
    if language.lower() == own.lower():
        raise InputError(f"{card.file} is in {own} already")
    source = blocks_of(card)
    file = Path(name_of(card.file, language))
    old = open_document(file) if file.exists() else None
    if old is None and current:
        raise InputError(f"there is no {file} yet that could be right again")
    data = write_translation(source, language, old, machine=machine, current=current)
    write(file.parent, {file.name: data})
    seen = progress(align(source, read_translation(read_document(data, str(file))), own))
    click.echo(
        f"{file}: {seen.translated} blocks translated, {seen.stale} out of date, {seen.untranslated} to be translated"
    )
