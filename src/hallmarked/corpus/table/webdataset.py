"""WebDataset: tar archives in which the files of one row stand together and share the beginning of their names.

Convention: https://github.com/webdataset/webdataset: the key of a row is the name up to the first dot of its last part,
what follows is the column. Texts and JSON become columns; of everything else the kind and the size are told.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hallmarked.core.errors import FormatError
from hallmarked.corpus.table.column import MAX_COLUMNS, Builder
from hallmarked.corpus.table.jsonl import parse_object
from hallmarked.corpus.table.model import ROW_BYTES, Format, Part, Piece, Skipped
from hallmarked.corpus.table.peek import DOCUMENTS, TEXTS, split_name
from hallmarked.corpus.table.tar import Member, walk_tar
from hallmarked.formats.blob import Blob

KEY = "__key__"
SIGNS: Mapping[bytes, str] = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
    b"fLaC": "audio/flac",
    b"ID3": "audio/mpeg",
    b"\xff\xfb": "audio/mpeg",
    b"OggS": "audio/ogg",
    b"\x1aE\xdf\xa3": "video/webm",
    b"\x93NUMPY": "numpy",
    b"PK\x03\x04": "zip",
    b"\x80\x02": "pickle",
    b"\x80\x04": "pickle",
    b"\x80\x05": "pickle",
}
"""How files of a kind begin."""


def cut_webdataset(blob: Blob) -> Sequence[Part]:
    """Take an archive as one part: nothing says where its members begin."""
    return [Part(0, blob.size)]


def read_webdataset(blob: Blob, _part: Part) -> Iterator[Piece]:
    """Yield a row for every key; a member that cannot be read costs its row only."""
    builder, row, key = Builder(), 0, None
    sample = _Sample("")
    with blob.open() as stream:
        try:
            for member in walk_tar(stream):
                found, column = split_name(member.name)
                if not column:
                    continue
                if key is not None and found != key:
                    yield from sample.finish(builder, row)
                    row += 1
                if found != key:
                    key, sample = found, _Sample(found)
                sample.add(column, member)
        except FormatError as error:
            yield from builder.finish()
            yield Skipped(f"{error}; nothing below was read", row, None)
            return
    if key is not None:
        yield from sample.finish(builder, row)
    yield from builder.finish()


class _Sample:
    """The members of one row."""

    def __init__(self, key: str) -> None:
        self._row: dict[str, Any] = {KEY: key}
        self._size = len(key)
        self._reason = ""

    def add(self, column: str, member: Member) -> None:
        """Take a member.

        Raises:
            FormatError: When the archive ends early.
        """
        ending = column.rpartition(".")[2]
        self._size += len(column) + 16
        if len(self._row) >= MAX_COLUMNS:
            self._reason = f"the row has more than {MAX_COLUMNS:,} files"
            return
        if ending not in TEXTS | DOCUMENTS:
            self._row |= {f"{column}.kind": _kind(member.read(min(16, member.size))), f"{column}.size": member.size}
            return
        self._size += member.size
        if self._size > ROW_BYTES:
            self._reason = f"the row is longer than {ROW_BYTES >> 20} MiB"
            return
        try:
            data = member.read(member.size).removeprefix(codecs.BOM_UTF8)
            self._row[column] = parse_object(data) if ending in DOCUMENTS else data.decode("utf-8")
        except UnicodeDecodeError:
            self._reason = f"{column}: the text is not UTF-8"
        except FormatError as error:
            if member.left:
                raise
            self._reason = f"{column}: {str(error).replace('the row', 'the document')}"

    def finish(self, builder: Builder, row: int) -> Iterator[Piece]:
        """Hand the row on, or say why it cannot be read."""
        if self._reason:
            yield Skipped(self._reason, row)
        else:
            yield from builder.add(self._row, self._size)


def _kind(head: bytes) -> str:
    if head[:4] == b"RIFF":
        return {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/avi"}.get(head[8:12], "unknown")
    if head[4:8] == b"ftyp":
        return "video/mp4"
    return next((kind for sign, kind in SIGNS.items() if head.startswith(sign)), "unknown")


WEBDATASET = Format("webdataset", cut_webdataset, read_webdataset)
