"""The list of all identifiers of a version, sorted in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from hallmarked.corpus.proof.identifier import SIZE

DRAFTS = 256
HELD = 1 << 16
"""Bytes of a draft that are held before they are written down."""


class Spool:
    """Takes identifiers in any order, and writes them ascending, each once.

    They are spread over files by their first byte; each file is sorted by itself, so that a billion identifiers need
    the memory of four million.

    Args:
        folder: A new folder for drafts; whoever asked removes it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._held = [bytearray() for _ in range(DRAFTS)]

    def add(self, identifiers: Iterable[bytes]) -> None:
        """Take identifiers.

        Raises:
            OSError: When a draft cannot be written.
        """
        for each in identifiers:
            held = self._held[each[0]]
            held += each
            if len(held) >= HELD:
                self._spill(each[0])

    def _spill(self, number: int) -> None:
        with (self._folder / str(number)).open("ab") as draft:
            draft.write(self._held[number])
        self._held[number].clear()

    def write(self, path: Path) -> tuple[str, int]:
        """Write the list, and return its SHA-256 and how many identifiers it has.

        Raises:
            OSError: When it cannot be written.
        """
        digest, count = hashlib.sha256(), 0
        with path.open("wb") as out:
            for number in range(DRAFTS):
                draft = self._folder / str(number)
                data = (draft.read_bytes() if draft.exists() else b"") + bytes(self._held[number])
                each = sorted({data[at : at + SIZE] for at in range(0, len(data), SIZE)})
                sorted_bytes = b"".join(each)
                digest.update(sorted_bytes)
                out.write(sorted_bytes)
                count += len(each)
        return digest.hexdigest(), count
