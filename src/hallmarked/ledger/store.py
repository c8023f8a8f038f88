"""Where a log keeps its rows. A database is added by writing one more class like this; nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Head:
    """The last checkpoint a log signed."""

    size: int
    root: bytes
    note: str


def split_rows(rows: Sequence[tuple[str, int]]) -> list[tuple[str, str, int]]:
    """Return algorithm, hex and entry of rows of the index of subjects."""
    return [(name, value, index) for digest, index in rows for name, _, value in [digest.rpartition(":")]]


class Store(Protocol):
    """Rows of one log.

    Methods raise :class:`~hallmarked.core.errors.BackendError` when the database is damaged, locked or full.
    """

    @property
    def origin(self) -> str:
        """Name of the log, fixed when it was made."""

    def write(self) -> AbstractContextManager[None]:
        """Open a transaction that no other writer can overlap: on leaving it everything is durable, or nothing is."""

    def read(self) -> AbstractContextManager[None]:
        """Open a transaction in which all reads see one state."""

    def head(self) -> Head | None:
        """Return the last checkpoint."""

    def heads(self) -> Iterator[Head]:
        """Yield all checkpoints, oldest first."""

    def add_head(self, head: Head) -> None:
        """Add a checkpoint."""

    def replace_note(self, size: int, note: str) -> None:
        """Replace a checkpoint's note by one with more signatures."""

    def add_entries(self, start: int, leaves: Sequence[bytes], envelopes: Sequence[tuple[str, bytes]]) -> None:
        """Add leaves from index ``start``, and each one's envelope with its digest."""

    def leaf(self, index: int) -> bytes | None:
        """Return one leaf."""

    def leaves(self) -> Iterator[tuple[int, bytes]]:
        """Yield index and bytes of all leaves, in order."""

    def envelope(self, digest: str) -> bytes | None:
        """Return an envelope; None when it was erased.

        Raises:
            NotFound: When it never was there.
        """

    def erase(self, digest: str, unlisted: Sequence[tuple[str, int]] = ()) -> None:
        """Erase an envelope so that its bytes are gone from the disk, and remember that it was erased.

        Args:
            digest: Of the envelope.
            unlisted: Rows of the index of subjects that only the envelope knew; they go with it.

        Raises:
            NotFound: When it never was there.
        """

    def indexed(self) -> int:
        """Return how many entries, from the first on, are in the index of subjects."""

    def add_subjects(self, rows: Sequence[tuple[str, int]], stop: int) -> None:
        """Add rows (``algorithm:hex``, index of the entry) to the index of subjects.

        The index then covers all entries before ``stop``.
        """

    def find(self, digest: str) -> list[int]:
        """Return the indexed entries about ``algorithm:hex``, or about any algorithm's hex, in order."""

    def is_listed(self, digest: str, index: int) -> bool:
        """Say whether the index has a row."""

    def tile(self, level: int, index: int) -> bytes:
        """Return the hashes of a tile so far; empty when there are none."""

    def put_tiles(self, tiles: Sequence[tuple[int, int, bytes]]) -> None:
        """Store tiles, replacing narrower ones."""

    def keys(self, use: str) -> tuple[bytes, ...]:
        """Return the raw public keys that signed envelopes (``signer``) or checkpoints (``log``)."""

    def add_key(self, use: str, public: bytes) -> None:
        """Remember a public key."""

    def faults(self) -> list[str]:
        """Say what is wrong with the database's own structures."""

    def close(self) -> None:
        """Let go of the database."""
