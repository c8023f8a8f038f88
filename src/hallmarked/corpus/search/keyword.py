"""Keywords: which documents have these words, in whatever order (SQLite FTS5, https://www.sqlite.org/fts5.html).

The table holds no texts (``content=''``) but says which words a document has and where. It is given words that are
folded already, so that its own splitting of words (``ascii``: at everything that is no letter, digit or other script)
cannot disagree with ours.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from hallmarked.core.errors import BackendError, FormatError, InputError
from hallmarked.corpus.search.word import fold_words

KEYWORDS = "keywords.sqlite3"
MOST_TERMS = 64
MANY = 2_000
"""Documents that one transaction adds."""
_TERM = re.compile(r'"([^"]*)"|(\S+)')


class KeywordWriter:
    """Writes the table.

    Raises:
        BackendError: When it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=OFF")  # the whole folder is thrown away when something fails
            self._db.execute("PRAGMA synchronous=OFF")
            self._db.execute("CREATE VIRTUAL TABLE document USING fts5(words, content='', tokenize='ascii')")
            self._db.execute("INSERT INTO document(document, rank) VALUES('hashsize', ?)", (64 << 20,))
            self._db.execute("BEGIN")
        except sqlite3.Error as error:
            raise BackendError(f"the keywords cannot be written: {error}") from error
        self._waiting = 0

    def add(self, number: int, words: bytes) -> None:
        """Take the folded words of a document.

        Raises:
            BackendError: When they cannot be written.
        """
        try:
            self._db.execute("INSERT INTO document(rowid, words) VALUES(?, ?)", (number, words.decode("utf-8")))
            self._waiting += 1
            if self._waiting == MANY:
                self._db.execute("COMMIT")
                self._db.execute("BEGIN")
                self._waiting = 0
        except sqlite3.Error as error:
            raise BackendError(f"the keywords cannot be written: {error}") from error

    def finish(self) -> None:
        """Write what waits, and close.

        Raises:
            BackendError: When it cannot be written.
        """
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise BackendError(f"the keywords cannot be written: {error}") from error
        self._db.close()

    def close(self) -> None:
        """Close, whatever was written."""
        self._db.close()


class Keywords:
    """Answers which documents have words.

    Args:
        path: The table.

    Raises:
        FormatError: When it is none.
    """

    def __init__(self, path: Path) -> None:
        self._address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"

    def find(self, query: str, most: int) -> tuple[int, list[int]]:
        """Return how many documents have all these words, and the numbers of the best of them.

        Args:
            query: Words; those in quotation marks have to stand one after another.
            most: How many numbers.

        Raises:
            InputError: When there is no word in it, or too many.
            FormatError: When the table is damaged.
        """
        match = to_match(query)
        try:
            with closing(sqlite3.connect(self._address, uri=True)) as db:
                total = db.execute("SELECT count(*) FROM document WHERE document MATCH ?", (match,)).fetchone()[0]
                rows = db.execute(
                    "SELECT rowid FROM document WHERE document MATCH ? ORDER BY rank, rowid LIMIT ?", (match, most)
                ).fetchall()
        except sqlite3.Error as error:
            raise FormatError("the keywords of the index are damaged") from error
        return int(total), [int(row[0]) for row in rows]


def to_match(query: str) -> str:
    """Write a query in the language of FTS5: nothing of what was asked reaches it but folded words in quotes.

    Raises:
        InputError: When there is no word in it, or too many.
    """
    terms = [fold_words(found.group(1) or found.group(2) or "").decode() for found in _TERM.finditer(query)]
    phrases = [f'"{" ".join(term.split())}"' for term in terms if term.strip()]
    if not phrases or len(phrases) > MOST_TERMS:
        raise InputError(f"search for 1 to {MOST_TERMS} words")
    return " ".join(phrases)
