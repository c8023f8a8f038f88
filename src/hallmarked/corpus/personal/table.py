"""Redact Arrow arrays and batches, whatever they nest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from hallmarked.corpus.personal.redact import Redactor

_DEEPEST = 32
"""Lists within lists that are followed."""


def redact_batch(
    redactor: Redactor, batch: pa.RecordBatch, columns: Iterable[str] | None = None
) -> tuple[pa.RecordBatch, dict[str, Counter[str]], pa.BooleanArray]:
    """Redact columns of a batch, all by default.

    Returns:
        A batch of the same schema, the counts by column and kind, and for each row whether it changed.
    """
    wanted = None if columns is None else set(columns)
    arrays, counts = [], dict[str, Counter[str]]()
    touched = [False] * batch.num_rows
    for column, array in zip(batch.schema, batch.columns, strict=True):
        if wanted is None or column.name in wanted:
            redacted, found = redact_array(redactor, array, column.name)
            arrays.append(redacted)
            for row, of_row in found.items():
                touched[row] = True
                counts.setdefault(column.name, Counter()).update(of_row)
        else:
            arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema), counts, pa.array(touched, pa.bool_())


def redact_array(redactor: Redactor, array: pa.Array, hint: str = "") -> tuple[pa.Array, dict[int, Counter[str]]]:
    """Redact the texts of an array.

    Args:
        redactor: What replaces them.
        array: Of any type; what is neither text nor holds any stays as it is.
        hint: The name of the column; fields of objects give theirs.

    Returns:
        An array of the same type, and the counts of the rows that changed, by number from 0.
    """
    return _redact(redactor, array, hint, 0)


def _redact(redactor: Redactor, array: pa.Array, hint: str, depth: int) -> tuple[pa.Array, dict[int, Counter[str]]]:
    kind = array.type
    if pa.types.is_dictionary(kind):
        plain, counts = _redact(redactor, array.dictionary_decode(), hint, depth)
        return (plain.dictionary_encode().cast(kind), counts) if counts else (array, counts)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        texts, counts = redactor.redact_all(array.to_pylist(), hint)
        return (pa.array(texts, kind), counts) if counts else (array, counts)
    if depth < _DEEPEST:
        for test, redact in _NESTED:
            if test(kind):
                return redact(redactor, array, hint, depth)
    return array, {}


def _struct(redactor: Redactor, array: pa.Array, hint: str, depth: int) -> tuple[pa.Array, dict[int, Counter[str]]]:
    children, counts = [], dict[int, Counter[str]]()
    for field, child in zip(array.type, array.flatten(), strict=True):
        redacted, found = _redact(redactor, child, f"{hint} {field.name}", depth + 1)
        children.append(redacted)
        _add(counts, found)
    if not counts:
        return array, counts
    return pa.StructArray.from_arrays(children, fields=list(array.type), mask=array.is_null()), counts


def _list(redactor: Redactor, array: pa.Array, hint: str, depth: int) -> tuple[pa.Array, dict[int, Counter[str]]]:
    values, found = _redact(redactor, array.flatten(), hint, depth + 1)
    if not found:
        return array, {}
    counts = _by_row(found, pc.list_parent_indices(array))
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    offsets = pa.concat_arrays([pa.array([0], lengths.type), pc.cumulative_sum(lengths)])
    return type(array).from_arrays(offsets, values, type=array.type, mask=array.is_null()), counts


def _fixed(redactor: Redactor, array: pa.Array, hint: str, depth: int) -> tuple[pa.Array, dict[int, Counter[str]]]:
    size = array.type.list_size
    inner = array.values.slice(array.offset * size, len(array) * size)
    values, found = _redact(redactor, inner, hint, depth + 1)
    counts: dict[int, Counter[str]] = {}
    for place, of_value in found.items():
        counts.setdefault(place // size, Counter()).update(of_value)
    if not counts:
        return array, counts
    return pa.FixedSizeListArray.from_arrays(values, type=array.type, mask=array.is_null()), counts


def _map(redactor: Redactor, array: pa.Array, hint: str, depth: int) -> tuple[pa.Array, dict[int, Counter[str]]]:
    offsets = array.offsets
    low, high = offsets[0].as_py(), offsets[-1].as_py()
    keys, of_keys = _redact(redactor, array.keys.slice(low, high - low), hint, depth + 1)
    items, of_items = _redact(redactor, array.items.slice(low, high - low), hint, depth + 1)
    if not of_keys and not of_items:
        return array, {}
    moved = pc.subtract(offsets, low)
    lengths = pc.subtract(moved.slice(1), moved.slice(0, len(array))).to_pylist()
    parents = pa.array([row for row, length in enumerate(lengths) for _ in range(length)], pa.int64())
    counts = _by_row(of_keys, parents)
    _add(counts, _by_row(of_items, parents))
    return pa.MapArray.from_arrays(moved, keys, items, type=array.type, mask=array.is_null()), counts


def _by_row(found: dict[int, Counter[str]], parents: pa.Array) -> dict[int, Counter[str]]:
    counts: dict[int, Counter[str]] = {}
    for place, of_value in found.items():
        counts.setdefault(parents[place].as_py(), Counter()).update(of_value)
    return counts


def _add(counts: dict[int, Counter[str]], more: dict[int, Counter[str]]) -> None:
    for row, of_row in more.items():
        counts.setdefault(row, Counter()).update(of_row)


_NESTED = (
    (pa.types.is_struct, _struct),
    (pa.types.is_map, _map),
    (pa.types.is_fixed_size_list, _fixed),
    (pa.types.is_list, _list),
    (pa.types.is_large_list, _list),
)
