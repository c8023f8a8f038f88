"""Which store an address means."""

from __future__ import annotations

from pathlib import Path

from hallmarked.core.errors import InputError
from hallmarked.hub.blob.local import LocalBlobs
from hallmarked.hub.blob.remote import ObjectBlobs
from hallmarked.hub.blob.store import BlobStore


def open_blobs(place: str | Path) -> BlobStore:
    """Open the store at a folder or at ``s3://bucket/prefix``.

    Raises:
        InputError: When the address is of a kind the hub cannot use.
        BackendError: When the folder cannot be created or read.
    """
    text = str(place)
    if text.startswith("s3://"):
        return ObjectBlobs(text)
    if "://" in text:
        raise InputError("Files are kept in a folder or in object storage named s3://bucket/prefix.")
    return LocalBlobs(Path(text))
