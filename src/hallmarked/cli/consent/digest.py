"""``hallmarked consent digest``: what a registry knows a file or text by."""

from __future__ import annotations

from pathlib import Path

import click

from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError
from hallmarked.corpus.consent.selector import LONGEST_TEXT, file_digest, text_digest

MOST_BYTES = 1 << 30


@click.command()
@click.argument("file", type=PATH)
@click.option("--text", is_flag=True, help="Of its text, without regard to case and white space, not of its bytes.")
def command(file: Path, text: bool) -> None:
    """Print the digest of FILE as a registry takes it, so that the content need not be sent.

    A digest alone proves nothing: an opt-out by it is confirmed by showing the content, or by hand.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{file}: {(error.strerror or 'cannot be read').lower()}") from error
    if len(data) > (LONGEST_TEXT if text else MOST_BYTES):
        raise InputError(f"{file} is larger than what is compared as one content")
    try:
        click.echo(text_digest(data.decode("utf-8")) if text else file_digest(data))
    except UnicodeDecodeError:
        raise InputError(f"{file} is not a text in UTF-8") from None
