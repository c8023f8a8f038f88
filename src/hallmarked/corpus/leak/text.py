"""The text of each row, without making a Python string of it where that is not needed."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from hallmarked.corpus.text.column import documents, strings


def row_texts(batch: pa.RecordBatch, columns: Sequence[str]) -> pa.Array:
    """Return the text of each row as a ``large_string`` array without nulls: what :func:`documents` returns.

    Args:
        batch: Some rows.
        columns: Those that hold texts.
    """
    found = list(strings(batch, columns))
    if len(found) == 1 and len(columns) == 1 and found[0].rows.tolist() == list(range(batch.num_rows)):
        return found[0].values
    return pa.array(documents(batch, columns), pa.large_string())
