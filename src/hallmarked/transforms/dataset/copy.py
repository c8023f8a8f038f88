"""Find the rows of all sources that say the same as others, exactly or nearly, and which of them is kept.

Runs in a confined process, which reads the texts of a few rows again to compare them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hallmarked.artifacts.source import from_description
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Part
from hallmarked.corpus.duplicate.find import find_duplicates
from hallmarked.corpus.duplicate.sketch import Settings
from hallmarked.corpus.duplicate.state import NEAR, State
from hallmarked.transforms.dataset.packet import Packet
from hallmarked.transforms.dataset.plan import read_plan
from hallmarked.transforms.dataset.redact import redact_texts
from hallmarked.transforms.dataset.row import pieces_of, read_piece, texts_of

FIND = "hallmarked.transforms.dataset.copy:find"
"""Name of the task for ``corpus.engine``."""
I64 = npt.NDArray[np.int64]


class Window(io.RawIOBase):
    """A range of a file, as a file of its own."""

    def __init__(self, path: Path, start: int, size: int) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._start, self._size, self._at = start, size, 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be read from anywhere."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read some bytes."""
        self._file.seek(self._start + self._at)
        data = self._file.read(min(len(buffer), max(0, self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


@dataclass(frozen=True, slots=True)
class _Texts:
    """Reads texts of rows again."""

    groups: Sequence[Mapping[str, Any]]
    sources: Sequence[Mapping[str, Any]]
    artifacts: dict[int, Artifact]

    def __call__(self, part: int, rows: I64) -> Iterator[tuple[I64, list[str]]]:
        group = self.groups[part]
        number = int(group["source"])
        if number not in self.artifacts:
            self.artifacts[number] = from_description(self.sources[number]["artifact"])
        at = 0
        for piece in pieces_of(group):
            for batch in read_piece(self.artifacts[number], piece):
                low, high = np.searchsorted(rows, (at, at + batch.num_rows))
                if low < high:
                    chosen = batch.take(pa.array(rows[low:high] - at))
                    plan = read_plan(self.sources[number]["plan"])
                    yield rows[low:high], redact_texts(plan, texts_of(chosen, plan.texts))
                at += batch.num_rows
                if high == len(rows):
                    return


def _open(path: Path, start: int, size: int) -> BinaryIO:
    return io.BufferedReader(Window(path, start, size))


def find(_artifact: Artifact, part: Part, options: Mapping[str, Any]) -> bytes:
    """Find copies among the rows of all groups.

    Hands back, for each row over all groups, the row that is kept of its cluster (``kept``, 32 bits), and a byte that
    is 1 when it says the same as that one and 2 when it says nearly the same (``reasons``).
    """
    settings = Settings(**options["settings"])
    states = [
        State.load(partial(_open, Path(state["path"]), state["start"], state["size"]), state["size"], settings)
        for state in part["states"]
    ]
    read = _Texts(part["groups"], options["sources"], {})
    found = find_duplicates(states, read, settings)
    reasons = np.where(found.reasons == NEAR, 2, np.minimum(found.reasons, 1)).astype(np.uint8)
    head = {"compared": found.compared, "near": found.near, "unread": found.unread}
    return Packet(head, [("kept", found.kept.astype("<u4").tobytes()), ("reasons", reasons.tobytes())]).dump()
