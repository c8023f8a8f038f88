"""Where the hub keeps files. A backend is added by writing one more class like this and naming its URL scheme."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Protocol

from hallmarked.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Stored:
    """A blob that is in the store, durable and verified."""

    sha256: str
    """Lower-case hex; also its address."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a sender says about a blob; None says nothing."""

    sha256: str | None
    """Lower-case hex."""
    size: int | None
    """Bytes."""

    def check(self, stored: Stored) -> None:
        """Compare with what arrived.

        Raises:
            InputError: When they differ.
        """
        if self.size is not None and self.size != stored.size:
            raise InputError(f"{self.size:,} bytes were announced and {stored.size:,} arrived, so nothing was kept")
        if self.sha256 is not None and self.sha256 != stored.sha256:
            raise InputError(f"what arrived has SHA-256 {stored.sha256}, not {self.sha256}, so nothing was kept")


class Incoming(Protocol):
    """A blob that is being received. Nothing can be read from the store before :meth:`finish`."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes. Once this returns, the memory they lie in may be used for others.

        Raises:
            BackendError: When they cannot be written, for example because the disk is full.
        """

    def finish(self, sha256: str | None = None, size: int | None = None) -> Stored:
        """Make the blob durable under its digest. A blob that the store already has arrives anew: its age is zero.

        Args:
            sha256: What the sender says the digest is.
            size: What the sender says the size is.

        Raises:
            InputError: When the sender said something else than what arrived; then nothing is kept.
            BackendError: When it cannot be written.
        """


class BlobStore(Protocol):
    """Content-addressed files.

    Methods raise BackendError when the storage fails, NotFound when a blob is absent, InputError when the digest is
    not one.
    """

    def receive(self, sha256: str | None = None, size: int | None = None) -> AbstractContextManager[Incoming]:
        """Begin a blob; leaving the context without ``finish`` forgets what was written.

        Args:
            sha256: The digest that the sender announces. Object storage then needs no local disk to wait on.
            size: The size that the sender announces, so that what cannot fit is refused before it is sent.
        """

    def size(self, sha256: str) -> int | None:
        """Return the size of a blob in bytes; None when the store does not have it."""

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading; seekable."""

    def path(self, sha256: str) -> Path | None:
        """Return the file on this machine that holds the blob; None when it lies elsewhere or is absent."""

    def url(self, sha256: str, *, expires: timedelta, filename: str) -> str | None:
        """Return a presigned URL at which a client gets the blob without a token; None when there is no such thing."""

    def delete(self, sha256: str) -> None:
        """Delete a blob; absent is fine."""

    def list(self) -> Iterator[tuple[str, int, float]]:
        """Yield digest, size and time of arrival (seconds since the epoch) of every blob."""
