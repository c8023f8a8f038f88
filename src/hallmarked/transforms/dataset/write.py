"""The second look at the rows of a source: write those that stay, and account for those that do not.

Runs in confined processes (``corpus.engine``), which hand back packets:

============ ==========================================================================================================
``shard``    bytes of a file with rows, several times
``changes``  a gzip member (RFC 1952) of JSON Lines: one for each row that was removed or changed
``contents`` 32 bytes for each different content of the rows that stay, as they were read and as they were written
``expired``  32 bytes for each different content of the rows that may not be kept any more
``redacted`` in the head: how many values of each kind were replaced; ``changed``: in how many rows
``kept``     in the head: rows that were written; with ``shards`` in each of the files
``groups``   in the head: rows by the values of the group columns and by what became of them
============ ==========================================================================================================
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Part
from hallmarked.core.errors import FormatError
from hallmarked.corpus.proof.identifier import content_digest
from hallmarked.corpus.text.column import strings
from hallmarked.transforms.dataset.filter import column_at
from hallmarked.transforms.dataset.packet import Packet
from hallmarked.transforms.dataset.plan import Plan, read_plan
from hallmarked.transforms.dataset.recipe import EXPIRED, REDACTED, UNREAD
from hallmarked.transforms.dataset.redact import redact
from hallmarked.transforms.dataset.row import Piece, digests_of, pieces_of, read_piece, texts_of
from hallmarked.transforms.dataset.value import row_line, value_text

WRITE = "hallmarked.transforms.dataset.write:write"
"""Name of the task for ``corpus.engine``."""
LEVEL = 10
"""Of Zstandard; the library's version is pinned, so that equal rows give equal bytes."""
MOST_VALUES = 200
"""Different values of a group column; the rest counts as one."""
REST = "(others)"
NONE = "(none)"
LONGEST_VALUE = 80


class Writer(Protocol):
    """Collects rows of a file."""

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows."""

    def finish(self) -> bytes:
        """Return the file."""


class LineWriter:
    """JSON Lines, compressed with Zstandard (RFC 8878)."""

    def __init__(self, _schema: pa.Schema) -> None:
        self._compressor = zstandard.ZstdCompressor(level=LEVEL).compressobj()
        self._parts: list[bytes] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows."""
        for row in batch.to_pylist():
            self._parts.append(self._compressor.compress(row_line(row)))

    def finish(self) -> bytes:
        """Return the file."""
        return b"".join((*self._parts, self._compressor.flush()))


class ParquetWriter:
    """Parquet, pages compressed with Zstandard."""

    def __init__(self, schema: pa.Schema) -> None:
        self._sink = pa.BufferOutputStream()
        self._writer = pq.ParquetWriter(self._sink, schema, compression="zstd", store_schema=True)
        self._waiting: list[pa.RecordBatch] = []
        self._schema = schema

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows; they become a group when there are many of them."""
        self._waiting.append(batch)
        if sum(each.num_rows for each in self._waiting) >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting, self._schema))
            self._waiting = []

    def finish(self) -> bytes:
        """Return the file."""
        self._flush()
        self._writer.close()
        data: bytes = self._sink.getvalue().to_pybytes()
        return data


GROUP_ROWS = 16_384
WRITERS: Mapping[str, type[LineWriter] | type[ParquetWriter]] = {"jsonl.zst": LineWriter, "parquet": ParquetWriter}


@dataclass(slots=True)
class Shards:
    """Files of about equal size."""

    plan: Plan
    schema: pa.Schema
    done: list[tuple[bytes, int]] = field(default_factory=list)
    _writer: Writer | None = None
    _size: int = 0
    _rows: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows."""
        if not batch.num_rows:
            return
        if self._writer is None:
            self._writer = WRITERS[self.plan.format](self.schema)
        self._writer.add(batch)
        self._size += batch.nbytes
        self._rows += batch.num_rows
        if self._size >= self.plan.shard_bytes:
            self.finish()

    def finish(self) -> None:
        """Close the current file."""
        if self._writer is not None:
            self.done.append((self._writer.finish(), self._rows))
        self._writer, self._size, self._rows = None, 0, 0


@dataclass(slots=True)
class _Account:
    """What became of the rows of a part."""

    plan: Plan
    contents: set[bytes] = field(default_factory=set)
    expired: set[bytes] = field(default_factory=set)
    changed: dict[int, Counter[str]] = field(default_factory=dict)
    """Rows that were redacted, and how many values of which kind."""
    groups: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)

    def count(self, batch: pa.RecordBatch, marks: Sequence[int]) -> None:
        """Count rows by group and by what became of them."""
        for name in self.plan.group:
            counts = self.groups.setdefault(name, {})
            try:
                values = column_at(batch, name).to_pylist()
            except KeyError:
                values = [None] * batch.num_rows
            for value, mark in zip(values, marks, strict=True):
                shown = _shown(value)
                if shown not in counts and len(counts) >= MOST_VALUES:
                    shown = REST
                counts.setdefault(shown, Counter())[self.plan.reasons[mark - 1] if mark else "kept"] += 1

    def keep(self, batch: pa.RecordBatch, texts: Sequence[str]) -> None:
        """Note the contents of rows that stay: the text of each, and each of its texts."""
        self.contents.update(digests_of(texts))
        if len(self.plan.texts) > 1 or any(not name.isidentifier() for name in self.plan.texts):
            for found in strings(batch, self.plan.texts):
                self.contents.update(content_digest(text) for text in found.values.to_pylist())


def _shown(value: Any) -> str:
    if value is None:
        return NONE
    text = value_text(value)
    return text if len(text) <= LONGEST_VALUE else REST


def write(artifact: Artifact, part: Part, options: Mapping[str, Any]) -> bytes:
    """Write the rows of some pieces of a source that stay."""
    plan = read_plan(options["plan"])
    schema = read_schema(options["fields"], plan)
    marks = np.frombuffer(zlib.decompress(base64.b64decode(part["marks"])), np.uint8)
    pieces, firsts = pieces_of(part), part["firsts"]
    shards, account = Shards(plan, schema), _Account(plan)
    at, starts = 0, []
    for piece in pieces:
        starts.append(at)
        for batch in read_piece(artifact, piece):
            own = marks[at : at + batch.num_rows]
            if len(own) < batch.num_rows:
                raise FormatError(f"{piece.path} has more rows than before: it changed while it was read")
            _take(batch, own, at, shards, account)
            at += batch.num_rows
    if at != len(marks):
        raise FormatError("a source has fewer rows than before: it changed while it was read")
    shards.finish()
    lines = _changes(_Rows(plan, pieces, firsts, starts, marks), part, account.changed)
    head = {
        "kept": sum(rows for _, rows in shards.done),
        "shards": [rows for _, rows in shards.done],
        "groups": account.groups,
        "changed": len(account.changed),
        "redacted": sum(account.changed.values(), Counter[str]()),
    }
    blobs = [("shard", data) for data, _ in shards.done]
    blobs.append(("changes", _compress(lines)))
    blobs.append(("contents", b"".join(sorted(account.contents))))
    blobs.append(("expired", b"".join(sorted(account.expired))))
    return Packet(head, blobs).dump()


def _take(batch: pa.RecordBatch, marks: Any, at: int, shards: Shards, account: _Account) -> None:
    plan = shards.plan
    account.count(batch, marks.tolist())
    expired = np.flatnonzero(marks == plan.mark(EXPIRED))
    if len(expired):
        account.expired.update(digests_of(texts_of(batch.take(expired), plan.texts)))
    kept = batch.filter(pa.array(marks == 0))
    if not kept.num_rows:
        return
    account.keep(kept, texts_of(kept, plan.texts))
    written, counts = redact(plan, kept)
    if counts:
        rows = np.flatnonzero(marks == 0)
        for row, kinds in counts.items():
            account.changed[at + int(rows[row])] = kinds
        account.keep(written, texts_of(written, plan.texts))
    shards.add(shape(written, shards.schema, plan))


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a part, and what marks them."""

    plan: Plan
    pieces: Sequence[Piece]
    firsts: Sequence[int]
    """The number of the first row of each piece in its file."""
    starts: Sequence[int]
    """How many rows were read before each piece."""
    marks: Any


def _changes(rows: _Rows, part: Part, changed: Mapping[int, Mapping[str, int]]) -> Iterator[Mapping[str, Any]]:
    """Yield what became of each row that does not stay as it was, in the order of the rows."""
    originals = {int(row): place for row, *place in part.get("originals", ())}
    for piece, first, start in zip(rows.pieces, rows.firsts, rows.starts, strict=True):
        said: list[tuple[int, dict[str, Any]]] = []
        numbers = piece.numbers()
        for index, mark in enumerate(rows.marks[start : start + piece.read].tolist()):
            line = _said(rows.plan, mark, originals.get(start + index), changed.get(start + index))
            if line:
                said.append((int(numbers[index]), line))
        reasons = dict(piece.reasons)
        said += [(place, {"did": "removed", "why": UNREAD, "detail": reasons.get(place, "")}) for place in piece.unread]
        for place, line in sorted(said, key=lambda each: each[0]):
            yield {"source": rows.plan.source, "path": piece.path, "row": first + place, **line}


def _said(
    plan: Plan, mark: int, original: Sequence[Any] | None, kinds: Mapping[str, int] | None
) -> dict[str, Any] | None:
    """Say what became of a row; None when it stays as it was."""
    if not mark:
        return {"did": "changed", "why": REDACTED, "values": dict(sorted(kinds.items()))} if kinds else None
    line: dict[str, Any] = {"did": "removed", "why": plan.reasons[mark - 1]}
    if original:
        line["of"] = dict(zip(("source", "path", "row"), original, strict=True))
    return line


def _compress(lines: Iterator[Mapping[str, Any]]) -> bytes:
    data = b"".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines)
    return gzip.compress(data, mtime=0) if data else b""


def read_schema(fields: Sequence[Sequence[str]], plan: Plan) -> pa.Schema:
    """Read the columns of the result."""
    found = []
    for name, kind, written in fields:
        if kind in ("mixed", "null"):
            found.append(pa.field(name, pa.large_string()))
        else:
            field_of = pa.ipc.read_schema(pa.BufferReader(base64.b64decode(written))).field(0)
            found.append(pa.field(name, field_of.type))
    if plan.source_column:
        found.append(pa.field(plan.source_column, pa.large_string()))
    return pa.schema(found)


def shape(batch: pa.RecordBatch, schema: pa.Schema, plan: Plan) -> pa.RecordBatch:
    """Give rows the columns of the result; what has another type there is written as text."""
    arrays = []
    for column in schema:
        if column.name == plan.source_column:
            arrays.append(pa.array([plan.source] * batch.num_rows, column.type))
            continue
        index = batch.schema.get_field_index(column.name)
        if index < 0:
            arrays.append(pa.nulls(batch.num_rows, column.type))
            continue
        array = batch.column(index)
        if array.type != column.type:
            array = _convert(array, column.type)
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _convert(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_large_string(kind) and not (
        pa.types.is_string(array.type) or pa.types.is_string_view(array.type) or pa.types.is_null(array.type)
    ):
        texts = [None if value is None else value_text(value) for value in array.to_pylist()]
        return pa.array(texts, kind)
    return array.cast(kind)
