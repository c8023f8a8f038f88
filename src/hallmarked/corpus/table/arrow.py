"""Arrow files and streams (https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from hallmarked.corpus.table.model import BATCH_ROWS, Format, Part, Piece, Skipped
from hallmarked.corpus.table.parquet import BROKEN
from hallmarked.corpus.table.valid import valid_rows
from hallmarked.formats.blob import Blob

MAGIC = b"ARROW1"
STREAM = b"\xff\xff\xff\xff"
"""How a stream begins: a continuation marker before its first message."""


def cut_arrow(_blob: Blob) -> Sequence[Part]:
    """Take a file as one part: its batches stand one after another."""
    return [Part(0, 1)]


def read_arrow(blob: Blob, _part: Part) -> Iterator[Piece]:
    """Yield the batches of a file or stream; what stands before a broken one counts."""
    done = 0
    with blob.open() as stream:
        try:
            for batch in _batches(stream, blob.head(len(MAGIC)) == MAGIC):
                batch.validate()
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    yield from valid_rows(batch.slice(start, BATCH_ROWS), done + start)
                done += batch.num_rows
        except BROKEN as error:
            yield Skipped(f"the rows cannot be read: {str(error).partition(chr(10))[0][:200]}", done, None)


def _batches(stream: object, is_file: bool) -> Iterator[pa.RecordBatch]:
    if not is_file:
        with pa.ipc.open_stream(stream) as reader:
            yield from reader
        return
    with pa.ipc.open_file(stream) as file:
        for number in range(file.num_record_batches):
            yield file.get_batch(number)


ARROW = Format("arrow", cut_arrow, read_arrow)
