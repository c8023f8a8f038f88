"""Folded documents as JSON Lines, from which infini-gram makes an index of its own."""

from __future__ import annotations

import json
from pathlib import Path

from hallmarked.corpus.search.model import Document
from hallmarked.corpus.search.word import BARRIER, SPACE

INFINI_GRAM = "infini-gram"
FOLDER, DOCUMENTS, INDEX = "data", "documents.jsonl", "infini-gram"
"""Where the documents go, and where the engine puts its index, in the folder of an index."""


class LineWriter:
    """Writes documents.

    A space stands before the first word and after each: so a passage with spaces around it never matches within words.

    Args:
        folder: That of the index.
    """

    size = 0
    """It is never full: the engine divides what it reads by itself."""

    def __init__(self, folder: Path) -> None:
        (folder / FOLDER).mkdir()
        self._out = (folder / FOLDER / DOCUMENTS).open("w", encoding="utf-8")

    def add(self, document: Document, path: int) -> None:
        """Take a document; ``path`` is the number of its file."""
        words = SPACE + document.words.replace(BARRIER, BARRIER + SPACE)
        row = {"file": path, "row": document.row, "source": document.source, "licence": document.licence}
        self._out.write(json.dumps({"text": words.decode(), **row}, ensure_ascii=False) + "\n")

    def finish(self) -> None:
        """Write what waits."""
        self._out.close()

    abandon = finish
