"""Read the rows of a data set for an index, part by part, in processes that can do nothing else.

:func:`cut` and :func:`gather` are tasks of ``hallmarked.corpus.engine``; what they return is read back by
:func:`read_cut` and :class:`Gathered`, which believe nothing of it that they did not look at.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import pyarrow as pa

from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Part
from hallmarked.core.errors import BackendError, FormatError, LimitExceeded, NotFound
from hallmarked.corpus.declaration import Columns, read_declaration
from hallmarked.corpus.search.mask import mask_texts
from hallmarked.corpus.search.model import Document, Unread
from hallmarked.corpus.search.word import fold_words
from hallmarked.corpus.table.find import Table, find_tables, table_at
from hallmarked.corpus.table.model import Part as Range
from hallmarked.corpus.table.model import Skipped
from hallmarked.corpus.text.column import documents, strings, text_columns

CUT, GATHER = (f"{__name__}:{task}" for task in ("cut", "gather"))
SOURCES = ("source", "url", "uri", "origin", "link")
"""Columns that say where a row comes from, when ``dataset.toml`` does not name one."""
LICENCES = ("licence", "license")
LONGEST_NAME = 2_000
"""Characters of a source or licence that are kept."""
SLICE_BYTES = 192 << 20
"""Bytes of a file's part from which it is read in slices, since a state is held in memory."""
PACKED = 4
"""How many times larger a file may be once it is unpacked, as a rule."""
MOST_STATE = 900 << 20
"""Bytes of a state."""
DOCUMENT, UNREAD, END = b"D", b"U", b"E"
_HEAD = struct.Struct("<QIIII")
"""Row in its part from 0; bytes of source, licence, words and text."""
_SIZE = struct.Struct("<I")
_COUNT = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which columns of a table are read."""

    texts: tuple[str, ...]
    source: str = ""
    licence: str = ""


def cut(artifact: Artifact, _part: Part, _options: Mapping[str, Any]) -> bytes:
    """Say which parts the tables of an artifact have, as JSON, a line for each.

    Raises:
        FormatError: When ``dataset.toml`` cannot be understood.
    """
    declared = read_declaration(artifact).columns
    lines = [json.dumps(part) for table in find_tables(artifact) for part in _cut_table(table, declared)]
    return "\n".join(lines).encode("utf-8", "replace")


def _cut_table(table: Table, declared: Columns) -> Iterator[Part]:
    try:
        ranges = table.cut()
        choice = _choose(table, ranges[0], declared) if ranges else Choice(())
    except (FormatError, BackendError, NotFound) as error:
        yield {"path": table.path, "broken": str(error)}
        return
    size = table.blob.size // max(1, len(ranges))
    slices = 1 + size * (PACKED if table.codec or table.format.name == "parquet" else 1) // SLICE_BYTES
    for each in ranges:
        for number in range(slices):
            yield {
                "path": table.path, "start": each.start, "stop": each.stop, "bytes": size // slices,
                "slice": number, "slices": slices, **asdict(choice),
            }  # fmt: skip


def _choose(table: Table, first: Range, declared: Columns) -> Choice:
    """Choose columns by what is declared, else by the first rows."""
    for piece in table.read(first):
        if not isinstance(piece, Skipped):
            names = set(piece.schema.names)
            source = declared.source or declared.url or next((name for name in SOURCES if name in names), "")
            licence = declared.licence or next((name for name in LICENCES if name in names), "")
            found = tuple(name for name in text_columns(piece) if name not in (source, licence))
            return Choice(declared.text or found, source, licence)
    return Choice(declared.text, declared.source or declared.url, declared.licence)


def gather(artifact: Artifact, part: Part, options: Mapping[str, Any]) -> bytes:
    """Read the documents of a part.

    Args:
        artifact: Where it lies.
        part: One of those that :func:`cut` said.
        options: ``mask`` says that personal data are taken out before anything else is done with a text.

    Raises:
        LimitExceeded: When there is too much of it for one process.
    """
    out = io.BytesIO()
    try:
        count = _gather(artifact, part, out, masked=bool(options.get("mask")))
    except (FormatError, BackendError, NotFound) as error:
        _write_unread(out, Unread(str(part["path"]), None, None, str(error)))
        count = 0
    out.write(END + _COUNT.pack(count))
    return out.getvalue()


def _gather(artifact: Artifact, part: Part, out: BinaryIO, *, masked: bool) -> int:
    path, mine, slices = str(part["path"]), int(part["slice"]), int(part["slices"])
    choice = Choice(tuple(part["texts"]), str(part["source"]), str(part["licence"]))
    numbers, number = Numbers(), 0
    for piece in table_at(artifact, path).read(Range(int(part["start"]), int(part["stop"]))):
        if isinstance(piece, Skipped):
            if mine == 0:
                row = None if piece.row is None else piece.row + 1
                _write_unread(out, Unread(path, row, piece.rows, piece.reason))
            numbers.skip(piece)
            continue
        rows = numbers.take(piece.num_rows)
        if number % slices == mine:
            _write_batch(out, piece, choice, rows, masked=masked)
            if out.tell() > MOST_STATE:
                raise LimitExceeded(f"a part of {path} holds more text than one process reads")
        number += 1
    return numbers.total


class Numbers:
    """Numbers the rows of a part, from 0, those that could not be read among them.

    A reader tells of such a row when it comes to it, and hands on the rows before it later, with a whole batch.
    """

    def __init__(self) -> None:
        self._next = 0
        self._skipped: dict[int, int] = {}
        self.total = 0
        """Rows so far."""

    def skip(self, piece: Skipped) -> None:
        """Take that rows could not be read."""
        self.total += piece.rows or 0
        if piece.row is not None and piece.rows:
            self._skipped[piece.row] = max(piece.rows, self._skipped.get(piece.row, 0))

    def take(self, count: int) -> list[int]:
        """Return the numbers of the next rows that could be read."""
        rows = []
        for _ in range(count):
            while passed := self._skipped.pop(self._next, 0):
                self._next += passed
            rows.append(self._next)
            self._next += 1
        self.total += count
        return rows


def _write_batch(out: BinaryIO, batch: pa.RecordBatch, choice: Choice, rows: Sequence[int], *, masked: bool) -> None:
    texts = documents(batch, choice.texts)
    sources, licences = (_values(batch, name) for name in (choice.source, choice.licence))
    if masked:
        texts = mask_texts(texts)
        sources, licences = (
            dict(zip(each, mask_texts(list(each.values())), strict=True)) for each in (sources, licences)
        )
    for row, (number, text) in enumerate(zip(rows, texts, strict=True)):
        # cut only here: a name that is cut before it is masked can end in half of an address, which nothing recognises
        names = (each.get(row, "")[:LONGEST_NAME] for each in (sources, licences))
        parts = [name.encode("utf-8", "replace") for name in names]
        parts += [fold_words(text), text.encode("utf-8", "replace")]
        out.write(DOCUMENT + _HEAD.pack(number, *map(len, parts)))
        out.writelines(parts)


def _values(batch: pa.RecordBatch, column: str) -> dict[int, str]:
    """Return the first string that each row has in a column."""
    values: dict[int, str] = {}
    for found in strings(batch, [column]) if column else ():
        for row, value in zip(found.rows.tolist(), found.values.to_pylist(), strict=True):
            values.setdefault(row, value)
    return values


def _write_unread(out: BinaryIO, unread: Unread) -> None:
    body = json.dumps(asdict(unread)).encode()
    out.write(UNREAD + _SIZE.pack(len(body)) + body)


def read_cut(data: bytes) -> list[Part]:
    """Read what :func:`cut` returned.

    Raises:
        FormatError: When it is nothing that it returns.
    """
    try:
        parts = [json.loads(line) for line in data.splitlines()]
    except (ValueError, RecursionError) as error:
        raise FormatError("a process sent something that is no list of parts") from error
    if not all(isinstance(part, dict) and isinstance(part.get("path"), str) for part in parts):
        raise FormatError("a process sent something that is no list of parts")
    return parts


class Gathered:
    """Reads what :func:`gather` returned, document by document.

    Args:
        stream: What it returned.
        path: The file it is from.
        first: Rows of the file that stand before the part.
    """

    def __init__(self, stream: BinaryIO, path: str, first: int) -> None:
        self._stream, self._path, self._first = stream, path, first
        self.rows = 0
        """Rows that the part has; known once it was read to its end."""

    def __iter__(self) -> Iterator[Document | Unread]:
        """Yield documents, and rows that could not be read.

        Raises:
            FormatError: When it is nothing that :func:`gather` returns.
        """
        while (kind := self._read(1)) != END:
            if kind == DOCUMENT:
                row, *sizes = _HEAD.unpack(self._read(_HEAD.size))
                source, licence, words, text = (self._read(size) for size in sizes)
                told, under, whole = (part.decode("utf-8", "replace") for part in (source, licence, text))
                yield Document(self._path, self._first + row + 1, whole, words, told, under)
            elif kind == UNREAD:
                yield self._unread(self._read(_SIZE.unpack(self._read(_SIZE.size))[0]))
            else:
                raise FormatError("a process sent something that is no row")
        (self.rows,) = _COUNT.unpack(self._read(_COUNT.size))

    def _unread(self, data: bytes) -> Unread:
        try:
            body = json.loads(data)
            row, rows = (None if body[name] is None else int(body[name]) for name in ("row", "rows"))
            return Unread(self._path, None if row is None else self._first + row, rows, str(body["reason"])[:500])
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise FormatError("a process sent something that is no row") from error

    def _read(self, size: int) -> bytes:
        if size > MOST_STATE:
            raise FormatError("a process sent something that is no row")
        data = self._stream.read(size)
        if len(data) < size:
            raise FormatError("a process sent less than it said")
        return data
