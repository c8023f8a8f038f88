"""Which columns of a table are texts, and the texts of its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

TEXT_WORDS = 3.0
"""Words that the values of a column have on average from which they are texts and no names or labels."""
DEEPEST = 8
"""Levels of lists and objects that are gone into."""


@dataclass(frozen=True, slots=True)
class Strings:
    """All strings of one place in the rows of a batch."""

    column: str
    """``text``, or ``messages.content`` of a list of objects; names are joined by dots."""
    rows: npt.NDArray[np.int64]
    """The row of the batch in which each stands, ascending; a row may have several, or none."""
    values: pa.Array
    """Strings without nulls, as many as ``rows``."""


def strings(batch: pa.RecordBatch, columns: Sequence[str] | None = None) -> Iterator[Strings]:
    """Yield every string of a batch, those in lists and objects too.

    Args:
        batch: Some rows.
        columns: Only these, by the names that :class:`Strings` gives; all when None.
    """
    rows = np.arange(batch.num_rows)
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        for found in _inside(name, array, rows, DEEPEST):
            if columns is None or found.column in columns:
                yield found


def _inside(name: str, array: pa.Array, rows: npt.NDArray[np.int64], depth: int) -> Iterator[Strings]:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        there = array.is_valid().to_numpy(zero_copy_only=False)
        yield Strings(name, rows[there], array.drop_null().cast(pa.large_string()))
    elif depth and pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            yield from _inside(f"{name}.{kind.field(index).name}", pc.struct_field(array, index), rows, depth - 1)
    elif depth and (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        parents = pc.list_parent_indices(array).to_numpy(zero_copy_only=False)
        yield from _inside(name, pc.list_flatten(array), rows[parents], depth - 1)
    elif depth and pa.types.is_map(kind):
        entries = array.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)])))
        yield from _inside(name, entries, rows, depth)


def text_columns(batch: pa.RecordBatch) -> list[str]:
    """Say which columns are texts rather than names or labels, going by the rows of a batch.

    Texts are strings that have several words on average; when there are none, the strings that have most words, so
    that a table of short sentences has a text too.
    """
    words: dict[str, float] = {}
    for found in strings(batch):
        if len(found.values):
            count = pc.sum(pc.count_substring_regex(found.values, r"\S+")).as_py()
            words[found.column] = count / len(found.values)
    return [name for name, mean in words.items() if mean >= TEXT_WORDS] or sorted(words, key=lambda n: -words[n])[:1]


def documents(batch: pa.RecordBatch, columns: Sequence[str]) -> list[str]:
    """Return the text of each row: that of its text columns in the order of ``columns``, each on lines of its own."""
    pieces: list[list[str]] = [[] for _ in range(batch.num_rows)]
    found = {each.column: each for each in strings(batch, columns)}
    for name in columns:
        if name in found:
            for row, value in zip(found[name].rows.tolist(), found[name].values.to_pylist(), strict=True):
                pieces[row].append(value)
    return ["\n".join(texts) for texts in pieces]
