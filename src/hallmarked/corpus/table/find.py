"""Which files of an artifact hold rows, and how they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from hallmarked.core.artifact import Artifact, File
from hallmarked.core.errors import NotFound
from hallmarked.corpus.table.arrow import ARROW
from hallmarked.corpus.table.csv import CSV
from hallmarked.corpus.table.ending import find_table_paths, format_of
from hallmarked.corpus.table.inflate import inflate
from hallmarked.corpus.table.json import JSON
from hallmarked.corpus.table.jsonl import JSONL
from hallmarked.corpus.table.model import ENDLESS, Format, Part, Piece
from hallmarked.corpus.table.parquet import PARQUET
from hallmarked.corpus.table.text import TEXT
from hallmarked.corpus.table.webdataset import WEBDATASET
from hallmarked.formats.blob import Blob

FORMATS: Mapping[str, Format] = {each.name: each for each in (ARROW, CSV, JSON, JSONL, PARQUET, TEXT, WEBDATASET)}
"""What reads which format; see ``ending``."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file with rows."""

    blob: Blob
    format: Format
    codec: str | None = None
    """How the file is compressed as a whole."""

    @property
    def path(self) -> str:
        """Its path in the artifact."""
        return self.blob.path

    def cut(self) -> Sequence[Part]:
        """Say of which parts it consists.

        Raises:
            FormatError: When it cannot be read at all.
        """
        if self.codec:
            return [Part(0, ENDLESS)]  # nobody can begin in the middle of it
        return self.format.cut(self.blob)

    def read(self, part: Part) -> Iterator[Piece]:
        """Read a part.

        Raises:
            FormatError: When the part cannot be read at all.
        """
        return self.format.read(inflate(self.blob, self.codec) if self.codec else self.blob, part)


def find_tables(artifact: Artifact) -> Sequence[Table]:
    """Return the files that hold rows, in the order of their paths."""
    wanted = set(find_table_paths(artifact))
    return [_table(artifact, file) for file in artifact.files if file.path in wanted]


def table_at(artifact: Artifact, path: str) -> Table:
    """Return the table at a path.

    Raises:
        NotFound: When there is none.
    """
    for file in artifact.files:
        if file.path == path and format_of(path):
            return _table(artifact, file)
    raise NotFound(f"there is no table {path}")


def _table(artifact: Artifact, file: File) -> Table:
    found = format_of(file.path)
    assert found is not None
    return Table(Blob(file.path, file.size, partial(artifact.open, file.path)), FORMATS[found[0]], found[1])
