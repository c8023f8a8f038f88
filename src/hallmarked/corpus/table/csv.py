"""Comma-separated values, as RFC 4180 and the programs that do not keep to it write them."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from hallmarked.core.errors import FormatError
from hallmarked.corpus.table.column import MAX_COLUMNS
from hallmarked.corpus.table.line import read_some
from hallmarked.corpus.table.model import BATCH_BYTES, BATCH_ROWS, ROW_BYTES, Format, Part, Piece, Skipped
from hallmarked.formats.blob import Blob

HEAD = 1 << 16
CHUNK = 1 << 20
DELIMITERS = ",\t;|"
NULL = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""What common readers take as a missing value."""
MOST_ERRORS = 1_000
"""Rows that are no CSV, after which the rest is given up."""
WIDE_SHARE = 0.3
"""Share of zero bytes in every other place from which a text without a mark is taken for UTF-16."""


def cut_csv(blob: Blob) -> Sequence[Part]:
    """Take a file as one part: a line break may stand inside of quotation marks."""
    return [Part(0, blob.size)]


def read_csv(blob: Blob, _part: Part) -> Iterator[Piece]:
    """Yield the rows below the first one, which names the columns.

    Bytes that are not UTF-8 are read as Windows-1252, which is what spreadsheets write, and said to be.
    """
    yield from _Reader(_Lines(blob)).read()


@dataclass(slots=True)
class _Lines:
    """The lines of a file as texts, whatever they are encoded in, ends included."""

    blob: Blob
    encoding: str = "Windows-1252"
    foreign: int | None = None
    """The row at which something else than UTF-8 was met."""
    row: int = 0
    """The row that is being read."""
    long: list[int] = field(default_factory=list)
    """Rows with a line that no memory would hold; it was left out."""

    def __iter__(self) -> Iterator[str]:
        for line in self._split():
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError:
                if self.foreign is None:
                    self.foreign = self.row
                yield line.decode("cp1252", "replace")

    def _split(self) -> Iterator[bytes]:
        """Yield lines, which end with a line feed, a carriage return or both; one that is too long is left out."""
        rest, skipping = b"", False
        for chunk in self._chunks():
            lines = (rest + chunk).splitlines(keepends=True)
            rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
            for line in lines:
                if not skipping:
                    yield line
                skipping = False
            if len(rest) > ROW_BYTES:
                rest = b""
                if not skipping:
                    self.long.append(self.row)
                skipping = True
        if rest and not skipping:
            yield rest

    def _chunks(self) -> Iterator[bytes]:
        with self.blob.open() as stream:
            head = read_some(stream, HEAD)
            decoder = wide_decoder(head)
            if decoder is not None:
                self.encoding, self.foreign = "UTF-16", 0
            chunk = head.removeprefix(codecs.BOM_UTF8)
            while chunk:
                yield chunk if decoder is None else decoder.decode(chunk).encode("utf-8", "replace")
                chunk = read_some(stream, CHUNK)


class _Reader:
    """Rows out of lines."""

    def __init__(self, lines: _Lines) -> None:
        self.lines = lines
        self._rows: list[list[str]] = []
        self._size = 0
        self._names: list[str] | None = None
        self._told = False

    def read(self) -> Iterator[Piece]:
        """Yield batches, and what is no row."""
        limit = csv.field_size_limit(ROW_BYTES)
        try:
            yield from self._read()
        finally:
            csv.field_size_limit(limit)
        yield from self._foreign()
        yield from self._finish()

    def _read(self) -> Iterator[Piece]:
        source = iter(self.lines)
        try:
            first = next(source, "")
            reader = csv.reader(_chain(first, source), delimiter=_delimiter(first[:HEAD]))
            errors = 0
            while errors < MOST_ERRORS:
                try:
                    for cells in reader:
                        yield from self._take(cells)
                    yield from self._long()
                    return
                except csv.Error as error:
                    errors += 1
                    yield Skipped(f"the row is not CSV: {error}", self.lines.row, None)
                    self.lines.row += 1
            yield Skipped("too many rows are not CSV; nothing below was read", self.lines.row, None)
        except FormatError as error:  # what unfolds breaks off
            yield Skipped(f"{error}; nothing below was read", self.lines.row, None)

    def _take(self, cells: list[str]) -> Iterator[Piece]:
        yield from self._long()
        yield from self._foreign()
        if not cells:
            return
        if self._names is None:
            if len(cells) > MAX_COLUMNS:
                raise FormatError(f"more than {MAX_COLUMNS:,} columns")
            self._names = _named(cells)
            return
        if len(cells) != len(self._names):
            yield Skipped(f"the row has {len(cells)} fields, not {len(self._names)} as the first", self.lines.row)
        else:
            self._rows.append(cells)
            self._size += sum(map(len, cells))
            if len(self._rows) >= BATCH_ROWS or self._size >= BATCH_BYTES:
                yield from self._finish()
        self.lines.row += 1

    def _long(self) -> Iterator[Skipped]:
        """Tell of rows that were left out since the last one."""
        for row in self.lines.long:
            yield Skipped(f"the row is longer than {ROW_BYTES >> 20} MiB", row)
        self.lines.row += len(self.lines.long)
        self.lines.long.clear()

    def _foreign(self) -> Iterator[Skipped]:
        """Tell once of bytes that are not UTF-8."""
        if self.lines.foreign is not None and not self._told:
            self._told = True
            yield Skipped(f"bytes that are not UTF-8 were read as {self.lines.encoding}", self.lines.foreign, 0)

    def _finish(self) -> Iterator[pa.RecordBatch]:
        if self._rows and self._names:
            columns = [pa.array(column, pa.string()) for column in zip(*self._rows, strict=True)]
            missing = pa.array(NULL, pa.string())
            columns = [
                pc.replace_with_mask(each, pc.is_in(each, missing), pa.scalar(None, pa.string())) for each in columns
            ]
            yield pa.RecordBatch.from_arrays(columns, names=self._names)
        self._rows, self._size = [], 0


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def wide_decoder(head: bytes) -> codecs.IncrementalDecoder | None:
    """Return what decodes a text of two bytes per character, by its mark or by its zeros; None for others."""
    name = None
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "utf-16"
    else:
        pairs = len(head) // 2
        if pairs and head[1::2].count(0) > WIDE_SHARE * pairs > head[::2].count(0):
            name = "utf-16-le"
        elif pairs and head[::2].count(0) > WIDE_SHARE * pairs > head[1::2].count(0):
            name = "utf-16-be"
    return codecs.getincrementaldecoder(name)("replace") if name else None


def _delimiter(first: str) -> str:
    return max(DELIMITERS, key=first.count) if any(mark in first for mark in DELIMITERS) else ","


def _named(cells: Sequence[str]) -> list[str]:
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


CSV = Format("csv", cut_csv, read_csv)
