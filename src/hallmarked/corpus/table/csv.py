"""Comma-separated values, as RFC 4180 and the programs that do not keep to it write them."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence

from hallmarked.corpus.table.column import MAX_COLUMNS, Builder
from hallmarked.corpus.table.model import ROW_BYTES, Format, Part, Piece, Skipped
from hallmarked.formats.blob import Blob

HEAD = 1 << 16
DELIMITERS = ",\t;|"
NULL = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"})
"""What common readers take as a missing value."""


def cut_csv(blob: Blob) -> Sequence[Part]:
    """Take a file as one part: a line break may stand inside of quotation marks."""
    return [Part(0, blob.size)]


def read_csv(blob: Blob, _part: Part) -> Iterator[Piece]:
    """Yield the rows below the first one, which names the columns.

    Bytes that are not UTF-8 are read as Windows-1252, which is what spreadsheets write.
    """
    with blob.open() as stream:
        text = io.TextIOWrapper(stream, encoding_of(blob.head(HEAD)), errors="cp1252", newline="")
        try:
            yield from _rows(text)
        finally:
            text.detach()


def _rows(text: io.TextIOWrapper) -> Iterator[Piece]:
    delimiter = _delimiter(text.readline(HEAD))
    text.seek(0)
    limit = csv.field_size_limit(ROW_BYTES)
    builder, number = Builder(), -1
    try:
        reader = csv.reader(text, delimiter=delimiter)
        names: list[str] | None = None
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                break
            except (csv.Error, UnicodeError) as error:
                yield Skipped(f"the row is not CSV: {error}; nothing below it was read", max(number + 1, 0), None)
                break
            if not cells:
                continue
            if names is None:
                names = _names(cells)
                if len(names) > MAX_COLUMNS:
                    yield Skipped(f"more than {MAX_COLUMNS:,} columns", None, None)
                    return
                continue
            number += 1
            if len(cells) != len(names):
                yield Skipped(f"the row has {len(cells)} fields, not {len(names)} as the first", number)
                continue
            row = {name: None if cell in NULL else cell for name, cell in zip(names, cells, strict=True)}
            yield from builder.add(row, sum(map(len, cells)))
    finally:
        csv.field_size_limit(limit)
    yield from builder.finish()


def encoding_of(head: bytes) -> str:
    """Return the encoding that a byte order mark says, else UTF-8."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _delimiter(first: str) -> str:
    return max(DELIMITERS, key=first.count) if any(mark in first for mark in DELIMITERS) else ","


def _names(cells: Sequence[str]) -> list[str]:
    """Return one name per column: empty ones are numbered, repeated ones too."""
    names: list[str] = []
    taken: set[str] = set()
    for index, cell in enumerate(cells):
        name = cell.strip() or f"column {index + 1}"
        unique, count = name, 2
        while unique in taken:
            unique, count = f"{name} ({count})", count + 1
        taken.add(unique)
        names.append(unique)
    return names


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return wrong.decode("cp1252", "replace"), error.end


codecs.register_error("cp1252", _as_cp1252)

CSV = Format("csv", cut_csv, read_csv)
