"""From the rows of a part to what is kept of them, and back to the texts of some of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from hallmarked.corpus.duplicate.split import canonical
from hallmarked.corpus.duplicate.state import Builder
from hallmarked.corpus.duplicate.whole import I64
from hallmarked.corpus.table.model import Piece, Skipped
from hallmarked.corpus.text.column import documents, strings


def learn(builder: Builder, pieces: Iterable[Piece], columns: Sequence[str], split_column: str = "") -> None:
    """Read the rows of a part, and keep what is needed to find duplicates.

    Args:
        builder: Takes it.
        pieces: What reading the part yields.
        columns: The columns that hold its texts.
        split_column: Says of each row to which split it belongs, if there is such a column.
    """
    for piece in pieces:
        if not isinstance(piece, Skipped):
            builder.add(documents(piece, columns), _splits(piece, split_column))
        elif piece.row is None or piece.rows is None:
            builder.broken = piece.reason
        else:
            builder.skip(piece.row, piece.rows)


def _splits(batch: pa.RecordBatch, column: str) -> list[str] | None:
    if not column:
        return None
    found = [""] * batch.num_rows
    for each in strings(batch, [column]):
        for row, value in zip(each.rows.tolist(), each.values.to_pylist(), strict=True):
            found[row] = canonical(value)
    return found


def read_texts(pieces: Iterable[Piece], columns: Sequence[str], rows: I64) -> Iterator[tuple[I64, list[str]]]:
    """Read the texts of some rows of a part, given by their places among its readable rows, from 0 and ascending.

    Yields:
        Rows and their texts.
    """
    start = 0
    for piece in pieces:
        if isinstance(piece, Skipped):
            continue
        low, high = np.searchsorted(rows, (start, start + piece.num_rows))
        if low < high:
            yield rows[low:high], documents(piece.take(pa.array(rows[low:high] - start)), columns)
        start += piece.num_rows
        if high == len(rows):
            return
