"""What a data set is made of: tables, their parts, and rows that nobody could read.

Where a row is named by its number, rows are counted as loaders count them: those that can be read, from 1 at the
beginning of the file. Only a row that cannot be read is named by its place among all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa

from hallmarked.formats.blob import Blob

BATCH_ROWS = 8_192
"""Most rows of a batch."""
BATCH_BYTES = 16 << 20
"""Bytes of text from which a batch is handed on although it has fewer rows."""
ROW_BYTES = 16 << 20
"""Longest row of a text format; a longer one is passed over, so that one line cannot take all memory."""
ENDLESS = 1 << 60
"""The size of what is read to its end, wherever that is."""
PART_BYTES = 64 << 20
"""Bytes of a part of a file whose rows end with lines."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a table that can be read without the rest of it.

    How a table is cut depends on its bytes alone, so that whoever reads the parts, and in which order, comes to the
    same result.
    """

    start: int
    stop: int
    """Where it begins and ends: bytes of text formats, groups of rows of others."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Rows that could not be read."""

    reason: str
    row: int | None = None
    """The first of them, from 0 at the beginning of the part; None when it is the part as a whole."""
    rows: int | None = 1
    """How many; None when nobody can tell. 0 when they were read, but not as they are written; the reason says how."""


Piece: TypeAlias = pa.RecordBatch | Skipped
"""What reading yields."""


@dataclass(frozen=True, slots=True)
class Format:
    """How the rows of a kind of file are found."""

    name: str
    cut: Callable[[Blob], Sequence[Part]]
    """Say of which parts a file consists. Raises ``FormatError`` when it cannot be read at all."""
    read: Callable[[Blob, Part], Iterator[Piece]]
    """Read a part. Whatever is broken is yielded as ``Skipped``."""
