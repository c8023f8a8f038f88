"""How many numbers a model has, from the headers of its safetensors files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from io import BytesIO
from math import prod

from sqlalchemy import Connection

from hallmarked.core.errors import FormatError, NotFound
from hallmarked.formats.blob import Blob, Budget, Limits
from hallmarked.formats.safetensors import read_safetensors
from hallmarked.hub.blob.store import BlobStore
from hallmarked.hub.repository.revision import Entry, read_text

MAX_FILES = 200
"""Files of one model that are looked at."""
LIMITS = Limits(text=8 << 20, nodes=500_000)
"""What reading one header may cost; a model of a thousand layers needs a hundredth of it."""
KEPT = 4_096

# What a digest names never changes, so that one memory serves every store this process has open.
_kept: dict[str, Mapping[str, int] | None] = {}


def count_parameters(db: Connection, blobs: BlobStore, files: Sequence[Entry]) -> Mapping[str, int]:
    """Count the numbers in the safetensors files of a revision, by dtype; empty when there are none to count.

    Args:
        db: A transaction.
        blobs: Where large files are.
        files: Of the revision.
    """
    wanted = [entry for entry in files if entry.path.endswith(".safetensors") and "/" not in entry.path]
    total: Counter[str] = Counter()
    if len(wanted) > MAX_FILES:
        return {}
    for entry in wanted:
        if entry.large:
            counts = _count_large(blobs, entry.sha256, entry.size)
        else:
            counts = _count(Blob(entry.path, entry.size, partial(BytesIO, read_text(db, entry))))
        if counts is None:
            return {}
        total.update(counts)
    return total


def _count_large(blobs: BlobStore, sha256: str, size: int) -> Mapping[str, int] | None:
    if sha256 not in _kept:
        try:
            counts = _count(Blob(sha256, size, partial(blobs.open, sha256)))
        except NotFound:
            return None
        if len(_kept) >= KEPT:
            _kept.clear()
        _kept[sha256] = counts
    return _kept[sha256]


def _count(blob: Blob) -> Mapping[str, int] | None:
    try:
        with blob.open() as stream:
            if int.from_bytes(stream.read(8), "little") > LIMITS.text:
                return None
        found = read_safetensors(blob, Budget(stored=blob.size, limits=LIMITS))
    except FormatError:
        return None
    counts: Counter[str] = Counter()
    for entry in found.entries:
        counts[entry.dtype] += prod(entry.shape)
    return counts
