"""Rows of binary formats whose values are not what their type says, such as texts that are not UTF-8."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from hallmarked.corpus.table.model import Piece, Skipped
from hallmarked.corpus.table.plain import plain_batch

INVALID = "a value of the row is not what its column says, such as a text that is not UTF-8"


def valid_rows(batch: pa.RecordBatch, number: int) -> Iterator[Piece]:
    """Yield a batch without the rows that break its types; whoever reads on can rely on every value.

    Args:
        batch: As a library read it, unchecked.
        number: Of its first row, from 0 at the beginning of the part.
    """
    if _is_valid(batch):
        yield plain_batch(batch)
        return
    begin = 0
    for row in range(batch.num_rows):
        if not _is_valid(batch.slice(row, 1)):
            if row > begin:
                yield plain_batch(batch.slice(begin, row - begin))
            yield Skipped(INVALID, number + row)
            begin = row + 1
    if begin < batch.num_rows:
        yield plain_batch(batch.slice(begin))


def _is_valid(batch: pa.RecordBatch) -> bool:
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
