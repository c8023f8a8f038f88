"""Rows that occur more than once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np
import numpy.typing as npt
import pyarrow as pa

DIGEST = 16
"""Bytes of a row's digest."""
MOST_ROWS = 20_000_000
"""Different rows whose digests are kept: 16 bytes each, three times while they are put together."""
MOST_PIECES = 64
"""Pieces of digests that are kept before they are put together."""
KIND = f"S{DIGEST}"


@dataclass(slots=True)
class Repeats:
    """Which rows were there before."""

    rows: int = 0
    seen: list[npt.NDArray[np.bytes_]] | None = field(default_factory=list)
    """Digests of the different rows, in pieces that may share some; None when there are more than memory allows."""

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the rows of a batch."""
        self.merge(Repeats(batch.num_rows, [_distinct(np.array(digests(batch), KIND))]))

    def merge(self, other: Repeats) -> None:
        """Take what is known of the rows that follow."""
        self.rows += other.rows
        self.seen = None if self.seen is None or other.seen is None else self.seen + other.seen
        if self.seen is not None and (len(self.seen) > MOST_PIECES or sum(map(len, self.seen)) > MOST_ROWS):
            self._join()

    def dump(self) -> bytes:
        """Write the digests of the different rows, sorted; nothing when they are too many."""
        self._join()
        return b"".join(piece.tobytes() for piece in self.seen or ())

    @classmethod
    def load(cls, rows: int, data: bytes) -> Repeats:
        """Read what :meth:`dump` wrote.

        Args:
            rows: How many there were.
            data: The digests.
        """
        return cls(rows, [np.frombuffer(data, KIND)] if data or not rows else None)

    @property
    def repeated(self) -> int | None:
        """How many rows are a copy of one that stands before them; None when that is not known."""
        self._join()
        return None if self.seen is None else self.rows - sum(map(len, self.seen))

    def _join(self) -> None:
        if self.seen is not None and len(self.seen) > 1:
            self.seen = [_distinct(np.concatenate(self.seen))]
        if self.seen and len(self.seen[0]) > MOST_ROWS:
            self.seen = None


def _distinct(found: npt.NDArray[np.bytes_]) -> npt.NDArray[np.bytes_]:
    """Sort in place, and leave out what is there already: the library's way takes several times the memory."""
    found.sort()
    return found[np.concatenate([[True], found[1:] != found[:-1]])] if len(found) else found


def digests(batch: pa.RecordBatch) -> list[bytes]:
    """Return 16 bytes per row that tell it from others: of names and values, whatever the order of the columns.

    A null is as good as a column that is not there, since files of one data set differ in that.
    """
    columns = sorted(zip(batch.schema.names, range(batch.num_columns), strict=True))
    prepared = [_texts(name, batch.column(index)) for name, index in columns]
    rows = zip(*prepared, strict=True) if prepared else repeat((), batch.num_rows)
    return [hashlib.blake2b(b"".join(cells), digest_size=DIGEST).digest() for cells in rows]


def _texts(name: str, array: pa.Array) -> list[bytes]:
    """Return each value as bytes that say their own length, after the column's name."""
    head = name.encode() + b"\0"
    values = _values(array)
    return [b"" if value is None else _framed(head, _bytes(value)) for value in values]


def _values(array: pa.Array) -> list[object]:
    """Return values as Python has them; times as numbers, since there are some that Python's calendar does not know."""
    if pa.types.is_date(array.type) or pa.types.is_time(array.type) or pa.types.is_timestamp(array.type):
        array = array.view(pa.int64() if array.type.bit_width == 64 else pa.int32())
    try:
        return list(array.to_pylist())
    except (OverflowError, ValueError):
        return [_value(scalar) for scalar in array]


def _value(scalar: pa.Scalar) -> object:
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return "a list or an object with a time that is in no calendar"


def _framed(head: bytes, data: bytes) -> bytes:
    return b"%b%d:%b" % (head, len(data), data)


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    return json.dumps(value, sort_keys=True, default=repr).encode()
