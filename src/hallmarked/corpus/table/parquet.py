"""Parquet files, group of rows by group of rows (https://parquet.apache.org/docs/file-format/)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from hallmarked.core.errors import FormatError
from hallmarked.corpus.table.model import BATCH_BYTES, BATCH_ROWS, Format, Part, Piece, Skipped
from hallmarked.corpus.table.valid import valid_rows
from hallmarked.formats.blob import Blob

BROKEN = (pa.ArrowException, OSError, ValueError, KeyError)
"""What the library raises about files it cannot read."""

BUFFER = 1 << 20
"""Bytes read ahead of each column; without it a column of a group is read as a whole, however large."""

MOST_UNFOLDED = 1_000
"""Times that a group may unfold beyond its size in the file; a dictionary lets a few bytes stand for gigabytes."""
ALWAYS_UNFOLDED = 256 << 20
"""Bytes that any group may unfold to."""


@contextmanager
def _opened(blob: Blob) -> Iterator[pq.ParquetFile]:
    with blob.open() as stream, pq.ParquetFile(stream, buffer_size=BUFFER) as file:
        yield file


def cut_parquet(blob: Blob) -> Sequence[Part]:
    """Make a part of every group of rows.

    Raises:
        FormatError: When the footer cannot be read.
    """
    try:
        with _opened(blob) as file:
            groups = range(file.metadata.num_row_groups)
            return [Part(group, group + 1) for group in groups] or [Part(0, 0)]  # no rows are counted too
    except BROKEN as error:
        raise FormatError(_said(error)) from error


def read_parquet(blob: Blob, part: Part) -> Iterator[Piece]:
    """Yield the rows of a group; when a page is broken, what stands before it counts."""
    if part.start == part.stop:
        return
    done, rows = 0, None
    try:
        with _opened(blob) as file:
            group = file.metadata.row_group(part.start)
            rows = max(0, group.num_rows)
            each = max(1, group.total_byte_size // max(1, rows))
            size = max(1, min(BATCH_ROWS, BATCH_BYTES // each))
            left_bytes = _allowed(group, blob.size)
            for batch in file.iter_batches(batch_size=size, row_groups=[part.start], use_threads=False):
                left_bytes -= batch.nbytes
                if left_bytes < 0:
                    raise OSError(f"expands to more than {MOST_UNFOLDED:,} times its size")
                yield from valid_rows(batch, done)
                done += batch.num_rows
    except BROKEN as error:
        left = None if rows is None else max(0, rows - done)
        yield Skipped(f"the rows cannot be read: {_said(error)}", done, left)


def _allowed(group: pq.RowGroupMetaData, size: int) -> int:
    """Return to how many bytes a group may unfold; what the footer says of its size counts up to that of the file."""
    stored: int = sum(max(0, group.column(index).total_compressed_size) for index in range(group.num_columns))
    return max(ALWAYS_UNFOLDED, MOST_UNFOLDED * min(stored, size))


def _said(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]


PARQUET = Format("parquet", cut_parquet, read_parquet)
