"""Where blobs lie: the one place that knows every kind of store."""

from __future__ import annotations

from pathlib import Path

from hallmarked.core.errors import InputError
from hallmarked.hub.blob.local import LocalBlobs
from hallmarked.hub.blob.store import BlobStore


def open_blobs(place: str) -> BlobStore:
    """Open the store at a folder or URL.

    Raises:
        InputError: When there is no store for such a URL.
        BackendError: When it cannot be used.
    """
    if "://" in place:
        raise InputError(f"files cannot be kept at {place.partition('://')[0]}://…")
    return LocalBlobs(Path(place))
