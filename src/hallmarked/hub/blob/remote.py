"""Blobs in object storage that speaks S3: one object per blob under ``ab/cd/<sha256>``.

An object appears under its key only when its upload is completed, whole; the storage promises that. Who announces the
digest (all our protocols do) writes straight to that key and completes the upload only if the digest came true: nothing
is copied, and there is no size at which copying would stop working. Without an announced digest the bytes wait in an
unnamed local file until the digest, and with it the key, is known.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import parse_qs, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from hallmarked.core.errors import BackendError, InputError, NotFound
from hallmarked.hub.blob.digest import is_sha256, require_sha256
from hallmarked.hub.blob.presign import Credentials, presign
from hallmarked.hub.blob.store import Claim, Stored

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from obstore import WritableFile

_PART = 8 * 2**20
"""Bytes per part of an upload: what one upload holds in memory is a few of these."""
_PARTS = 9_000
"""Parts that an upload may take; storages refuse more than 10,000."""
_FIRST_READ, _LARGEST_READ = 2**16, 2**23
_ATTRIBUTES = {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}


class ObjectBlobs:
    """A :class:`hallmarked.hub.blob.store.BlobStore` in a bucket.

    Args:
        url: ``s3://bucket/prefix``, with ``?endpoint=…&region=…`` for storage other than Amazon's. Credentials (and
            endpoint and region when the address does not say them) come from the usual ``AWS_…`` variables.
        endpoint: Address of the storage when ``url`` does not say it.
        environment: Where those are looked up for signing addresses.

    Raises:
        InputError: When the address is not of that form.
    """

    def __init__(self, url: str, endpoint: str = "", environment: Mapping[str, str] = os.environ) -> None:
        parts = urlsplit(url)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        endpoint = options.pop("endpoint", "") or endpoint or environment.get("AWS_ENDPOINT_URL", "")
        region = options.pop("region", None) or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
        if parts.scheme != "s3" or not parts.netloc or options:
            raise InputError("object storage is named s3://bucket/prefix, with ?endpoint=…&region=… where needed")
        region = region or "us-east-1"
        where: dict[str, Any] = {"region": region} | ({"endpoint": endpoint} if endpoint else {})
        with _told():
            self._store = S3Store.from_url(
                f"s3://{parts.netloc}{parts.path}",
                config=where,  # type: ignore[arg-type]
                client_options={"allow_http": endpoint.startswith("http://"), "connect_timeout": "5s"},
                retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=60)},
            )
        self._credentials = _credentials(environment, region)

    @contextmanager
    def receive(self, sha256: str | None = None, size: int | None = None) -> Iterator[RemoteIncoming]:
        """Begin a blob; leaving the context without ``finish`` abandons the upload."""
        if sha256 is None:
            with tempfile.TemporaryFile() as spool:
                yield RemoteIncoming(self, spool, Claim(None, size))
            return
        part = max(_PART, -(-(size or 0) // _PARTS))
        with _told():
            writer = obstore.open_writer(
                self._store, _key(sha256), buffer_size=part, max_concurrency=2, attributes=dict(_ATTRIBUTES)
            )
        try:
            yield RemoteIncoming(self, writer, Claim(sha256, size))
        finally:
            if not writer.closed():
                with contextlib.suppress(BaseError, OSError):
                    writer.__exit__(InputError, InputError("not finished"), None)

    def keep(self, spool: IO[bytes], sha256: str) -> None:
        """Send a spooled file to its key; only :class:`RemoteIncoming` calls this.

        Raises:
            BackendError: When the storage fails.
        """
        with _told():
            spool.seek(0)
            obstore.put(
                self._store, _key(sha256), spool, attributes=dict(_ATTRIBUTES), chunk_size=_PART, max_concurrency=2
            )

    def size(self, sha256: str) -> int | None:
        """Return the size of a blob in bytes; None when the store does not have it."""
        with _told(), contextlib.suppress(FileNotFoundError):
            return obstore.head(self._store, _key(sha256))["size"]
        return None

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading; seekable. Reads ask for what is needed, and for more when they go on in order."""
        size = self.size(sha256)
        if size is None:
            raise NotFound("the hub does not have the bytes of this file")
        return cast("BinaryIO", RemoteFile(self._store, _key(sha256), size))

    def path(self, sha256: str) -> Path | None:
        """Return None: the blob lies elsewhere."""
        require_sha256(sha256)
        return None

    def url(self, sha256: str, *, expires: timedelta, filename: str) -> str | None:
        """Return a presigned URL from which a client can get the blob without a token."""
        with _told():
            signed = obstore.sign(self._store, "GET", _key(sha256), expires)
        if self._credentials is None:  # such as those of a machine's role: only the library knows them
            return signed
        return presign(signed.partition("?")[0], self._credentials, expires=expires, filename=filename)

    def delete(self, sha256: str) -> None:
        """Delete a blob; absent is fine."""
        with _told(), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, _key(sha256))

    def list(self) -> Iterator[tuple[str, int, float]]:
        """Yield digest, size and time of arrival (seconds since the epoch) of every blob."""
        pages = iter(obstore.list(self._store))
        while True:
            with _told():
                page = next(pages, None)
            if page is None:
                return
            for entry in page:
                name = entry["path"].rpartition("/")[2]
                if is_sha256(name) and entry["path"] == _key(name):
                    yield name, entry["size"], entry["last_modified"].timestamp()


class RemoteIncoming:
    """A file being received; see :class:`hallmarked.hub.blob.store.Incoming`."""

    def __init__(self, store: ObjectBlobs, target: IO[bytes] | WritableFile, claim: Claim) -> None:
        self._store, self._target, self._claim = store, target, claim
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes.

        Raises:
            BackendError: When the storage fails, or the disk on which bytes wait is full.
        """
        self._hash.update(data)
        self._size += memoryview(data).nbytes
        with _told():
            self._target.write(bytes(data))  # the library sends it later, when whoever has lent it may have changed it

    def finish(self, sha256: str | None = None, size: int | None = None) -> Stored:
        """Complete the upload under the digest.

        Raises:
            InputError: When the sender said another digest or size than what arrived; then nothing is kept.
            BackendError: When the storage fails.
        """
        stored = Stored(self._hash.hexdigest(), self._size)
        self._claim.check(stored)
        Claim(sha256, size).check(stored)
        if self._claim.sha256 is None:
            self._store.keep(cast("IO[bytes]", self._target), stored.sha256)
        else:
            with _told():
                self._target.close()
        return stored


class RemoteFile(io.RawIOBase):
    """A blob read by ranges, with one window of read-ahead that doubles while reads follow each other."""

    def __init__(self, store: S3Store, key: str, size: int) -> None:
        self._store, self._key, self._size = store, key, size
        self._position = 0
        self._window, self._window_start = memoryview(b""), 0
        self._ahead = _FIRST_READ

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be sought."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position.

        Raises:
            ValueError: When it lies before the beginning.
        """
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("negative seek position")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read what one request brings.

        Raises:
            BackendError: When the storage fails or the object has gone.
        """
        into = memoryview(buffer).cast("B")
        wanted = min(into.nbytes, self._size - self._position)
        if wanted <= 0:
            return 0
        if not 0 <= self._position - self._window_start < self._window.nbytes:
            self._fetch(wanted)
        at = self._position - self._window_start
        piece = self._window[at : at + wanted]
        into[: piece.nbytes] = piece
        self._position += piece.nbytes
        return piece.nbytes

    def read(self, size: int = -1, /) -> bytes:
        """Read exactly so many bytes unless the blob ends before.

        Raises:
            BackendError: When the storage fails or the object has gone.
        """
        left = max(0, self._size - self._position)
        wanted = bytearray(left if size is None or size < 0 else min(size, left))
        done = 0
        while done < len(wanted):
            done += self.readinto(memoryview(wanted)[done:])
        return bytes(wanted)

    def _fetch(self, wanted: int) -> None:
        follows = self._position == self._window_start + self._window.nbytes
        self._ahead = min(self._ahead * 2, _LARGEST_READ) if follows else _FIRST_READ
        length = min(max(wanted, self._ahead), self._size - self._position, _LARGEST_READ)
        with _told():
            data = obstore.get_range(self._store, self._key, start=self._position, length=length)
        self._window, self._window_start = memoryview(data), self._position
        if not self._window.nbytes:
            raise BackendError("the object storage sent less than it has")


def _credentials(environment: Mapping[str, str], region: str) -> Credentials | None:
    key_id, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    return Credentials(key_id, secret, region, environment.get("AWS_SESSION_TOKEN")) if key_id and secret else None


def _key(sha256: str) -> str:
    require_sha256(sha256)
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the storage's library says into one sentence for people."""
    try:
        yield
    except (BaseError, OSError) as problem:
        raise BackendError("the hub's object storage did not do what it was asked; tell whoever runs it") from problem
