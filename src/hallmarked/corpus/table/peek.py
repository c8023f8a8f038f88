"""By what files are known for tables whose names say too little."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from itertools import pairwise

MEMBERS = ("data", "rows", "examples", "train", "test", "validation")
"""Members of a document whose list is one of rows; the first that comes is read."""
HEAD = 1 << 14
"""Bytes by which a document is known for a table."""
_LIST = re.compile(rb"\s*\[\s*\{")
_NAMED = re.compile(rb'"(?:' + "|".join(MEMBERS).encode() + rb')"\s*:\s*\[\s*\{')
TEXTS = frozenset(
    {"txt", "text", "transcript", "caption", "md", "html", "cls", "cls2", "index", "inx", "id", "lang", "label"}
)
"""Columns that hold a text."""
DOCUMENTS = frozenset({"json", "jsn"})
"""Columns that hold a JSON object."""
_IMAGES = {"jpg", "jpeg", "png", "webp", "gif", "ppm", "tif", "tiff", "bmp"}
_SOUNDS = {"wav", "flac", "mp3", "ogg", "opus", "m4a", "mp4", "webm", "avi", "mov"}
_ARRAYS = {"npy", "npz", "pth", "pt", "pyd", "pickle", "safetensors", "cbor", "mp", "msg", "bin", "ten"}
MEDIA = frozenset(_IMAGES | _SOUNDS | _ARRAYS)
"""Columns that hold something else; known so that an archive of rows can be told from other archives."""


def looks_like_rows(head: bytes) -> bool:
    """Say whether a document begins as a list of objects, or as an object with such a list."""
    head = head[:HEAD].removeprefix(codecs.BOM_UTF8)
    return bool(_LIST.match(head)) or (head.lstrip()[:1] == b"{" and bool(_NAMED.search(head)))


def split_name(name: str) -> tuple[str, str]:
    """Return the key of the row that a member belongs to, and its column; no column when it belongs to none."""
    folder, slash, last = name.rpartition("/")
    stem, _, column = last.partition(".")
    return f"{folder}{slash}{stem}", column.lower() if stem else ""


def looks_like_samples(names: Sequence[str]) -> bool:
    """Say whether the first members of an archive are rows: two that follow each other are of one row."""
    found = [split_name(name) for name in names]
    known = TEXTS | DOCUMENTS | MEDIA
    return any(
        one[0] == other[0] and one[1] != other[1] and {one[1].rpartition(".")[2], other[1].rpartition(".")[2]} <= known
        for one, other in pairwise(found)
    )
