"""Indexes that are open in this process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from hallmarked.corpus.search.block import PARTS
from hallmarked.corpus.search.index import Index

MOST_FILES = 400
"""Files that are kept open: each part of a block is one, and a process often may have no more than 1,024."""


class Shelf:
    """Keeps indexes open that are asked. May be shared between threads.

    The folder of an index never changes and has a name of its own. So its files are compared with their digests once,
    and it is opened again without that after others took its place.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[Path, Index] = OrderedDict()
        self._seen: set[Path] = set()

    def take(self, folder: Path) -> Index:
        """Return the index in a folder.

        Raises:
            InputError: When there is none.
            FormatError: When it is damaged.
            BackendError: When it cannot be read.
        """
        with self._lock:
            if folder in self._open:
                self._open.move_to_end(folder)
                return self._open[folder]
            seen = folder in self._seen
        index = Index.open(folder, whole=not seen)
        with self._lock:
            self._open[folder] = index
            self._seen.add(folder)
            files = sum(len(each.blocks) for each in self._open.values()) * len(PARTS)
            while files > MOST_FILES and len(self._open) > 1:
                _, closed = self._open.popitem(last=False)
                files -= len(closed.blocks) * len(PARTS)
        return index
