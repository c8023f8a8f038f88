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

MAX_EMPTY = 1 << 20
"""Cells of a batch that no row fills. Rows whose columns all differ would make rows × columns of them."""
DEEPEST = 8
"""Levels of objects whose members are columns too."""


class Builder:
    """Collects rows and hands them on as batches."""

    def __init__(self) -> None:
        self._rows: list[Mapping[str, Any]] = []
        self._size = self._filled = 0
        self._names: set[str] = set()

    def add(self, row: Mapping[str, Any], size: int) -> Iterator[pa.RecordBatch]:
        """Take a row of ``size`` bytes; yield a batch when it is full."""
        self._take([row], size)
        if self._is_full():
            yield from self.finish()

    def extend(self, rows: Sequence[Mapping[str, Any]], sizes: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """Take many rows, and the size of each, just as :meth:`add` takes them."""
        names, before = self._names.copy(), (len(self._rows), self._size, self._filled)
        self._take(rows, sum(sizes))
        if not self._is_full():
            return
        count, self._size, self._filled = before  # somewhere among them a batch ends
        self._names = names
        del self._rows[count:]
        for row, size in zip(rows, sizes, strict=True):
            yield from self.add(row, size)

    def _take(self, rows: Sequence[Mapping[str, Any]], size: int) -> None:
        self._rows += rows
        self._size += size
        self._filled += sum(map(len, rows))
        self._names.update(*rows)

    def _is_full(self) -> bool:
        count = len(self._rows)
        empty = count * len(self._names) - self._filled
        return count >= BATCH_ROWS or self._size >= BATCH_BYTES or empty > MAX_EMPTY

    def finish(self) -> Iterator[pa.RecordBatch]:
        """Yield what is left."""
        if self._rows:
            yield to_batch(self._rows)
            self._rows, self._size, self._filled, self._names = [], 0, 0, set()


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
