"""``hallmarked corpus attribute``: what texts share with data sets, word for word."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import click

from hallmarked.cli.setting import PATH
from hallmarked.core.errors import FormatError, InputError
from hallmarked.core.text import clean
from hallmarked.corpus.search.model import Attribution, Passage
from hallmarked.corpus.search.open import open_index
from hallmarked.corpus.search.word import LEAST_WORDS

MOST_BYTES = 64 << 20
"""Of one text, or of one line."""
SHOWN = 200
"""Characters of a passage that are printed."""
EXIT_COPIED = 1


@click.command()
@click.argument("indexes", nargs=-1, required=True, type=PATH, metavar="INDEX...")
@click.option("--text", help="The text itself.")
@click.option("--file", "file", type=click.Path(path_type=Path, allow_dash=True), help="A file with it; - for input.")
@click.option("--column", default="", help="The file is JSON Lines; this member of each line is a text.")
@click.option("--least", default=LEAST_WORDS, show_default=True, help="Words from which a passage counts.")
@click.option("--limit", default=5, show_default=True, help="Rows that are named for each passage.")
@click.option("--fail-on-verbatim", "fail_on", metavar="N", type=click.IntRange(1), help="Fail from N copied words on.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print.")
@click.pass_context
def command(
    ctx: click.Context, /, indexes: Sequence[Path], text: str | None, file: Path | None, column: str, **options: Any
) -> None:
    """Find every passage that a text, or each of a model's outputs, shares with the data sets of INDEX.

    A passage is a run of words that stands in a data set in the same order, and that no word before or after can be
    added to. Case, punctuation and white space do not count. JSON has one object per text on a line of its own.

    Exit status: 0 nothing was copied at the threshold (or none was given), 1 something was, 2 could not do it.
    """
    if (text is None) == (file is None):
        raise InputError("give either --text or --file")
    if column and file is None:
        raise InputError("--column goes with --file")
    opened = {str(path): open_index(path) for path in dict.fromkeys(indexes)}
    longest = 0
    for name, each in [("", text)] if text is not None else _texts(file, column):
        found = {index: one.attribute(each, options["least"], options["limit"]) for index, one in opened.items()}
        longest = max([longest, *(one.longest for one in found.values())])
        click.echo(_json(name, each, found) if options["form"] == "json" else _text(name, each, found))
    ctx.exit(EXIT_COPIED if options["fail_on"] and longest >= options["fail_on"] else 0)


def _texts(file: Path | None, column: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a file with their names."""
    assert file is not None
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as stream:
            if column:
                yield from _lines(stream, column)
            else:
                yield "", _decoded(stream.read(MOST_BYTES + 1), str(file))
    except OSError as error:
        raise InputError(f"{file} cannot be read: {(error.strerror or '').lower()}") from error


def _lines(stream: BinaryIO, column: str) -> Iterator[tuple[str, str]]:
    number = 0
    while line := stream.readline(MOST_BYTES + 1):
        number += 1
        name = f"line {number:,}"
        if not line.strip():
            continue
        try:
            value = json.loads(_decoded(line, name))[column]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise FormatError(f"{name} is no JSON object with {column!r}") from error
        if not isinstance(value, str):
            raise FormatError(f"{name}: {column!r} is not a text")
        yield name, value


def _decoded(data: bytes, name: str) -> str:
    if len(data) > MOST_BYTES:
        raise InputError(f"{name} is larger than {MOST_BYTES >> 20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8") from error


def _json(name: str, text: str, found: dict[str, Attribution]) -> str:
    body = [
        {
            "index": index, "words": one.words, "copied": one.copied, "share": round(one.share, 6), "least": one.least,
            "longest": one.longest,
            "passages": [{**asdict(each), "text": text[each.start : each.stop]} for each in one.passages],
        }
        for index, one in found.items()
    ]  # fmt: skip
    return json.dumps({"text": name, "found": body} if name else {"found": body}, ensure_ascii=False)


def _text(name: str, text: str, found: dict[str, Attribution]) -> str:
    lines = []
    for index, one in found.items():
        place = f"{name}: " if name else ""
        shared = (
            f"{one.share:.1%} of {one.words:,} words, {len(one.passages):,} passages" if one.passages else "nothing"
        )
        lines.append(f"{place}{index}: {shared} found word for word (passages of at least {one.least} words)")
        for passage in one.passages:
            lines += _passage(text, passage)
    return "\n".join(lines)


def _passage(text: str, passage: Passage) -> Iterator[str]:
    shown = " ".join(clean(text[passage.start : passage.stop]).split())
    if len(shown) > SHOWN:
        shown = f"{shown[: SHOWN // 2]} … {shown[-SHOWN // 2 :]}"
    least = "at least " if passage.bounded else ""
    yield f"  {passage.words:,} words in {least}{passage.documents:,} rows: “{shown}”"
    for place in passage.places:
        told = ", ".join(clean(part) for part in (place.source, place.licence or "no licence named") if part)
        yield f"    {place.path} row {place.row:,} ({told})"
