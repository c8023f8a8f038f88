"""Which files hold rows: by the endings of their names, as loaders go by them, and by how they begin."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import BinaryIO, cast

from hallmarked.core.artifact import Artifact
from hallmarked.core.errors import BackendError, FormatError, NotFound
from hallmarked.corpus.table.peek import HEAD, looks_like_rows, looks_like_samples
from hallmarked.corpus.table.tar import walk_tar
from hallmarked.formats.archive.compressed import CODECS
from hallmarked.formats.archive.stream import decode

FORMATS: Mapping[str, str] = {
    "arrow": "arrow",
    "csv": "csv",
    "json": "json",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "parquet": "parquet",
    "tar": "webdataset",
    "tsv": "csv",
    "txt": "text",
}
"""What a file holds, by the last part of its name."""
COMPRESSED: Mapping[str, str] = {"bz2": "bzip2", "gz": "gzip", "xz": "xz", "zst": "zstd"}
"""How it is compressed, when such a part follows. Formats with compression of their own are not compressed again."""
SETTINGS = frozenset({"added_tokens.json", "modules.json"})
"""Lists of objects that belong to models."""
FIRST = 32
"""Members of an archive that are looked at."""
MOST = 32 << 20
"""Bytes that are unfolded of a compressed archive to look at it."""
WHOLE = frozenset({"arrow", "parquet"})
PEEKED = frozenset({"json", "webdataset"})
"""Formats of which a name says too little: a JSON document may be a configuration, a tar archive may be anything."""


def format_of(path: str) -> tuple[str, str | None] | None:
    """Return what a file holds and how it is compressed; nothing when its name says no such thing."""
    name = path.rpartition("/")[2].lower()
    parts = (f"{name[:-4]}.tar.gz" if name.endswith(".tgz") else name).split(".")[1:]
    codec = COMPRESSED.get(parts.pop()) if len(parts) > 1 and parts[-1] in COMPRESSED else None
    found = FORMATS.get(parts[-1]) if parts else None
    return None if found is None or (codec and found in WHOLE) else (found, codec)


def table_paths(paths: Sequence[str]) -> list[str]:
    """Return the files that hold rows, as far as their names say.

    Texts count only where nothing else does: beside tables or weights they are licences and vocabularies.
    """
    known = {path: found[0] for path in paths if (found := format_of(path)) and found[0] not in PEEKED}
    return [path for path, name in known.items() if name != "text"] or list(known)


def find_table_paths(artifact: Artifact) -> list[str]:
    """Return the files that hold rows, those too of which only their content says so, in the order of the artifact."""
    paths = [file.path for file in artifact.files]
    seen = [path for path in paths if _holds_rows(artifact, path)]
    named = table_paths(paths)
    texts = [path for path in named if (format_of(path) or ("",))[0] == "text"]
    wanted = set(seen) | (set(named) - set(texts) if seen else set(named))
    return [path for path in paths if path in wanted]


def _holds_rows(artifact: Artifact, path: str) -> bool:
    """Look into a file of which the name says too little."""
    name, codec = format_of(path) or ("", None)
    if name not in PEEKED:
        return False
    names: list[str] = []
    if path.rpartition("/")[2] in SETTINGS:
        return False
    if codec == "zstd":
        return True  # what unfolds it is part of the extra "data"; its reader will tell
    try:
        with artifact.open(path) as stream:
            source = stream if codec is None else cast("BinaryIO", _Unfolded(stream, codec))
            if name == "json":
                return looks_like_rows(source.read(HEAD))
            for member in islice(walk_tar(source), FIRST):
                names.append(member.name)  # noqa: PERF401 -- what came before an error counts
    except (FormatError, BackendError, NotFound):
        pass
    return looks_like_samples(names)


class _Unfolded(io.RawIOBase):
    """The beginning of what is compressed."""

    def __init__(self, stream: BinaryIO, codec: str) -> None:
        self._chunks, self._rest, self._left = decode(CODECS[codec](), stream), b"", MOST

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and self._left > 0 and (chunk := next(self._chunks, b"")):
            self._rest += chunk
            self._left -= len(chunk)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data
