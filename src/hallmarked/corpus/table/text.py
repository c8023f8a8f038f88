"""Plain texts: a line is a row."""

from __future__ import annotations

from collections.abc import Iterator

from hallmarked.corpus.table.column import Builder
from hallmarked.corpus.table.line import cut_lines, read_lines
from hallmarked.corpus.table.model import Format, Part, Piece, Skipped
from hallmarked.formats.blob import Blob


def read_text(blob: Blob, part: Part) -> Iterator[Piece]:
    """Yield the lines of a part as the column ``text``; empty ones too, since loaders keep them."""
    builder = Builder()
    for line in read_lines(blob, part):
        if isinstance(line, Skipped):
            yield line
            continue
        try:
            text = line.data.decode("utf-8")
        except UnicodeDecodeError:
            yield Skipped("the row is not UTF-8", line.number)
        else:
            yield from builder.add({"text": text}, len(line.data))
    yield from builder.finish()


TEXT = Format("text", cut_lines, read_text)
