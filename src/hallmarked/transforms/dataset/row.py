"""Rows of a piece of a table, with the numbers they have in their file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hallmarked.core.artifact import Artifact
from hallmarked.core.errors import BackendError, FormatError, NotFound
from hallmarked.corpus.proof.identifier import content_digest
from hallmarked.corpus.table.find import table_at
from hallmarked.corpus.table.model import Part, Skipped
from hallmarked.corpus.text.column import documents
from hallmarked.transforms.dataset.value import row_text

Numbers = npt.NDArray[np.int64]


@dataclass(slots=True)
class Piece:
    """A part of a table, being read."""

    path: str
    start: int
    stop: int
    read: int = 0
    """Rows that could be read."""
    unread: list[int] = field(default_factory=list)
    """Places in the piece, from 0, of rows that could not be read."""
    reasons: list[tuple[int, str]] = field(default_factory=list)
    """Why not, for the first of them."""
    lost: str = ""
    """Why an unknown number of rows could not be read; empty when that is not so."""

    @property
    def rows(self) -> int:
        """How many rows it has, as far as that is known."""
        return self.read + len(self.unread)

    def numbers(self) -> Numbers:
        """Return the place in the piece, from 0, of each row that was read."""
        taken = np.zeros(max([self.rows, *(place + 1 for place in self.unread)]), bool)
        taken[self.unread] = True
        return np.flatnonzero(~taken)[: self.read]

    def to_dict(self) -> dict[str, Any]:
        """Write what was read as JSON; ``start`` and ``stop`` were known before."""
        told = [[place, reason] for place, reason in self.reasons]
        return {"path": self.path, "read": self.read, "unread": self.unread, "reasons": told, "lost": self.lost}


MOST_REASONS = 100
MOST_UNREAD = 1 << 20


def read_piece(artifact: Artifact, piece: Piece) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a piece, and note in it which could not be read."""
    try:
        for found in table_at(artifact, piece.path).read(Part(piece.start, piece.stop)):
            if isinstance(found, Skipped):
                _note(piece, found)
            elif found.num_rows:
                piece.read += found.num_rows
                yield found
    except (FormatError, BackendError, NotFound) as error:
        piece.lost = piece.lost or str(error)[:200]


def _note(piece: Piece, found: Skipped) -> None:
    if found.row is None or found.rows is None or len(piece.unread) + found.rows > MOST_UNREAD:
        piece.lost = piece.lost or found.reason[:200]
        return
    if len(piece.reasons) < MOST_REASONS:
        piece.reasons.append((found.row, found.reason[:200]))
    piece.unread += range(found.row, found.row + found.rows)


def texts_of(batch: pa.RecordBatch, columns: Sequence[str]) -> list[str]:
    """Return what each row says: its texts, or all of it as JSON when it has none."""
    texts = documents(batch, columns)
    if not all(texts):
        bare = [index for index, text in enumerate(texts) if not text.strip()]
        for index, row in zip(bare, batch.take(bare).to_pylist(), strict=True):
            texts[index] = row_text(row)
    return texts


def digests_of(texts: Sequence[str]) -> list[bytes]:
    """Return the digest of each text."""
    return [content_digest(text) for text in texts]


def pieces_of(part: Mapping[str, Any]) -> list[Piece]:
    """Return the pieces that a process shall look at."""
    return [Piece(str(each["path"]), int(each["start"]), int(each["stop"])) for each in part["pieces"]]
