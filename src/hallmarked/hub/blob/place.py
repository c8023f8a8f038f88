"""Where blobs lie: the one place that knows every kind of store."""

from __future__ import annotations

from pathlib import Path

from hallmarked.core.errors import InputError
from hallmarked.hub.blob.local import LocalBlobs
from hallmarked.hub.blob.remote import ObjectBlobs
from hallmarked.hub.blob.store import BlobStore


def open_blobs(place: str, endpoint: str = "") -> BlobStore:
    """Open the store at a folder or at ``s3://bucket/prefix``.

    Args:
        place: The folder or URL.
        endpoint: Address of the object storage, when it is not Amazon's; the URL's own ``?endpoint=`` goes first.

    Raises:
        InputError: When there is no store for such a URL.
        BackendError: When it cannot be used.
    """
    if place.startswith("s3://"):
        return ObjectBlobs(place, endpoint)
    if "://" in place:
        raise InputError("files are kept in a folder or in object storage named s3://bucket/prefix")
    return LocalBlobs(Path(place))
