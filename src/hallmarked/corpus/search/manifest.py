"""The manifest of an index: what is in it, how it was made, and the digests of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from hallmarked.core.errors import BackendError, FormatError, InputError
from hallmarked.corpus.search.block import PARTS
from hallmarked.corpus.search.keyword import KEYWORDS
from hallmarked.corpus.search.model import Unread
from hallmarked.corpus.search.word import EDITION

FORMAT = 1
MANIFEST = "manifest.json"
MOST_MANIFEST = 64 << 20
MOST_BLOCKS = 10_000
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Options:
    """How an index is made."""

    block_mib: int = 64
    """Folded words of a block, MiB; making it takes about eight times as much memory."""
    keywords: bool = True
    """Whether it can be searched by keyword."""
    licence: str = ""
    """Of rows that name none."""
    masked: str = ""
    """What masked personal data before anything was indexed; empty when nothing did."""
    backend: str = ""
    """``infini-gram`` when that engine is to search it, see ``infinigram``; empty for blocks of ours."""


@dataclass(slots=True)
class Summary:
    """What an index holds, as its manifest says."""

    subject: str = ""
    """Name of the revision that was indexed."""
    digest: Mapping[str, str] = field(default_factory=dict)
    documents: int = 0
    words: int = 0
    bytes: int = 0
    """Of the texts, UTF-8."""
    unread: int = 0
    """Rows that could not be read, as far as their number is known."""
    lost: int = 0
    """Places from which an unknown number of rows could not be read."""
    places: list[Unread] = field(default_factory=list)
    """The first of them."""

    @property
    def whole(self) -> bool:
        """Whether every row was read."""
        return not self.unread and not self.lost


def read_manifest(folder: Path, backend: str = "") -> dict[str, Any]:
    """Read the manifest of an index.

    Args:
        folder: Where the index is.
        backend: What is to search it.

    Raises:
        InputError: When there is no index, or one of another edition, or for another backend.
        FormatError: When it cannot be understood.
        BackendError: When it cannot be read.
    """
    try:
        with (folder / MANIFEST).open("rb") as stream:
            data = stream.read(MOST_MANIFEST + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"there is no index in {folder}") from error
    except OSError as error:
        raise BackendError(f"the index {folder} cannot be read: {(error.strerror or '').lower()}") from error
    try:
        if len(data) > MOST_MANIFEST:
            raise ValueError
        found = json.loads(data)
        made = (found.get("format"), found.get("words"))
        wanted = found["options"].get("backend", "") if made == (FORMAT, EDITION) else backend
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"the index {folder} is damaged: its manifest cannot be understood") from error
    if made != (FORMAT, EDITION):
        raise InputError(f"{folder} was made by another version of this program; make the index again")
    if wanted != backend:
        raise InputError(f"the index {folder} is for another engine: {wanted or 'the one of hallmarked itself'}")
    return dict(found)


def block_files(manifest: Mapping[str, Any]) -> list[str]:
    """Return the names of the files that an index of blocks has."""
    blocks = manifest["blocks"]
    if not isinstance(blocks, int) or not 0 <= blocks <= MOST_BLOCKS:
        raise ValueError
    wanted = [f"{number:04}.{part}" for number in range(blocks) for part in PARTS]
    return wanted + ([KEYWORDS] if manifest["options"]["keywords"] else [])


def check_files(folder: Path, manifest: Mapping[str, Any], names: Sequence[str], *, whole: bool) -> None:
    """Compare files with the manifest.

    Args:
        folder: Where they are.
        manifest: What it says.
        names: Which files.
        whole: Compare digests, not only sizes.

    Raises:
        FormatError: When one is missing or another one.
    """
    for name in names:
        file, said = folder / name, manifest["files"][name]
        try:
            same = file.stat().st_size == said["size"] and (not whole or describe(file) == said)
        except OSError as error:
            raise FormatError(f"the index {folder} is damaged: {name} is missing") from error
        if not same:
            raise FormatError(f"the index {folder} is damaged: {name} is not the file that was written")


def read_summary(manifest: Mapping[str, Any]) -> Summary:
    """Return what an index holds."""
    body = manifest["summary"]
    return Summary(**{**body, "places": [Unread(**place) for place in body["places"]]})


def read_options(manifest: Mapping[str, Any]) -> Options:
    """Return how an index was made."""
    known = {item.name for item in fields(Options)}
    return Options(**{name: value for name, value in manifest["options"].items() if name in known})


def describe(file: Path) -> dict[str, int | str]:
    """Return size and SHA-256 of a file."""
    digest = hashlib.sha256()
    with closing(file.open("rb")) as stream:
        while data := stream.read(CHUNK):
            digest.update(data)
        return {"size": stream.tell(), "sha256": digest.hexdigest()}
