"""Columns out of rows whose values need not agree with each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hallmarked.corpus.table.model import BATCH_BYTES, BATCH_ROWS

MIXED = {b"mixed": b"1"}
"""Marks a column whose values have several types in one batch; they are its JSON then."""
MAX_COLUMNS = 10_000
"""Columns of a table; more are a table that was turned by mistake, or an attack."""

DEEPEST = 8
"""Levels of objects whose members are columns too."""


class Builder:
    """Collects rows and hands them on as batches."""

    def __init__(self) -> None:
        self._rows: list[Mapping[str, Any]] = []
        self._size = 0

    def add(self, row: Mapping[str, Any], size: int) -> Iterator[pa.RecordBatch]:
        """Take a row of ``size`` bytes; yield a batch when it is full."""
        self._rows.append(row)
        self._size += size
        if len(self._rows) >= BATCH_ROWS or self._size >= BATCH_BYTES:
            yield from self.finish()

    def extend(self, rows: Sequence[Mapping[str, Any]], sizes: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """Take many rows, and the size of each, just as :meth:`add` takes them."""
        total = sum(sizes)
        if len(self._rows) + len(rows) < BATCH_ROWS and self._size + total < BATCH_BYTES:
            self._rows += rows
            self._size += total
            return
        for row, size in zip(rows, sizes, strict=True):
            self._rows.append(row)
            self._size += size
            if len(self._rows) >= BATCH_ROWS or self._size >= BATCH_BYTES:
                yield from self.finish()

    def finish(self) -> Iterator[pa.RecordBatch]:
        """Yield what is left."""
        if self._rows:
            yield to_batch(self._rows)
            self._rows, self._size = [], 0


def flatten(batch: pa.RecordBatch) -> Iterator[tuple[pa.Field, pa.Array]]:
    """Yield the columns of a batch, and behind each that holds objects their members: ``meta``, ``meta.url``."""
    for column, array in zip(batch.schema, batch.columns, strict=True):
        yield from _members(column, array, DEEPEST)


def _members(column: pa.Field, array: pa.Array, depth: int) -> Iterator[tuple[pa.Field, pa.Array]]:
    yield column, array
    if depth and pa.types.is_struct(array.type):
        for index in range(array.type.num_fields):
            inner = array.type.field(index)
            yield from _members(
                inner.with_name(f"{column.name}.{inner.name}"), pc.struct_field(array, index), depth - 1
            )


def to_batch(rows: list[Mapping[str, Any]]) -> pa.RecordBatch:
    """Make columns of rows; a row that lacks a column has a null there."""
    names = dict.fromkeys(chain.from_iterable(rows))
    if not names:  # rows without columns are rows all the same
        return pa.RecordBatch.from_struct_array(pa.array(rows, pa.struct([])))
    fields, arrays = [], []
    for name in names:
        values = [row.get(name) for row in rows]
        array, mixed = _to_array(values)
        fields.append(pa.field(name, array.type, metadata=MIXED if mixed else None))
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _to_array(values: list[Any]) -> tuple[pa.Array, bool]:
    kinds = set(map(type, values)) - {type(None)}
    if len(kinds) <= 1 or kinds == {int, float}:
        try:
            return pa.array(values), False
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
            pass  # numbers of more than 64 bits, or lists and objects that do not agree with each other
    texts = [None if value is None else value if isinstance(value, str) else _json(value) for value in values]
    return pa.array(texts, pa.large_string()), True


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
