"""Open an index, whichever engine searches it."""

from __future__ import annotations

from pathlib import Path

from hallmarked.corpus.search.index import Index
from hallmarked.corpus.search.infinigram import InfiniGram
from hallmarked.corpus.search.line import DOCUMENTS, FOLDER
from hallmarked.corpus.search.model import Searchable


def open_index(folder: Path, *, whole: bool = True) -> Searchable:
    """Open an index.

    Args:
        folder: Where it is.
        whole: Compare every file with its digest in the manifest, not only their sizes.

    Raises:
        InputError: When there is no index, one of another edition, or one whose engine is missing.
        FormatError: When it is damaged.
        BackendError: When it cannot be read.
    """
    kind: type[Index] | type[InfiniGram] = InfiniGram if (folder / FOLDER / DOCUMENTS).is_file() else Index
    return kind.open(folder, whole=whole)
