"""Endings of the names of files that hold rows. Loaders go by them."""

from __future__ import annotations

from collections.abc import Mapping

FORMATS: Mapping[str, str] = {
    "arrow": "arrow",
    "csv": "csv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "parquet": "parquet",
    "tsv": "csv",
    "txt": "text",
}
"""What a file holds, by the last part of its name."""
COMPRESSED: Mapping[str, str] = {"bz2": "bzip2", "gz": "gzip", "xz": "xz"}
"""How it is compressed, when such a part follows. Formats with compression of their own are not compressed again."""
WHOLE = frozenset({"arrow", "parquet"})


def format_of(path: str) -> tuple[str, str | None] | None:
    """Return what a file holds and how it is compressed; nothing when its name says no such thing."""
    parts = path.rpartition("/")[2].lower().split(".")[1:]
    codec = COMPRESSED.get(parts.pop()) if len(parts) > 1 and parts[-1] in COMPRESSED else None
    found = FORMATS.get(parts[-1]) if parts else None
    return None if found is None or (codec and found in WHOLE) else (found, codec)


def table_paths(paths: list[str]) -> list[str]:
    """Return the files that hold rows.

    Texts count only where nothing else does: beside tables or weights they are licences and vocabularies.
    """
    known = {path: found[0] for path in paths if (found := format_of(path))}
    return [path for path, name in known.items() if name != "text"] or list(known)
